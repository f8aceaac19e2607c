// Bytes -> frames, read in place. Enters: chunks, at the memory that `target` offers. Leaves: whole frames as views.
//
// Three kinds of memory (PERFORMANCE 4). While nothing is expected, a small *doorstep* of the connection's own, from
// which what comes is copied once. Then *slabs*, which small frames share. A *large* frame gets a buffer of exactly
// its size, from the pool. A length is checked before anything is allocated for it, and memory never runs far ahead of what has
// arrived (SECURITY "Length first"). What is allocated is charged; the doorstep is not.
import { Buffer } from 'node:buffer'
import { assert } from '@minikafka/platform'
import { LENGTH_SIZE } from '../codec/index.ts'
import { MinikafkaError } from '../errors.ts'
import type { FramePool } from './frame-pool.ts'

const DOORSTEP_SIZE = 4 * 1024
const SLAB_SIZE_FIRST = 16 * 1024
/** After a slab that was filled: more is coming. */
const SLAB_SIZE_BUSY = 64 * 1024
/** Reads into less than this are not worth a system call. */
const ROOM_MIN = 2 * 1024
/** First buffer of a large frame; each next one is at most so many times what has arrived. */
const LARGE_SIZE_FIRST = 32 * 1024
const AHEAD_FACTOR = 16
/** Without room it grows by one part in so many: a port may bring more than was asked for, and copies cost, too. */
const SHORT_STEPS = 8
/** Too little for the items that every message has. */
const FRAME_SIZE_MIN = 5

export type FrameMemory = {
  charge(bytes: number): void
  release(bytes: number): void
  /** So much more may be taken; beyond it no more is allocated than must be. */
  readonly room: number
}

export class FrameReader {
  /** Largest frame read; may be changed between frames. */
  frameBytesMax: number
  readonly #memory: FrameMemory
  readonly #pool: FramePool | undefined
  #doorstep: Buffer | undefined

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

  /** What `target` returned, until `received`. */
  #lent:
    | { readonly place: 'doorstep' | 'slab' | 'large' | 'none'; readonly size: number }
    | undefined
  /** The last read left nothing free: probably more is waiting. */
  #wasFilled = false
  /** Nothing is wanted any more; what comes is forgotten. */
  #isDiscarding = false

  /**
   * What it holds is charged to `memory`; so is each frame that `next` returns, and its taker releases it. Where there is
   * a `pool`, the taker of a frame may let its memory go as well.
   */
  constructor(frameBytesMax: number, memory: FrameMemory, pool?: FramePool) {
    this.frameBytesMax = frameBytesMax
    this.#memory = memory
    this.#pool = pool
  }

  /** Free memory to read into; lent until `received`. */
  target(): Buffer {
    if (this.#isDiscarding) return this.#lend('none', this.#doorstepBuffer(), 0)
    if (this.#large === undefined && this.#needsLarge()) this.#beginLarge()
    if (this.#large !== undefined && this.#largeFilled < this.#largeSize) {
      if (this.#largeFilled === this.#large.length) this.#growLarge(this.#large)
      return this.#lend('large', this.#large, this.#largeFilled)
    }
    if (this.#start < this.#end || this.#large !== undefined || this.#wasFilled) {
      return this.#lend('slab', this.#roomySlab(), this.#end)
    }
    this.#dropSlab()
    return this.#lend('doorstep', this.#doorstepBuffer(), 0)
  }

  #lend(place: 'doorstep' | 'slab' | 'large' | 'none', memory: Buffer, from: number): Buffer {
    this.#lent = { place, size: memory.length - from }
    return memory.subarray(from)
  }

  /** `size` bytes stand at the start of the last target. */
  received(size: number): void {
    const lent = this.#lent
    assert(lent !== undefined, 'a target was asked for before bytes arrive')
    this.#lent = undefined
    if (this.#isDiscarding) return
    // A large frame's buffer is filled by the frame itself, and says nothing of what comes then.
    this.#wasFilled = size === lent.size && lent.place !== 'large'
    if (lent.place === 'large') this.#largeFilled += size
    else if (lent.place === 'slab') this.#end += size
    else this.#enter((this.#doorstep as Buffer).subarray(0, size))
  }

  /** From the doorstep into a slab that is just large enough. */
  #enter(bytes: Buffer): void {
    this.#dropSlab()
    this.#slab = this.#allocate(bytes.length)
    this.#slab.set(bytes)
    this.#end = bytes.length
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
    if (size === undefined) return this.#nothingYet()
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

  /** An idle connection holds no slab. */
  #nothingYet(): undefined {
    const isIdle = this.#start === this.#end && !this.#wasFilled && this.#lent === undefined
    if (isIdle) this.#dropSlab()
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

  /** From now on what arrives is forgotten, until `close`. */
  discard(): void {
    // The socket stays, and what it reads next still goes into what was lent to it.
    if (this.#lent?.place === 'large') this.#pool?.giveAway((this.#large as Buffer).buffer)
    this.close()
    this.#isDiscarding = true
  }

  close(): void {
    this.#dropSlab()
    if (this.#large !== undefined) this.#dropLarge(this.#large)
    this.#large = undefined
  }

  #doorstepBuffer(): Buffer {
    this.#doorstep ??= Buffer.allocUnsafeSlow(DOORSTEP_SIZE)
    return this.#doorstep
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
    return !fits && sizeAll > Math.min(SLAB_SIZE_FIRST / 2, this.#pool?.sizeMin ?? SLAB_SIZE_FIRST)
  }

  #beginLarge(): void {
    const size = this.#announced() as number
    const arrived = this.pending().subarray(LENGTH_SIZE)
    const large = this.#takeForLarge(Math.min(size, this.#largeSizeFor(arrived.length, size)))
    large.set(arrived)
    this.#large = large
    this.#largeSize = size
    this.#largeFilled = arrived.length
    this.#dropSlab()
  }

  #growLarge(large: Buffer): void {
    const size = Math.min(this.#largeSize, this.#largeSizeFor(large.length, this.#largeSize))
    const grown = this.#takeForLarge(size)
    grown.set(large)
    this.#dropLarge(large)
    this.#large = grown
  }

  /** Who has sent such a frame before is believed at once. */
  #largeSizeFor(arrivedSize: number, size: number): number {
    const ahead = Math.max(LARGE_SIZE_FIRST, AHEAD_FACTOR * arrivedSize)
    const wanted = size <= 2 * this.#largestSeen ? size : ahead
    const least = arrivedSize + Math.max(DOORSTEP_SIZE, Math.ceil(arrivedSize / SHORT_STEPS))
    return Math.max(2 * DOORSTEP_SIZE, least, Math.min(wanted, this.#memory.room))
  }

  /** The slab, or a new one that begins with what is not yet taken: frames taken earlier keep the old one alive. */
  #roomySlab(): Buffer {
    const slab = this.#slab
    const waiting = this.pending()
    const frameSize = LENGTH_SIZE + Math.min(this.#announced() ?? 0, this.frameBytesMax)
    const isCutOff = waiting.length > 0 && this.#start + frameSize > (slab?.length ?? 0)
    if (slab !== undefined && slab.length - this.#end >= ROOM_MIN && !isCutOff) return slab
    const isSlabFilled = slab !== undefined && slab.length >= SLAB_SIZE_FIRST && this.#wasFilled
    this.#slabSize = isSlabFilled ? SLAB_SIZE_BUSY : SLAB_SIZE_FIRST
    const size = this.#memory.room < this.#slabSize ? DOORSTEP_SIZE : this.#slabSize
    const moved = this.#allocate(
      Math.max(size, isCutOff ? frameSize : 0, waiting.length + ROOM_MIN),
    )
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

  #takeForLarge(size: number): Buffer {
    if (this.#pool === undefined) return this.#allocate(size)
    this.#memory.charge(size)
    return this.#pool.take(size)
  }

  #dropLarge(large: Buffer): void {
    this.#memory.release(large.length)
    this.#pool?.letGo(large.buffer)
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
