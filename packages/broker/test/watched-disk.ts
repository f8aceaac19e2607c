// A disk that tells what is done to its files. Enters: a disk and listeners. Leaves: a disk that works alike.
import type { Disk, File } from '@minikafka/platform'

export type Watch = {
  /** Before a write. What it throws is the write's error. */
  readonly append?: (path: string, bytes: number) => unknown
  readonly read?: (path: string, bytes: number) => unknown
  /** Before a sync begins. What it throws is the sync's error. */
  readonly sync?: (path: string) => unknown
  /** After a sync ended well. */
  readonly synced?: (path: string) => unknown
  readonly syncDirectory?: (path: string) => unknown
}

export function counted(disk: Disk, watch: Watch): Disk {
  return {
    open: async (path, mode) => watched(await disk.open(path, mode), path, watch),
    readFile: (path) => disk.readFile(path),
    replaceFile: (path, content) => disk.replaceFile(path, content),
    rename: (from, to) => disk.rename(from, to),
    removeFile: (path) => disk.removeFile(path),
    removeDirectory: (path) => disk.removeDirectory(path),
    makeDirectory: (path) => disk.makeDirectory(path),
    list: (path) => disk.list(path),
    stat: (path) => disk.stat(path),
    syncDirectory: (path) => {
      watch.syncDirectory?.(path)
      return disk.syncDirectory(path)
    },
    freeBytes: (path) => disk.freeBytes(path),
    totalBytes: (path) => disk.totalBytes(path),
    lock: (path) => disk.lock(path),
  }
}

function watched(file: File, path: string, watch: Watch): File {
  return {
    append(buffers, position) {
      watch.append?.(
        path,
        buffers.reduce((sum, { length }) => sum + length, 0),
      )
      return file.append(buffers, position)
    },
    async sync() {
      watch.sync?.(path)
      await file.sync()
      watch.synced?.(path)
    },
    async read(into, position) {
      const bytes = await file.read(into, position)
      watch.read?.(path, bytes)
      return bytes
    },
    truncate: (size) => file.truncate(size),
    size: () => file.size(),
    close: () => file.close(),
  }
}
