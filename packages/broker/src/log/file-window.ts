// A window that moves forward over a file. Enters: positions and sizes. Leaves: bytes in one reused buffer.
import { assert, type File } from '@minikafka/platform'

/** A file as those see it who only read. */
export type Reads = Pick<File, 'read'>

export class FileWindow {
  /** What `need` promised; valid until the next `need`. */
  buffer: Buffer
  readonly #file: Reads
  /** The file ends here, whatever is appended meanwhile. */
  readonly #end: number
  /** Position in the file of the first byte of the buffer, and how many are filled. */
  #start = 0
  #filled = 0

  constructor(file: Reads, end: number, windowSize: number) {
    this.#file = file
    this.#end = end
    this.buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(windowSize, end)))
  }

  /**
   * Brings `[position, position + size)` into the buffer.
   *
   * Shape   positions never go back. Returns where in `buffer` they begin, at once where they are there.
   * Errors  DiskError; `undefined` where the file is shorter than it was said to be.
   */
  need(position: number, size: number): number | undefined | Promise<number | undefined> {
    assert(position >= this.#start, 'a window moves forward')
    assert(position + size <= this.#end, 'a window ends with its file')
    if (position + size <= this.#start + this.#filled) return position - this.#start
    return this.#fill(position, size)
  }

  async #fill(position: number, size: number): Promise<number | undefined> {
    const kept = this.#keep(position, size)
    const wanted = Math.min(this.buffer.length, this.#end - position)
    while (this.#filled < wanted) {
      const into = this.buffer.subarray(this.#filled, wanted)
      const read = await this.#file.read(into, this.#start + this.#filled)
      if (read === 0) break
      this.#filled += read
    }
    assert(this.#filled >= kept, 'reading keeps what was there')
    return this.#filled < size ? undefined : 0
  }

  /** Moves what is already there to the front, into a larger buffer where `size` asks for it. */
  #keep(position: number, size: number): number {
    const from = Math.min(position - this.#start, this.#filled)
    const target = size > this.buffer.length ? Buffer.allocUnsafeSlow(size) : this.buffer
    this.buffer.copy(target, 0, from, this.#filled)
    this.buffer = target
    this.#filled -= from
    this.#start = position
    return this.#filled
  }
}
