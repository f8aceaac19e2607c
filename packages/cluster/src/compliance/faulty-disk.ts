// A real disk that can be told to fail: the next writes or syncs of files whose names end as given.
import { type Disk, DiskError, type File } from '@minikafka/platform'

export class FaultyDisk {
  /** What the next calls do; returns an error to throw, or undefined. */
  onAppend: (path: string) => DiskError | undefined = () => undefined
  onSync: (path: string) => DiskError | undefined = () => undefined
  /** As `onAppend`, for replaceFile. */
  onReplace: (path: string) => DiskError | undefined = () => undefined
  /** As `onReplace`, for the sync of the directory: the new content is in place by then. */
  onReplaced: (path: string) => DiskError | undefined = () => undefined
  /** Syncs wait for it. */
  gate: Promise<void> = Promise.resolve()
  readonly syncs: string[] = []
  /** Files that are open. */
  openCount = 0
  readonly disk: Disk
  /** One at a time, as the store does it. */
  #replacing: string | undefined

  constructor(real: Disk) {
    this.#failWithin(real)
    this.disk = {
      open: async (path, mode) => {
        const file = await real.open(path, mode)
        this.openCount++
        return this.#wrap(path, file)
      },
      replaceFile: async (path, content) => {
        const error = this.onReplace(path)
        if (error !== undefined) throw error
        this.#replacing = path
        await real.replaceFile(path, content)
      },
      readFile: (path) => real.readFile(path),
      rename: (from, to) => real.rename(from, to),
      removeFile: (path) => real.removeFile(path),
      removeDirectory: (path) => real.removeDirectory(path),
      makeDirectory: (path) => real.makeDirectory(path),
      list: (path) => real.list(path),
      stat: (path) => real.stat(path),
      syncDirectory: (path) => real.syncDirectory(path),
      freeBytes: (path) => real.freeBytes(path),
      totalBytes: (path) => real.totalBytes(path),
      lock: (directory) => real.lock(directory),
    }
  }

  /** What the real disk makes of the error is a part of what is tested: it fails inside of its replaceFile. */
  #failWithin(real: Disk): void {
    const syncDirectory = real.syncDirectory.bind(real)
    real.syncDirectory = async (directory) => {
      const path = this.#replacing
      this.#replacing = undefined
      const error = path && this.onReplaced(path)
      if (error) throw error
      await syncDirectory(directory)
    }
  }

  #wrap(path: string, file: File): File {
    return {
      append: (buffers, position) => {
        const error = this.onAppend(path)
        if (error === undefined) return file.append(buffers, position)
        return this.#appendPart(file, buffers, { position, error })
      },
      sync: async () => {
        this.syncs.push(path)
        await this.gate
        const error = this.onSync(path)
        if (error !== undefined) throw error
        await file.sync()
      },
      read: (into, position) => file.read(into, position),
      truncate: (size) => file.truncate(size),
      size: () => file.size(),
      close: () => {
        this.openCount--
        return file.close()
      },
    }
  }

  /** A write that fails has written a part. */
  async #appendPart(
    file: File,
    buffers: readonly Uint8Array[],
    { position, error }: { position: number; error: DiskError },
  ): Promise<void> {
    const all = Buffer.concat(buffers)
    await file.append([all.subarray(0, all.length >> 1)], position)
    throw error
  }
}

export function diskError(code: string): DiskError {
  return new DiskError(code, `${code}: told to fail`)
}
