// Memory of large frames, used again: a fresh MiB costs 256 page faults, and a garbage collector that hurries because of
// it takes as much time as all the rest (PERFORMANCE 4). Enters: sizes, and who holds which memory. Leaves: buffers.
//
// It is safe to forget to let go: what somebody holds for ever, or what is read by those who cannot tell when they
// are done, goes to the garbage collector like any other memory. Only what was let go by all is used again.
import { Buffer } from 'node:buffer'
import type { Random } from '@minikafka/platform'

/** Smaller frames are not worth the counting. */
const SIZE_MIN = 32 * 1024
const SIZE_MIN_SIMULATED = 128
const PAGE_SIZE = 4 * 1024
/** Memory that is larger than needed by more than a part in so many is left for others: a frame is charged by its size. */
const SLACK_PART = 8
/** So many at least can wait; larger ones are not kept. */
const IDLE_MIN = 3
/** Sizes are rounded up by at most a part in so many, so that frames of nearly one size share memory. */
const ROUNDING_PART = 8

export class FramePool {
  #idleBytesMax: number
  /** Memory for less is not taken from here. In the simulated world most frames are large. */
  readonly sizeMin: number
  readonly #random: Pick<Random, 'buggify'>
  /** How many hold what was taken. Weak: what nobody lets go is garbage when nobody can reach it. */
  readonly #holders = new WeakMap<ArrayBufferLike, number>()
  /** Held by nobody, in the order in which it was let go. Invariant: at most idleBytesMax together. */
  readonly #idle: ArrayBufferLike[] = []
  #idleBytes = 0

  constructor(idleBytesMax: number, random: Pick<Random, 'buggify'>) {
    this.#idleBytesMax = idleBytesMax
    this.#random = random
    this.sizeMin = random.buggify('frames-small-reused', 0.8) ? SIZE_MIN_SIMULATED : SIZE_MIN
  }

  get idleBytes(): number {
    return this.#idleBytes
  }

  /** Where memory is short, less waits. */
  setIdleBytesMax(bytes: number): void {
    this.#idleBytesMax = bytes
    this.#shrink()
  }

  /** `size` bytes with any content, at the start of memory of their own, held once. */
  take(size: number): Buffer {
    if (size < this.sizeMin) return Buffer.allocUnsafeSlow(size)
    const memory = this.#idleOf(size) ?? Buffer.allocUnsafeSlow(rounded(size)).buffer
    this.#holders.set(memory, 1)
    return Buffer.from(memory as ArrayBuffer, 0, size)
  }

  /** Once more; who holds it lets it go. Nothing happens where it does not come from here. */
  hold(memory: ArrayBufferLike): void {
    const holders = this.#holders.get(memory)
    if (holders !== undefined) this.#holders.set(memory, holders + 1)
  }

  letGo(memory: ArrayBufferLike): void {
    const holders = this.#holders.get(memory)
    if (holders === undefined) return
    if (holders > 1) {
      this.#holders.set(memory, holders - 1)
      return
    }
    this.#holders.delete(memory)
    this.#keep(memory)
  }

  /** Somebody uses it who will not tell when that ends: it is never used again here. */
  giveAway(memory: ArrayBufferLike): void {
    this.#holders.delete(memory)
  }

  #keep(memory: ArrayBufferLike): void {
    // One that is very large would drive out all others.
    if (memory.byteLength > this.#idleBytesMax / IDLE_MIN) return
    // Whoever still looks at it would find the next frame there: in the simulated world it finds garbage at once.
    if (this.#random.buggify('frame-memory-spoilt', 0.9)) new Uint8Array(memory).fill(0xdb)
    this.#idle.push(memory)
    this.#idleBytes += memory.byteLength
    this.#shrink()
  }

  #shrink(): void {
    while (this.#idleBytes > this.#idleBytesMax) {
      this.#idleBytes -= (this.#idle.shift() as ArrayBufferLike).byteLength
    }
  }

  /** The newest that fits is the most likely to be in the processor's cache. At most 256 are looked at: 18 µs. */
  #idleOf(size: number): ArrayBufferLike | undefined {
    const largest = size + size / SLACK_PART
    const index = this.#idle.findLastIndex(
      ({ byteLength }) => byteLength >= size && byteLength <= largest,
    )
    if (index === -1) return undefined
    const [memory] = this.#idle.splice(index, 1)
    this.#idleBytes -= memory?.byteLength ?? 0
    return memory
  }
}

function rounded(size: number): number {
  if (size < SIZE_MIN) return size
  const step = Math.max(PAGE_SIZE, 2 ** Math.floor(Math.log2(size)) / ROUNDING_PART)
  return Math.ceil(size / step) * step
}
