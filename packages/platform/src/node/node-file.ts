// One open file. Raw descriptors with callbacks: the promises of node:fs cost 15 % of the append rate (PERFORMANCE 4).
import * as fs from 'node:fs'
import type { File } from '../env.ts'
import { diskError } from './disk-error.ts'
import type { SyncQueue } from './sync-queue.ts'

/** IOV_MAX of Linux and macOS. */
const BUFFERS_PER_WRITE = 1024

export class NodeFile implements File {
  readonly #descriptor: number
  readonly #path: string
  readonly #syncs: SyncQueue
  #open = true

  constructor(descriptor: number, path: string, syncs: SyncQueue) {
    this.#descriptor = descriptor
    this.#path = path
    this.#syncs = syncs
  }

  /** In the call: a hop to the pool costs more than a copy into the page cache (PERFORMANCE 4). */
  append(buffers: readonly Uint8Array[], position: number): undefined {
    try {
      if (buffers.length === 1 && buffers[0] !== undefined)
        writeWhole(this.#descriptor, buffers[0], position)
      else writeAll(this.#descriptor, buffers, position)
    } catch (error) {
      throw diskError(error, this.#path)
    }
  }

  async sync(): Promise<void> {
    try {
      await this.#syncs.sync(this.#descriptor)
    } catch (error) {
      throw diskError(error, this.#path)
    }
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      let done = 0
      const next = () => {
        fs.read(
          this.#descriptor,
          into,
          done,
          into.length - done,
          position + done,
          (error, size) => {
            if (error) return reject(diskError(error, this.#path))
            done += size
            if (size === 0 || done === into.length) resolve(done)
            else next()
          },
        )
      }
      next()
    })
  }

  truncate(size: number): Promise<void> {
    return this.#call((done) => fs.ftruncate(this.#descriptor, size, done))
  }

  async size(): Promise<number> {
    try {
      return fs.fstatSync(this.#descriptor).size
    } catch (error) {
      throw diskError(error, this.#path)
    }
  }

  async close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.#call((done) => fs.close(this.#descriptor, done))
  }

  #call(work: (done: (error: Error | null | undefined) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      work((error) => (error ? reject(diskError(error, this.#path)) : resolve()))
    })
  }
}

function writeWhole(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += fs.writeSync(descriptor, bytes, done, bytes.length - done, position + done)
  }
}

/** A short write leaves a rest: what is whole is dropped, what was cut goes on from there. */
function writeAll(descriptor: number, buffers: readonly Uint8Array[], position: number): void {
  let at = position
  let rest = buffers
  while (rest.length > 0) {
    let written = fs.writevSync(descriptor, rest.slice(0, BUFFERS_PER_WRITE), at)
    at += written
    let whole = 0
    for (const buffer of rest) {
      if (written < buffer.length) break
      written -= buffer.length
      whole++
    }
    rest = rest.slice(whole)
    const [cut] = rest
    if (cut !== undefined && written > 0) {
      writeWhole(descriptor, cut.subarray(written), at)
      at += cut.length - written
      rest = rest.slice(1)
    }
  }
}
