// Bytes -> frames, read in place. Enters: chunks, at the memory that `target` offers. Leaves: whole frames as views.
//
// Small frames share slabs, a large one gets a buffer of exactly its size. A length is checked before anything is
// allocated for it, and memory never runs far ahead of what has arrived (SECURITY "Length first", PERFORMANCE 4).
import { Buffer } from 'node:buffer'
import { assert } from '@minikafka/platform'
import { LENGTH_SIZE } from '../codec/index.ts'
import { MinikafkaError } from '../errors.ts'

const SLAB_SIZE_FIRST = 16 * 1024
/** Of a connection that has filled its first slab. */
const SLAB_SIZE_BUSY = 64 * 1024
/** Reads into less than this are not worth a system call. */
const ROOM_MIN = 2 * 1024
/** First buffer of a large frame; each next one is at most so many times what has arrived. */
const LARGE_SIZE_FIRST = 32 * 1024
const AHEAD_FACTOR = 16
/** Too little for the items that every message has. */
const FRAME_SIZE_MIN = 5

export type FrameMemory = { charge(bytes: number): void; release(bytes: number): void }

export class FrameReader {
  /** Largest frame read; may be changed between frames. */
  frameBytesMax: number
  readonly #memory: FrameMemory

  #slab: Buffer | undefined
  #slabSize = SLAB_SIZE_FIRST
  /** Invariant: 0 <= start <= end <= slab size; between them lies what was received and not yet taken. */
  #start = 0
  #end = 0

  /** A frame that does not fit into the slab. Invariant: filled <= large.length <= largeSize. */
  #large: Buffer | undefined
  #largeSize = 0
  #largeFilled = 0
  #largestSeen = 0

  /** Where the target that is lent at the moment lies. */
  #lent: 'slab' | 'large' | 'scratch' | undefined
  /** Set once nothing is wanted any more: all that comes goes there. */
  #scratch: Buffer | undefined

  /** What it holds is charged to `memory`; so is each frame that `next` returns, and its taker releases it. */
  constructor(frameBytesMax: number, memory: FrameMemory) {
    this.frameBytesMax = frameBytesMax
    this.#memory = memory
  }

  /** Free memory to read into; lent until `received`. */
  target(): Buffer {
    if (this.#scratch !== undefined) return this.#lend('scratch', this.#scratch, 0)
    if (this.#large === undefined && this.#needsLarge()) this.#beginLarge()
    if (this.#large !== undefined && this.#largeFilled < this.#largeSize) {
      if (this.#largeFilled === this.#large.length) this.#growLarge(this.#large)
      return this.#lend('large', this.#large, this.#largeFilled)
    }
    return this.#lend('slab', this.#roomySlab(), this.#end)
  }

  #lend(place: 'slab' | 'large' | 'scratch', memory: Buffer, from: number): Buffer {
    this.#lent = place
    return memory.subarray(from)
  }

  /** `size` bytes stand at the start of the last target. */
  received(size: number): void {
    assert(this.#lent !== undefined, 'a target was asked for before bytes arrive')
    if (this.#lent === 'slab' && this.#scratch === undefined) this.#end += size
    if (this.#lent === 'large' && this.#scratch === undefined) this.#largeFilled += size
    this.#lent = undefined
  }

  /**
   * The next whole frame, length prefix excluded; undefined: it is not whole yet.
   *
   * Shape   a view of a slab that is never written again there, or of a buffer of its own.
   * Errors  FRAME_TOO_LARGE {max}; INVALID_REQUEST where the length is too short for any message.
   */
  next(): Buffer | undefined {
    if (this.#large !== undefined) return this.#takeLarge(this.#large)
    const size = this.#announced()
    if (size === undefined) return undefined
    if (size < FRAME_SIZE_MIN) {
      throw new MinikafkaError('INVALID_REQUEST', { message: `A frame cannot have ${size} bytes.` })
    }
    if (size > this.frameBytesMax) throw tooLarge(size, this.frameBytesMax)
    const frameStart = this.#start + LENGTH_SIZE
    if (this.#end - frameStart < size) return undefined
    this.#start = frameStart + size
    this.#memory.charge(size)
    return (this.#slab as Buffer).subarray(frameStart, this.#start)
  }

  #takeLarge(large: Buffer): Buffer | undefined {
    if (this.#largeFilled < this.#largeSize) return undefined
    this.#large = undefined
    this.#largestSeen = Math.max(this.#largestSeen, large.length)
    return large
  }

  /** True: `next` will return a frame, or throw. */
  get hasNext(): boolean {
    if (this.#large !== undefined) return this.#largeFilled === this.#largeSize
    const size = this.#announced()
    if (size === undefined) return false
    if (size < FRAME_SIZE_MIN || size > this.frameBytesMax) return true
    return this.#end - this.#start - LENGTH_SIZE >= size
  }

  /** Bytes of the frame that has begun to arrive, as far as is known; 0: none has. */
  get partialSize(): number {
    if (this.#large !== undefined) return this.#largeSize
    if (this.#start === this.#end) return 0
    return Math.min(this.#announced() ?? LENGTH_SIZE, this.frameBytesMax)
  }

  /** The frame that is arriving needs no more memory than it has. */
  get hasMemoryForFrame(): boolean {
    return this.#largeFilled < this.#largeSize && this.#large?.length === this.#largeSize
  }

  /** What was received and not yet taken; a view, for the first bytes of a connection. */
  pending(): Uint8Array {
    return this.#slab?.subarray(this.#start, this.#end) ?? new Uint8Array(0)
  }

  /** Gives the slab back where nothing is in it: an idle connection holds no memory. */
  trim(): void {
    if (this.#start === this.#end && this.#lent === undefined) this.#dropSlab()
  }

  /** From now on what arrives is forgotten, until `close`. */
  discard(): void {
    this.close()
    this.#scratch = Buffer.allocUnsafe(ROOM_MIN)
  }

  close(): void {
    this.#dropSlab()
    if (this.#large !== undefined) this.#memory.release(this.#large.length)
    this.#large = undefined
  }

  /** The length in front of the slab's first frame, unchecked. */
  #announced(): number | undefined {
    if (this.#end - this.#start < LENGTH_SIZE) return undefined
    return (this.#slab as Buffer).readUInt32BE(this.#start)
  }

  /** Is the slab's first frame cut off by the slab's end, and too large to be moved to the next slab? */
  #needsLarge(): boolean {
    const size = this.#announced()
    if (size === undefined || size > this.frameBytesMax) return false
    const sizeAll = LENGTH_SIZE + size
    const fits = this.#start + sizeAll <= (this.#slab as Buffer).length
    return !fits && sizeAll > this.#slabSize / 2
  }

  #beginLarge(): void {
    const size = this.#announced() as number
    const arrived = this.pending().subarray(LENGTH_SIZE)
    // Who has sent such a frame before is believed at once.
    const known = size <= 2 * this.#largestSeen
    const first = Math.max(LARGE_SIZE_FIRST, arrived.length * AHEAD_FACTOR)
    const large = this.#allocate(known ? size : Math.min(size, first))
    large.set(arrived)
    this.#large = large
    this.#largeSize = size
    this.#largeFilled = arrived.length
    this.#start = this.#end
  }

  #growLarge(large: Buffer): void {
    const grown = this.#allocate(Math.min(this.#largeSize, large.length * AHEAD_FACTOR))
    grown.set(large)
    this.#memory.release(large.length)
    this.#large = grown
  }

  /** The slab, or a new one that begins with what is not yet taken: frames taken earlier keep the old one alive. */
  #roomySlab(): Buffer {
    const slab = this.#slab
    const waiting = this.pending()
    const frameEnd =
      this.#start + LENGTH_SIZE + Math.min(this.#announced() ?? 0, this.frameBytesMax)
    const cutOff = slab !== undefined && waiting.length > 0 && frameEnd > slab.length
    if (slab !== undefined && slab.length - this.#end >= ROOM_MIN && !cutOff) return slab
    if (slab !== undefined) this.#slabSize = SLAB_SIZE_BUSY
    const moved = this.#allocate(Math.max(this.#slabSize, 2 * waiting.length))
    moved.set(waiting)
    this.#dropSlab()
    this.#slab = moved
    this.#end = waiting.length
    return moved
  }

  #allocate(size: number): Buffer {
    this.#memory.charge(size)
    return Buffer.allocUnsafeSlow(size)
  }

  #dropSlab(): void {
    if (this.#slab !== undefined) this.#memory.release(this.#slab.length)
    this.#slab = undefined
    this.#start = 0
    this.#end = 0
  }
}

function tooLarge(size: number, max: number): MinikafkaError {
  return new MinikafkaError('FRAME_TOO_LARGE', {
    message: `A frame of ${size} bytes was announced; at most ${max} are read.`,
    details: { max },
  })
}
