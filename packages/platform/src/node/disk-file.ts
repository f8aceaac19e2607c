// An open file of the `disk` port. Raw descriptors and callbacks: FileHandle's promises cost 15 % (PERFORMANCE 4).
import * as fs from 'node:fs'
import { assert } from '../assert.ts'
import type { File } from '../env.ts'
import { diskErrorOf, newDiskError } from './disk-error.ts'
import type { SyncQueue } from './sync-queue.ts'

export class NodeFile implements File {
  readonly #path: string
  readonly #fd: number
  readonly #syncs: SyncQueue
  #open = true
  /** What the pool still does with the descriptor. It is closed only then: its number may be given out again. */
  #underway = 0
  #idle: (() => void) | undefined

  constructor(path: string, fd: number, syncs: SyncQueue) {
    this.#path = path
    this.#fd = fd
    this.#syncs = syncs
  }

  append(
    buffers: readonly Uint8Array[],
    position: number,
    where: 'call' | 'pool' = 'call',
  ): undefined | Promise<void> {
    assert(isPosition(position), 'a position is a whole number')
    if (where === 'pool')
      return this.#use<void>((done) => this.#writeInPool(buffers, position, done))
    try {
      this.#write(buffers, position)
    } catch (error) {
      throw diskErrorOf(error, this.#path)
    }
    return undefined
  }

  sync(): Promise<void> {
    return this.#use<void>((done) => {
      this.#syncs.run((synced) => fs.fdatasync(this.#fd, synced)).then(() => done(null), done)
    })
  }

  read(into: Uint8Array, position: number): Promise<number> {
    assert(isPosition(position), 'a position is a whole number')
    return this.#use<number>((done) => this.#fill(into, 0, position, done))
  }

  truncate(size: number): Promise<void> {
    assert(isPosition(size), 'a size is a whole number')
    return this.#use<void>((done) => fs.ftruncate(this.#fd, size, done))
  }

  async size(): Promise<number> {
    const stats = await this.#use<fs.Stats>((done) => fs.fstat(this.#fd, done))
    return stats.size
  }

  async close(): Promise<void> {
    if (!this.#open) throw this.#closed()
    this.#open = false
    if (this.#underway > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve
      })
    }
    await new Promise<void>((resolve, reject) => {
      fs.close(this.#fd, (error) => (error ? reject(diskErrorOf(error, this.#path)) : resolve()))
    })
  }

  /** A full disk may take a part of what it is given, without an error: the rest is asked for again. */
  #write(buffers: readonly Uint8Array[], position: number): void {
    if (!this.#open) throw this.#closed()
    let left = buffers
    let leftSize = sizeOf(buffers)
    while (leftSize > 0) {
      const at = position
      const [first] = left
      const size =
        left.length === 1 && first !== undefined
          ? fs.writeSync(this.#fd, first, 0, first.length, at)
          : fs.writevSync(this.#fd, left, at)
      if (size === 0) throw this.#stuck()
      position += size
      leftSize -= size
      if (leftSize > 0) left = behind(left, size)
    }
  }

  #writeInPool(buffers: readonly Uint8Array[], position: number, done: Done<void>): void {
    const size = sizeOf(buffers)
    if (size === 0) {
      done(null)
      return
    }
    fs.writev(this.#fd, buffers, position, (error, written) => {
      if (error) done(error)
      else if (written === size) done(null)
      else if (written === 0) done(this.#stuck())
      else this.#writeInPool(behind(buffers, written), position + written, done)
    })
  }

  #fill(into: Uint8Array, filled: number, position: number, done: Done<number>): void {
    fs.read(this.#fd, into, filled, into.length - filled, position, (error, size) => {
      if (error) done(error)
      else if (size === 0 || filled + size === into.length) done(null, filled + size)
      else this.#fill(into, filled + size, position + size, done)
    })
  }

  /** Settles as `work` does. */
  #use<T>(work: (done: Done<T>) => void): Promise<T> {
    if (!this.#open) return Promise.reject(this.#closed())
    this.#underway++
    return new Promise((resolve, reject) => {
      work((error, value) => {
        this.#underway--
        if (error) reject(diskErrorOf(error, this.#path))
        else resolve(value as T)
        if (this.#underway === 0) this.#idle?.()
      })
    })
  }

  #stuck(): Error {
    return newDiskError('EIO', 'the disk takes no more bytes and gives no error', this.#path)
  }

  #closed(): Error {
    return newDiskError('EBADF', 'the file is closed', this.#path)
  }
}

type Done<T> = (error: unknown, value?: T) => void

function isPosition(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

export function sizeOf(buffers: readonly Uint8Array[]): number {
  let size = 0
  for (const buffer of buffers) size += buffer.length
  return size
}

/** What remains of `buffers` behind their first `size` bytes. */
function behind(buffers: readonly Uint8Array[], size: number): readonly Uint8Array[] {
  let index = 0
  let skip = size
  while (skip >= (buffers[index] as Uint8Array).length)
    skip -= (buffers[index++] as Uint8Array).length
  return [(buffers[index] as Uint8Array).subarray(skip), ...buffers.slice(index + 1)]
}
