// Batch buffers, recycled: a fresh MiB costs 256 page faults (PERFORMANCE 3).
// A buffer comes back only when its batch is settled and its write callback has fired (behaviour 31).
import { assert } from '@minikafka/platform'

const CLASS_BYTES_MIN = 16 * 2 ** 10

export class BufferPool {
  /** Free buffers by size class; class n holds 16 KiB << n. */
  readonly #free: Buffer[][] = []
  readonly #classBytesMax: number
  readonly #pooledBytesMax: number
  #pooledBytes = 0

  /** `largest`: the size of a full batch. `pooledBytesMax`: what is kept for later, at most. */
  constructor(largest: number, pooledBytesMax: number) {
    this.#classBytesMax = largest
    this.#pooledBytesMax = pooledBytesMax
  }

  get pooledBytes(): number {
    return this.#pooledBytes
  }

  /** A buffer of at least `size` bytes: of the smallest class that has them, or made to measure above the largest. */
  take(size: number): Buffer {
    if (size > this.#classBytesMax) return Buffer.allocUnsafeSlow(size)
    const index = classOf(size)
    const buffer = this.#free[index]?.pop()
    if (buffer === undefined) return Buffer.allocUnsafeSlow(CLASS_BYTES_MIN << index)
    this.#pooledBytes -= buffer.length
    return buffer
  }

  /** Takes a buffer back. One made to measure, or one too many, is left to the collector. */
  give(buffer: Buffer): void {
    const index = classOf(buffer.length)
    if (buffer.length !== CLASS_BYTES_MIN << index) return
    if (this.#pooledBytes + buffer.length > this.#pooledBytesMax) return
    this.#free[index] ??= []
    const free = this.#free[index] as Buffer[]
    assert(!free.includes(buffer), 'a buffer comes back once')
    free.push(buffer)
    this.#pooledBytes += buffer.length
  }
}

function classOf(size: number): number {
  if (size <= CLASS_BYTES_MIN) return 0
  return 32 - Math.clz32(Math.ceil(size / CLASS_BYTES_MIN) - 1)
}
