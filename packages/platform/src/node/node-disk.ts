// The file system of this process.
import * as fs from 'node:fs'
import * as path from 'node:path'
import type { Disk, File, FileStat, Lock } from '../env.ts'
import { lockDirectory } from './directory-lock.ts'
import { diskError } from './disk-error.ts'
import { NodeFile } from './node-file.ts'
import type { SyncQueue } from './sync-queue.ts'

const { constants } = fs
const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o700
const FLAGS = {
  create: constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | constants.O_NOFOLLOW,
  write: constants.O_RDWR | constants.O_NOFOLLOW,
  read: constants.O_RDONLY | constants.O_NOFOLLOW,
} as const

export class NodeDisk implements Disk {
  readonly #syncs: SyncQueue

  constructor(syncs: SyncQueue) {
    this.#syncs = syncs
  }

  open(file: string, mode: keyof typeof FLAGS): Promise<File> {
    return new Promise((resolve, reject) => {
      // O_NONBLOCK: a FIFO in place of a file must not hang the open; it is refused below.
      fs.open(file, FLAGS[mode] | constants.O_NONBLOCK, FILE_MODE, (error, descriptor) => {
        if (error) reject(diskError(error, file))
        else resolve(new NodeFile(descriptor, file, this.#syncs))
      })
    })
  }

  readFile(file: string): Promise<Buffer | undefined> {
    return absentIsUndefined(fs.promises.readFile(file), file)
  }

  async replaceFile(file: string, content: Uint8Array): Promise<void> {
    const temporary = `${file}.tmp`
    try {
      const handle = await fs.promises.open(temporary, 'w', FILE_MODE)
      try {
        await handle.writeFile(content)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await fs.promises.rename(temporary, file)
    } catch (error) {
      throw diskError(error, file)
    }
    await this.syncDirectory(path.dirname(file))
  }

  rename(from: string, to: string): Promise<void> {
    return orDiskError(fs.promises.rename(from, to), from)
  }

  removeFile(file: string): Promise<void> {
    return orDiskError(fs.promises.rm(file, { force: true }), file)
  }

  removeDirectory(directory: string): Promise<void> {
    return orDiskError(fs.promises.rm(directory, { force: true, recursive: true }), directory)
  }

  async makeDirectory(directory: string): Promise<void> {
    await orDiskError(
      fs.promises.mkdir(directory, { recursive: true, mode: DIRECTORY_MODE }),
      directory,
    )
  }

  async list(directory: string): Promise<string[]> {
    return (await orDiskError(fs.promises.readdir(directory), directory)).sort()
  }

  stat(file: string): Promise<FileStat | undefined> {
    return absentIsUndefined(
      fs.promises.lstat(file).then((stat) => ({
        kind: stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : 'other',
        size: stat.size,
        modifiedMs: Math.floor(stat.mtimeMs),
      })),
      file,
    )
  }

  async syncDirectory(directory: string): Promise<void> {
    try {
      const handle = await fs.promises.open(directory, 'r')
      try {
        await handle.sync()
      } finally {
        await handle.close()
      }
    } catch (error) {
      throw diskError(error, directory)
    }
  }

  async freeBytes(file: string): Promise<number> {
    const { bavail, bsize } = await orDiskError(fs.promises.statfs(file), file)
    return bavail * bsize
  }

  async totalBytes(file: string): Promise<number> {
    const { blocks, bsize } = await orDiskError(fs.promises.statfs(file), file)
    return blocks * bsize
  }

  async lock(directory: string): Promise<{ lock: Lock } | { heldBy: number | undefined }> {
    try {
      return await lockDirectory(directory)
    } catch (error) {
      throw diskError(error, directory)
    }
  }
}

async function orDiskError<T>(work: Promise<T>, file: string): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw diskError(error, file)
  }
}

async function absentIsUndefined<T>(work: Promise<T>, file: string): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw diskError(error, file)
  }
}
