// The content of one file: bytes that grow and shrink, zeros where nothing was ever written.

const CAPACITY_MIN = 512

export class GrowingBytes {
  #buffer: Buffer = Buffer.alloc(0)
  #size = 0

  get size(): number {
    return this.#size
  }

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length
    this.#reserve(end)
    this.#buffer.set(bytes, position)
    this.#size = Math.max(this.#size, end)
  }

  /** Shorter: the rest is gone. Longer: zeros. */
  resize(size: number): void {
    if (size < this.#size) this.#buffer.fill(0, size, this.#size)
    this.#reserve(size)
    this.#size = size
  }

  read(into: Uint8Array, position: number): number {
    const size = Math.max(0, Math.min(into.length, this.#size - position))
    into.set(this.#buffer.subarray(position, position + size))
    return size
  }

  copy(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#size))
  }

  become(other: GrowingBytes): void {
    this.#buffer = other.copy()
    this.#size = other.size
  }

  /** Bytes behind the size stay zero. */
  #reserve(capacity: number): void {
    if (capacity <= this.#buffer.length) return
    const larger = Buffer.alloc(Math.max(CAPACITY_MIN, capacity, this.#buffer.length * 2))
    larger.set(this.#buffer.subarray(0, this.#size))
    this.#buffer = larger
  }
}
