// Reads the records of one batch: the consumer's side of format v2 (layout.ts).
// Enters: the bytes of a batch. Leaves: a cursor of positions in `body`, one record at a time, without a view,
// string or object each; whoever wants a key or a value takes it from there.
import type { Compress } from '@minikafka/platform'
import { MinikafkaError } from '../errors.ts'
import { readBody, readSoundHeader } from './batch-body.ts'
import type { BatchHeader } from './header.ts'
import * as at from './layout.ts'

/** Of a varint of 32 and of 64 bits (SECURITY, row 38). */
const VARINT_BYTES_MAX = 5
const VARLONG_BYTES_MAX = 10

export class BatchReader {
  readonly header: BatchHeader
  /** The records, decompressed. A view of the batch where it came uncompressed. */
  readonly body: Buffer

  // The cursor: the record that the last next() reached. Sizes are -1 for null; positions are in `body`.
  offset = -1
  timestamp = -1
  keyStart = 0
  keySize = -1
  valueStart = 0
  valueSize = -1
  headersStart = 0
  headerCount = 0

  /** Where the record begins that next() reads, and goes back to when it is broken. */
  #start = 0
  #position = 0
  /** No field of the record lies beyond. Invariant: #position <= #limit <= body.length. */
  #limit = 0
  #recordsLeft: number
  #offsetDelta = -1

  /**
   * Checks the CRC and decompresses, once.
   *
   * Shape   `batch`: exactly one batch. `compress.prepare(header.compression)` has resolved before.
   * Errors  CORRUPT_MESSAGE, INVALID_RECORD, UNSUPPORTED_COMPRESSION_TYPE, each with the base offset.
   */
  constructor(batch: Uint8Array, compress: Compress, sizeMax = at.BODY_BYTES_MAX) {
    this.header = readSoundHeader(batch)
    this.body = readBody(batch, this.header, compress, sizeMax)
    this.#recordsLeft = this.header.recordCount
  }

  /** Where to go on after this batch, whether it was read, broken, or compacted at its end. */
  get nextOffset(): number {
    return this.header.lastOffset + 1
  }

  /**
   * Moves the cursor to the next record; false at the end.
   *
   * Errors  INVALID_RECORD with the offset of the broken record; asked again it throws again.
   */
  next(): boolean {
    this.#start = this.#position
    this.#limit = this.body.length
    if (this.#recordsLeft === 0) return this.#end()
    this.#enterRecord()
    const timestampDelta = this.#varlong()
    const offsetDelta = this.#varint()
    const keySize = this.#varint()
    const keyStart = this.#skip(keySize)
    const valueSize = this.#varint()
    const valueStart = this.#skip(valueSize)
    const headerCount = this.#varint()
    const headersStart = this.#position
    if (headerCount !== 0) this.#skipHeaders(headerCount)
    if (this.#position !== this.#limit) this.#refuse('does not end where its size says')
    this.#setTimestamp(timestampDelta)
    this.#setOffset(offsetDelta)
    this.keyStart = keyStart
    this.keySize = keySize
    this.valueStart = valueStart
    this.valueSize = valueSize
    this.headersStart = headersStart
    this.headerCount = headerCount
    this.#recordsLeft--
    return true
  }

  /** The following next() yields the first record at or above `offset`. Errors as in next(). */
  skipTo(offset: number): void {
    let left = this.#recordsLeft
    let delta = this.#offsetDelta
    while (this.header.baseOffset + delta < offset - 1 && this.next()) {
      if (this.offset >= offset) {
        this.#position = this.#start
        this.#recordsLeft = left
        this.#offsetDelta = delta
        return
      }
      left = this.#recordsLeft
      delta = this.#offsetDelta
    }
  }

  #end(): false {
    if (this.#position !== this.#limit) this.#refuse('is one more than the batch header counts')
    return false
  }

  #enterRecord(): void {
    const size = this.#varint()
    const end = this.#position + size
    if (size < at.RECORD_SIZE_MIN - 1) this.#refuse(`has the size ${size}`)
    if (end > this.#limit) this.#refuse('is longer than the batch')
    this.#limit = end
    // The attributes of a record are unused.
    this.#position++
  }

  #setOffset(delta: number): void {
    if (delta <= this.#offsetDelta) this.#refuse(`comes after a record of the same or a higher offset`)
    if (delta > this.header.lastOffsetDelta) this.#refuse('is above the last offset of the batch')
    this.offset = this.header.baseOffset + delta
    this.#offsetDelta = delta
  }

  #setTimestamp(delta: number): void {
    const { header } = this
    if (header.timestampType === 'append') {
      this.timestamp = header.maxTimestamp
      return
    }
    const timestamp = header.baseTimestamp + delta
    if (!Number.isSafeInteger(timestamp)) this.#refuse('has a timestamp beyond 2^53')
    this.timestamp = timestamp
  }

  /** Steps over `size` bytes (-1: null, no bytes) and returns where they begin. */
  #skip(size: number): number {
    const start = this.#position
    if (size < 0) {
      if (size !== -1) this.#refuse(`has a field of size ${size}`)
      return start
    }
    if (start + size > this.#limit) this.#refuse('has a field that is longer than the record')
    this.#position = start + size
    return start
  }

  #skipHeaders(count: number): void {
    if (count < 0) this.#refuse(`has ${count} headers`)
    // Ends early when the bytes do: a count of 2^31 costs nothing.
    for (let index = 0; index < count; index++) {
      const nameSize = this.#varint()
      if (nameSize < 0) this.#refuse('has a header without a name')
      this.#skip(nameSize)
      this.#skip(this.#varint())
    }
  }

  #varint(): number {
    const value = this.#number(VARINT_BYTES_MAX)
    if (value !== (value | 0)) this.#refuse('has a number beyond 32 bits')
    return value
  }

  #varlong(): number {
    return this.#number(VARLONG_BYTES_MAX)
  }

  #number(bytesMax: number): number {
    const position = this.#position
    const limit = this.#limit
    if (position >= limit) this.#refuse('ends within a field')
    const first = this.body[position] as number
    if (first < 0x80) {
      this.#position = position + 1
      return (first >>> 1) ^ -(first & 1)
    }
    // Nearly every number has one byte or two; zero as the second would not be the shortest form.
    const second = position + 1 < limit ? (this.body[position + 1] as number) : 0
    if (second > 0 && second < 0x80) {
      this.#position = position + 2
      const bits = (first & 0x7f) | (second << 7)
      return (bits >>> 1) ^ -(bits & 1)
    }
    return this.#longNumber(first, bytesMax)
  }

  #longNumber(first: number, bytesMax: number): number {
    const start = this.#position
    let magnitude = (first & 0x7f) >>> 1
    let scale = 0x40
    for (let position = start + 1; position < this.#limit; position++) {
      if (position - start === bytesMax) this.#refuse('has a number that is too long')
      const byte = this.body[position] as number
      magnitude += (byte & 0x7f) * scale
      scale *= 0x80
      if (byte >= 0x80) continue
      if (byte === 0) this.#refuse('has a number that is not in its shortest form')
      if (position - start === VARLONG_BYTES_MAX - 1 && byte > 1) {
        this.#refuse('has a number beyond 64 bits')
      }
      this.#position = position + 1
      return (first & 1) === 0 ? magnitude : -1 - magnitude
    }
    return this.#refuse('ends within a number')
  }

  #refuse(problem: string): never {
    const offset = this.header.baseOffset + this.#offsetDelta + 1
    this.#position = this.#start
    throw new MinikafkaError('INVALID_RECORD', {
      message: `The record at offset ${offset} ${problem}.`,
      offset,
    })
  }
}
