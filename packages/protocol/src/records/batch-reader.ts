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

  /** Where the record begins that next() reads. Invariant: #position <= body.length. */
  #position = 0
  /** Where the number ended that was read last, as far as it was not read in place. */
  #numberEnd = 0
  /** No field of the record lies beyond. Invariant: #limit <= body.length. */
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

  /** Where in `body` the record begins that next() reads: the one under the cursor ends there. */
  get position(): number {
    return this.#position
  }

  /**
   * Moves the cursor to the next record; false at the end.
   *
   * Six numbers are read in place where they have one byte, as most do: a call for each would double the price
   * of a record (scripts/bench-records.ts). What such a byte says beyond the record's end does no harm, for a
   * record that is not used up exactly is refused below.
   *
   * Errors  INVALID_RECORD with the offset of the broken record; asked again it throws again.
   */
  next(): boolean {
    if (this.#recordsLeft === 0) return this.#end()
    const body = this.body
    this.#limit = body.length
    let position = this.#position
    let byte = body[position++] as number
    const size = byte < 0x80 ? (byte >>> 1) ^ -(byte & 1) : this.#long32(byte, position)
    if (byte >= 0x80) position = this.#numberEnd
    const end = position + size
    this.#enterRecord(size, end)
    // The attributes of a record are unused.
    position++

    byte = body[position++] as number
    const timestampDelta = byte < 0x80 ? (byte >>> 1) ^ -(byte & 1) : this.#long64(byte, position)
    if (byte >= 0x80) position = this.#numberEnd

    byte = body[position++] as number
    const offsetDelta = byte < 0x80 ? (byte >>> 1) ^ -(byte & 1) : this.#long32(byte, position)
    if (byte >= 0x80) position = this.#numberEnd

    byte = body[position++] as number
    const keySize = byte < 0x80 ? (byte >>> 1) ^ -(byte & 1) : this.#long32(byte, position)
    if (byte >= 0x80) position = this.#numberEnd
    const keyStart = position
    if (keySize > 0) position += keySize

    byte = body[position++] as number
    const valueSize = byte < 0x80 ? (byte >>> 1) ^ -(byte & 1) : this.#long32(byte, position)
    if (byte >= 0x80) position = this.#numberEnd
    const valueStart = position
    if (valueSize > 0) position += valueSize

    byte = body[position++] as number
    const headerCount = byte < 0x80 ? (byte >>> 1) ^ -(byte & 1) : this.#long32(byte, position)
    if (byte >= 0x80) position = this.#numberEnd
    const headersStart = position
    if (headerCount !== 0) position = this.#endOfHeaders(position, headerCount)

    if (keySize < -1 || valueSize < -1) this.#refuse('has a key or a value of negative size')
    if (position !== end) this.#refuse('does not end where its size says')
    this.#setTimestamp(timestampDelta)
    this.#setOffset(offsetDelta)
    this.keyStart = keyStart
    this.keySize = keySize
    this.valueStart = valueStart
    this.valueSize = valueSize
    this.headersStart = headersStart
    this.headerCount = headerCount
    this.#position = end
    this.#recordsLeft--
    return true
  }

  /** The following next() yields the first record at or above `offset`. Errors as in next(). */
  skipTo(offset: number): void {
    for (;;) {
      const position = this.#position
      const offsetDelta = this.#offsetDelta
      if (this.header.baseOffset + offsetDelta >= offset - 1 || !this.next()) return
      if (this.offset < offset) continue
      this.#position = position
      this.#offsetDelta = offsetDelta
      this.#recordsLeft++
      return
    }
  }

  #end(): false {
    if (this.#position !== this.body.length) {
      this.#refuse('is one more than the batch header counts')
    }
    return false
  }

  #enterRecord(size: number, end: number): void {
    if (size < at.RECORD_SIZE_MIN - 1) this.#refuse(`has the size ${size}`)
    if (end > this.#limit) this.#refuse('is longer than the batch')
    this.#limit = end
  }

  #setOffset(delta: number): void {
    if (delta <= this.#offsetDelta)
      this.#refuse(`comes after a record of the same or a higher offset`)
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

  #endOfHeaders(start: number, count: number): number {
    if (count < 0) this.#refuse(`has ${count} headers`)
    this.#numberEnd = start
    // Ends early when the bytes do: a count of 2^31 costs nothing.
    for (let index = 0; index < count; index++) {
      const nameSize = this.#number(this.#numberEnd)
      if (nameSize < 0) this.#refuse('has a header without a name')
      const valueSize = this.#number(this.#numberEnd + nameSize)
      if (valueSize < -1) this.#refuse(`has a header of size ${valueSize}`)
      if (valueSize > 0) this.#numberEnd += valueSize
    }
    return this.#numberEnd
  }

  /** The varint at `position`. */
  #number(position: number): number {
    if (position >= this.#limit) this.#refuse('ends within a field')
    const first = this.body[position] as number
    if (first >= 0x80) return this.#long32(first, position + 1)
    this.#numberEnd = position + 1
    return (first >>> 1) ^ -(first & 1)
  }

  /** A varint of 32 bits whose `first` byte says that more follow, at `position`. */
  #long32(first: number, position: number): number {
    const value = this.#long(first, position, VARINT_BYTES_MAX)
    if (value !== (value | 0)) this.#refuse('has a number beyond 32 bits')
    return value
  }

  #long64(first: number, position: number): number {
    return this.#long(first, position, VARLONG_BYTES_MAX)
  }

  #long(first: number, position: number, bytesMax: number): number {
    // Also where `first` itself lay beyond the end and is undefined.
    if (position >= this.#limit) this.#refuse('ends within a field')
    const second = this.body[position] as number
    if (second >= 0x80 || second === 0) return this.#longer(first, position, bytesMax)
    this.#numberEnd = position + 1
    const bits = (first & 0x7f) | (second << 7)
    return (bits >>> 1) ^ -(bits & 1)
  }

  /** Magnitudes beyond 2^53 come rounded; none of them passes for a safe integer. */
  #longer(first: number, start: number, bytesMax: number): number {
    let magnitude = (first & 0x7f) >>> 1
    let scale = 0x40
    for (let position = start; position < this.#limit; position++) {
      const size = position - start + 2
      if (size > bytesMax) this.#refuse('has a number that is too long')
      const byte = this.body[position] as number
      magnitude += (byte & 0x7f) * scale
      scale *= 0x80
      if (byte >= 0x80) continue
      if (byte === 0) this.#refuse('has a number that is not in its shortest form')
      if (size === VARLONG_BYTES_MAX && byte > 1) this.#refuse('has a number beyond 64 bits')
      this.#numberEnd = position + 1
      return (first & 1) === 0 ? magnitude : -1 - magnitude
    }
    return this.#refuse('ends within a field')
  }

  #refuse(problem: string): never {
    const offset = this.header.baseOffset + this.#offsetDelta + 1
    throw new MinikafkaError('INVALID_RECORD', {
      message: `The record at offset ${offset} ${problem}.`,
      offset,
    })
  }
}
