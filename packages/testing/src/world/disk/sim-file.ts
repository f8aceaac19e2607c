// An open file. Appends finish in the call or later, as the seed says; what was lent is compared when
// they do, so that a buffer used again too early is found.
import { assert, type File } from '@minikafka/platform'
import type { Ground } from '../ground.ts'
import type { Death, Process, Resource } from '../process.ts'
import type { DiskState } from './disk-state.ts'
import type { FileImage } from './file-image.ts'
import { diskError } from './tree.ts'

type Write = { readonly position: number; readonly bytes: Buffer }

/** Fills what was lent to a read until the bytes are there. */
const GARBAGE = Buffer.alloc(2 ** 16, 0xdb)

export class SimFile implements File, Resource {
  readonly about: string
  readonly #ground: Ground
  readonly #owner: Process
  readonly #disk: DiskState
  readonly #image: FileImage
  readonly #path: string
  readonly #writable: boolean
  readonly #writing = new Set<Write>()
  #open = true

  constructor(
    ground: Ground,
    owner: Process,
    disk: DiskState,
    file: { image: FileImage; path: string; writable: boolean },
  ) {
    this.#ground = ground
    this.#owner = owner
    this.#disk = disk
    this.#image = file.image
    this.#path = file.path
    this.#writable = file.writable
    this.about = `open file ${file.path}`
    owner.holds(this)
  }

  append(buffers: readonly Uint8Array[], position: number): undefined | Promise<void> {
    assert(Number.isSafeInteger(position) && position >= 0, 'a position is a whole number')
    const write = { position, bytes: Buffer.concat(buffers) }
    this.#ground.hash.bytes(write.bytes)
    const { dice, stalled } = this.#disk
    if (this.#open && this.#owner.alive && !stalled && dice.chance(0.5)) {
      this.#write(write)
      return undefined
    }
    this.#writing.add(write)
    return this.#later('disk append', () => {
      this.#writing.delete(write)
      assertUntouched(buffers, write.bytes)
      this.#write(write)
    })
  }

  sync(): Promise<void> {
    const mark = this.#image.mark()
    return this.#later('disk sync', () => {
      if (this.#disk.failingFileSyncs.strikes(this.#path)) {
        this.#image.forgetTo(mark)
        throw diskError('EIO', 'fdatasync', this.#path)
      }
      this.#image.syncTo(mark)
    })
  }

  read(into: Uint8Array, position: number): Promise<number> {
    into.fill(0xdb)
    return this.#later('disk read', () => {
      assert(isGarbage(into), 'a buffer lent to read() is left alone until the promise settles')
      throwIfUnreadable(this.#disk, this.#image, this.#path, position, into.length)
      return this.#image.read(into, position)
    })
  }

  truncate(size: number): Promise<void> {
    return this.#later('disk truncate', () => {
      this.#checkWritable('ftruncate')
      const before = this.#image.size
      this.#image.apply({ type: 'resize', size }, this.#nowMs())
      this.#disk.take(size - before)
    })
  }

  size(): Promise<number> {
    return this.#later('disk size', () => this.#image.size)
  }

  close(): Promise<void> {
    assert(this.#writing.size === 0, `a file is closed when its writes are done: ${this.#path}`)
    if (!this.#open) return Promise.resolve()
    return this.#later('disk close', () => {
      this.#open = false
      this.#owner.releases(this)
    })
  }

  /** What was under way when the process died: done, begun or not. */
  died(_how: Death): void {
    this.#open = false
    const { dice } = this.#disk
    for (const { position, bytes } of this.#writing) {
      const size = dice.chance(0.5) ? bytes.length : dice.below(bytes.length + 1)
      this.#put({ position, bytes: bytes.subarray(0, size) })
    }
    this.#writing.clear()
  }

  #later<T>(label: string, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const delayMs = this.#disk.drawDelayMs()
      this.#ground.scheduler.schedule(this.#owner, 'io', label, delayMs, () => {
        if (!this.#open) return reject(diskError('EBADF', label, this.#path))
        settle(work, resolve, reject)
      })
    })
  }

  #write(write: Write): void {
    this.#checkWritable('write')
    const { freeBytes, fullCode, failingWrites } = this.#disk
    const growth = write.position + write.bytes.length - this.#image.size
    if (this.#image.badSectors.refuse(write.position, write.bytes)) this.#fail(write, 0, 'EIO')
    if (failingWrites.strikes(this.#path)) this.#fail(write, write.bytes.length, 'EIO')
    if (growth <= freeBytes) this.#put(this.#misdirected(write))
    // A full disk takes a part: some of what would have fitted is there.
    else this.#fail(write, Math.max(0, write.bytes.length - growth + freeBytes), fullCode)
  }

  /** Some of what may be there is. */
  #fail({ position, bytes }: Write, sizeMax: number, code: string): never {
    const size = this.#disk.dice.below(Math.min(sizeMax, bytes.length) + 1)
    this.#put({ position, bytes: bytes.subarray(0, size) })
    throw diskError(code, 'write', this.#path)
  }

  /** The disk put it somewhere else. In its own place stands what stood there, or nothing. */
  #misdirected(write: Write): Write {
    const elsewhere = this.#disk.takeMisdirection(this.#image)
    if (elsewhere === undefined) return write
    const { position, bytes } = write
    elsewhere.image.rot(elsewhere.position, (_, index) => bytes[index] as number, bytes.length)
    const untouched = Buffer.alloc(bytes.length)
    this.#image.read(untouched, position)
    return { position, bytes: untouched }
  }

  #put({ position, bytes }: Write): void {
    if (bytes.length === 0) return
    const before = this.#image.size
    this.#image.apply({ type: 'write', position, bytes }, this.#nowMs())
    this.#disk.take(this.#image.size - before)
  }

  #checkWritable(call: string): void {
    if (!this.#writable) throw diskError('EBADF', call, this.#path)
  }

  #nowMs(): number {
    return this.#disk.clock.wallMs()
  }
}

export function throwIfUnreadable(
  { failingReads }: DiskState,
  { badSectors, size }: FileImage,
  path: string,
  position: number,
  sizeMax: number,
): void {
  const readSize = Math.max(0, Math.min(sizeMax, size - position))
  if (badSectors.meet(position, readSize) || failingReads.strikes(path)) {
    throw diskError('EIO', 'read', path)
  }
}

/** Errors of the disk reject; a broken assertion is the caller's fault and ends its process. */
export function settle<T>(
  work: () => T,
  resolve: (value: T) => void,
  reject: (error: unknown) => void,
): void {
  try {
    resolve(work())
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    reject(error)
  }
}

function isGarbage(bytes: Uint8Array): boolean {
  for (let from = 0; from < bytes.length; from += GARBAGE.length) {
    const size = Math.min(GARBAGE.length, bytes.length - from)
    if (GARBAGE.compare(bytes, from, from + size, 0, size) !== 0) return false
  }
  return true
}

function assertUntouched(buffers: readonly Uint8Array[], bytes: Buffer): void {
  let position = 0
  for (const buffer of buffers) {
    const sent = bytes.subarray(position, position + buffer.length)
    assert(
      sent.equals(buffer),
      'a buffer lent to append() stays as it was until the promise settles',
    )
    position += buffer.length
  }
}
