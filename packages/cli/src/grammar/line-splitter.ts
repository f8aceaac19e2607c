// Bytes to lines: split at a delimiter, without it. Enters: chunks. Leaves: one line after the other.
import { BadInput } from '../failures.ts'

/** Longer than any record that a broker takes. */
const LINE_BYTES_MAX = 16 * 1024 * 1024

export class LineSplitter {
  readonly #delimiter: Buffer
  #bytes: Buffer = Buffer.alloc(0)
  #position = 0
  /** Up to here there is no delimiter: a long line is not searched again with every chunk. */
  #searched = 0
  #ended = false
  /** Number of the line that `next` gave last, from 1. */
  number = 0

  constructor(delimiter: Buffer) {
    this.#delimiter = delimiter
  }

  /** Takes a chunk; lines are views of it. */
  push(chunk: Buffer): void {
    const rest = this.#bytes.subarray(this.#position)
    if (rest.length > LINE_BYTES_MAX)
      throw new BadInput(`line ${this.number + 1} is longer than ${LINE_BYTES_MAX} bytes`)
    this.#bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    this.#position = 0
    this.#searched = Math.max(0, rest.length - this.#delimiter.length + 1)
  }

  /** No more chunks: what is left is the last line, without its delimiter. */
  end(): void {
    this.#ended = true
  }

  next(): Buffer | undefined {
    const from = this.#position
    const at = this.#bytes.indexOf(this.#delimiter, Math.max(from, this.#searched))
    if (at === -1) return this.#last()
    this.#position = at + this.#delimiter.length
    this.#searched = this.#position
    this.number++
    return this.#bytes.subarray(from, at)
  }

  #last(): Buffer | undefined {
    if (!this.#ended || this.#position >= this.#bytes.length) return undefined
    const line = this.#bytes.subarray(this.#position)
    this.#position = this.#bytes.length
    this.number++
    return line
  }
}
