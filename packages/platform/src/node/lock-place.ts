// The directory that is locked: held open, so that its sockets have short names.
import * as fs from 'node:fs'
import * as path from 'node:path'
import { newDiskError } from './disk-error.ts'

/** 108 with its zero on Linux, 104 on macOS. Longer ones are cut without an error: two directories, one socket. */
const SOCKET_PATH_BYTES_MAX = 103

export class LockPlace {
  readonly path: string
  readonly #handle: fs.promises.FileHandle

  private constructor(directory: string, handle: fs.promises.FileHandle) {
    this.path = directory
    this.#handle = handle
  }

  static async open(directory: string): Promise<LockPlace> {
    const { O_DIRECTORY, O_RDONLY } = fs.constants
    return new LockPlace(directory, await fs.promises.open(directory, O_RDONLY | O_DIRECTORY))
  }

  /** For calls on files. */
  file(name: string): string {
    return path.join(this.path, name)
  }

  /** For bind and connect. */
  socket(name: string): string {
    if (process.platform === 'linux') return `/proc/self/fd/${this.#handle.fd}/${name}`
    const absolute = path.resolve(this.file(name))
    const relative = path.relative('', absolute)
    const shorter = relative.length < absolute.length ? relative : absolute
    if (Buffer.byteLength(shorter) <= SOCKET_PATH_BYTES_MAX) return shorter
    throw newDiskError(
      'ENAMETOOLONG',
      'too long for a socket; start nearer to the directory, lock',
      this.path,
    )
  }

  list(): Promise<string[]> {
    return fs.promises.readdir(this.path)
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}
