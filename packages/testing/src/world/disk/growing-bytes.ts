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

  /** Byte by byte, as far as there are bytes. */
  change(position: number, size: number, change: (byte: number, index: number) => number): void {
    const end = Math.min(this.#size, position + size)
    for (let at = position; at < end; at++) {
      this.#buffer[at] = change(this.#buffer[at] as number, at - position)
    }
  }

  read(into: Uint8Array, position: number): number {
    const size = Math.max(0, Math.min(into.length, this.#size - position))
    into.set(this.#buffer.subarray(position, position + size))
    return size
  }

  copy(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#size))
  }

  equals(other: GrowingBytes): boolean {
    if (this.#size !== other.#size) return false
    return this.#buffer.compare(other.#buffer, 0, this.#size, 0, this.#size) === 0
  }

  become(other: GrowingBytes): void {
    this.replace(other.#buffer.subarray(0, other.#size))
  }

  replace(content: Buffer): void {
    this.#buffer = Buffer.from(content)
    this.#size = content.length
  }

  /** Bytes behind the size stay zero. */
  #reserve(capacity: number): void {
    if (capacity <= this.#buffer.length) return
    const larger = Buffer.alloc(Math.max(CAPACITY_MIN, capacity, this.#buffer.length * 2))
    larger.set(this.#buffer.subarray(0, this.#size))
    this.#buffer = larger
  }
}
