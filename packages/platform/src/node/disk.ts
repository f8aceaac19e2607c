// The `disk` port over `node:fs`. Enters: paths and lent buffers. Leaves: open files, names, DiskErrors.
import * as fs from 'node:fs'
import * as path from 'node:path'
import type { Disk, File, FileStat } from '../env.ts'
import { diskErrorOf, hasCode, newDiskError, onPath, replacedUnsynced } from './disk-error.ts'
import { NodeFile, sizeOf } from './disk-file.ts'
import { lockDirectory } from './lock.ts'
import type { SyncQueue } from './sync-queue.ts'

const { O_CREAT, O_DIRECTORY, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = fs.constants
/** Windows has neither. Without O_NONBLOCK the opening of a FIFO waits for its other end, and a thread with it. */
const O_NOFOLLOW = fs.constants.O_NOFOLLOW ?? 0
const O_NONBLOCK = fs.constants.O_NONBLOCK ?? 0

const FLAGS = { create: O_RDWR | O_CREAT | O_EXCL, write: O_RDWR, read: O_RDONLY } as const
const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o700
/** Written within the call: into the page cache, and synced at once. */
const SMALL_BYTES_MAX = 64 * 1024

export class NodeDisk implements Disk {
  readonly #syncs: SyncQueue
  /** The last replacement of a path under way: two at once would write into one temporary file. */
  readonly #replacing = new Map<string, Promise<void>>()

  constructor(syncs: SyncQueue) {
    this.#syncs = syncs
  }

  async open(file: string, mode: 'create' | 'write' | 'read'): Promise<File> {
    const { fd } = await openRegular(file, FLAGS[mode] | O_NOFOLLOW)
    return new NodeFile(file, fd, this.#syncs)
  }

  async readFile(
    file: string,
    options: { readonly links: 'refuse' | 'follow' } = { links: 'refuse' },
  ): Promise<Buffer | undefined> {
    try {
      // Where links are followed the file may be a pipe, too: `--config <(...)`.
      if (options.links === 'follow') return await fs.promises.readFile(file)
      const { fd, size } = await openRegular(file, O_RDONLY | O_NOFOLLOW)
      return await readWhole(fd, size)
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined
      throw diskErrorOf(error, file)
    }
  }

  async replaceFile(file: string, content: Uint8Array | readonly Uint8Array[]): Promise<void> {
    const slices = content instanceof Uint8Array ? [content] : content
    const key = path.resolve(file)
    const before = this.#replacing.get(key)
    const replacing =
      before === undefined
        ? this.#replace(file, slices)
        : before.then(
            () => this.#replace(file, slices),
            () => this.#replace(file, slices),
          )
    this.#replacing.set(key, replacing)
    try {
      await replacing
    } finally {
      if (this.#replacing.get(key) === replacing) this.#replacing.delete(key)
    }
  }

  rename(from: string, to: string): Promise<void> {
    return onPath(from, fs.promises.rename(from, to))
  }

  async removeFile(file: string): Promise<void> {
    try {
      await fs.promises.unlink(file)
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return
      // What POSIX asks for and macOS does, where Linux says EISDIR.
      if (hasCode(error, 'EPERM') && (await this.stat(file))?.kind === 'directory') {
        throw newDiskError('EISDIR', 'illegal operation on a directory, unlink', file)
      }
      throw diskErrorOf(error, file)
    }
  }

  async removeDirectory(directory: string): Promise<void> {
    const stat = await this.stat(directory)
    if (stat === undefined) return
    // `rm` would remove a file as well.
    if (stat.kind !== 'directory') throw newDiskError('ENOTDIR', 'not a directory, rm', directory)
    await onPath(directory, fs.promises.rm(directory, { recursive: true, force: true }))
  }

  async makeDirectory(directory: string): Promise<void> {
    if (await isDirectory(directory)) return
    const parent = path.dirname(directory)
    // Not `recursive`: where a file system answers ENOENT although the parent is there (/proc), Node tries for ever.
    if (parent !== directory) await this.makeDirectory(parent)
    try {
      await fs.promises.mkdir(directory, { mode: DIRECTORY_MODE })
    } catch (error) {
      if (!(await isDirectory(directory))) throw diskErrorOf(error, directory)
    }
  }

  async list(directory: string): Promise<string[]> {
    return (await onPath(directory, fs.promises.readdir(directory))).sort()
  }

  async stat(file: string): Promise<FileStat | undefined> {
    try {
      const stats = await fs.promises.lstat(file)
      return { kind: kindOf(stats), size: stats.size, modifiedMs: Math.floor(stats.mtimeMs) }
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined
      throw diskErrorOf(error, file)
    }
  }

  async syncDirectory(directory: string): Promise<void> {
    // Windows opens no directory; only brokers to play with run there.
    if (process.platform === 'win32') return
    const fd = await open(directory, O_RDONLY | O_DIRECTORY)
    await this.#syncAndClose(directory, fd)
  }

  async freeBytes(directory: string): Promise<number> {
    const { bavail, bsize } = await onPath(directory, fs.promises.statfs(directory))
    return bavail * bsize
  }

  async totalBytes(directory: string): Promise<number> {
    const { blocks, bsize } = await onPath(directory, fs.promises.statfs(directory))
    return blocks * bsize
  }

  lock(directory: string): ReturnType<Disk['lock']> {
    return lockDirectory(directory)
  }

  async #replace(file: string, slices: readonly Uint8Array[]): Promise<void> {
    const temporary = `${file}.tmp`
    const { fd } = await openRegular(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW)
    try {
      const where = sizeOf(slices) <= SMALL_BYTES_MAX ? 'call' : 'pool'
      const written = new NodeFile(temporary, fd, this.#syncs).append(slices, 0, where)
      try {
        await written
      } finally {
        await this.#syncAndClose(temporary, fd)
      }
      await this.rename(temporary, file)
    } catch (error) {
      await this.removeFile(temporary).catch(() => {})
      throw error
    }
    try {
      await this.syncDirectory(path.dirname(file))
    } catch (error) {
      throw replacedUnsynced(error, file)
    }
  }

  async #syncAndClose(file: string, fd: number): Promise<void> {
    try {
      await onPath(
        file,
        this.#syncs.run((synced) => fs.fsync(fd, synced)),
      )
    } finally {
      close(fd)
    }
  }
}

/** Followed, where it is a link: a person may have moved a data directory. */
async function isDirectory(directory: string): Promise<boolean> {
  const stats = await fs.promises.stat(directory).catch(() => undefined)
  return stats?.isDirectory() === true
}

function kindOf(stats: fs.Stats): FileStat['kind'] {
  if (stats.isFile()) return 'file'
  return stats.isDirectory() ? 'directory' : 'other'
}

/** Directories, pipes and devices are refused: nothing of ours is one, and to read from one may never end. */
async function openRegular(file: string, flags: number): Promise<{ fd: number; size: number }> {
  const fd = await open(file, flags | O_NONBLOCK)
  const stats = fs.fstatSync(fd)
  if (stats.isFile()) return { fd, size: stats.size }
  close(fd)
  if (stats.isDirectory())
    throw newDiskError('EISDIR', 'illegal operation on a directory, open', file)
  throw newDiskError('ENXIO', 'not a regular file, open', file)
}

function open(file: string, flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(file, flags, FILE_MODE, (error, fd) => {
      if (error) reject(diskErrorOf(error, file))
      else resolve(fd)
    })
  })
}

/** One read where `fs.readFile` takes a stat and two: a start of thousands of partitions reads thousands of small files. */
async function readWhole(fd: number, size: number): Promise<Buffer> {
  const content = Buffer.allocUnsafe(size)
  try {
    let filled = 0
    while (filled < size) {
      const count = await readInto(fd, content, filled)
      if (count === 0) break
      filled += count
    }
    return content.subarray(0, filled)
  } finally {
    close(fd)
  }
}

function readInto(fd: number, content: Buffer, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(fd, content, position, content.length - position, position, (error, count) => {
      if (error) reject(error)
      else resolve(count)
    })
  })
}

/**
 * Nothing was written that a sync did not already cover, so an error here has nothing to say. Within the call: it gives
 * a number back, and a turn in the pool would cost more.
 */
function close(fd: number): void {
  try {
    fs.closeSync(fd)
  } catch {
    // Linux has given the descriptor back all the same.
  }
}
