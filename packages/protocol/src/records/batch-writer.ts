// Builds one record batch in a buffer that was lent: the producer's side of format v2 (layout.ts).
// Enters: records one by one, as bytes or strings. Leaves: the sealed batch, ready to send and never encoded again.
import { assert, type Compress, type CompressionName } from '@minikafka/platform'
import { putInt16, putInt32, putInt64 } from './integer.ts'
import * as at from './layout.ts'
import { sumBatch } from './stamp.ts'
import { bytesSize, putSized } from './text.ts'
import { putVarint, varintSize } from './varint.ts'

/** Name and value of each header, in order; names may repeat. */
export type HeaderInput = readonly (readonly [string, Uint8Array | string | null])[]

export type SealOptions = {
  readonly compression: CompressionName
  /** -1: no idempotence; then epoch and sequence are -1, too. */
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly transactional?: boolean | undefined
}

/** Size and attributes, two deltas, and the sizes of key, value and headers at their longest. */
const RECORD_OVERHEAD_MAX = 5 + 1 + 10 + 5 + 5 + 5 + 5
const HEADER_OVERHEAD_MAX = 5 + 5

export class BatchWriter {
  #buffer: Buffer
  /** Where the next record begins. Invariant: BATCH_HEADER_SIZE <= #position <= #buffer.length. */
  #position = at.BATCH_HEADER_SIZE
  #recordCount = 0
  #baseTimestamp = 0
  #maxTimestamp = 0

  /** `buffer` is lent until the sealed batch is no longer needed; `seal` says when that is. */
  constructor(buffer: Buffer) {
    assert(buffer.length >= at.BATCH_HEADER_SIZE, 'a batch buffer holds at least a header')
    this.#buffer = buffer
  }

  /** Begins another batch. */
  reset(buffer: Buffer): void {
    assert(buffer.length >= at.BATCH_HEADER_SIZE, 'a batch buffer holds at least a header')
    this.#buffer = buffer
    this.#position = at.BATCH_HEADER_SIZE
    this.#recordCount = 0
  }

  /** Goes on in a larger buffer; the former one is free again. */
  grow(buffer: Buffer): void {
    assert(buffer.length >= this.#position, 'a larger buffer holds what was written')
    buffer.set(this.#buffer.subarray(at.BATCH_HEADER_SIZE, this.#position), at.BATCH_HEADER_SIZE)
    this.#buffer = buffer
  }

  get recordCount(): number {
    return this.#recordCount
  }

  /** Of the batch so far, uncompressed, with its header. */
  get sizeBytes(): number {
    return this.#position
  }

  /** Bytes of a batch that holds this record alone, at most. */
  static recordSizeMax(
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    headers: HeaderInput | undefined,
  ): number {
    let size = at.BATCH_HEADER_SIZE + RECORD_OVERHEAD_MAX
    size += Math.max(bytesSize(key), 0) + Math.max(bytesSize(value), 0)
    for (const [name, headerValue] of headers ?? []) {
      size += HEADER_OVERHEAD_MAX + bytesSize(name) + Math.max(bytesSize(headerValue), 0)
    }
    return size
  }

  /**
   * Writes one record behind the others; strings become UTF-8 in place.
   *
   * Units   `timestampMs`: wall clock, -1 for none.
   * Holds   false: it does not fit and nothing was written.
   */
  tryAppend(
    timestampMs: number,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    headers: HeaderInput | undefined,
  ): boolean {
    assert(Number.isSafeInteger(timestampMs) && timestampMs >= -1, 'a timestamp is -1 or a time')
    const buffer = this.#buffer
    const offsetDelta = this.#recordCount
    const timestampDelta = offsetDelta === 0 ? 0 : timestampMs - this.#baseTimestamp
    const keySize = bytesSize(key)
    const valueSize = bytesSize(value)
    let size = 1 + varintSize(timestampDelta) + varintSize(offsetDelta)
    size += keySize < 0 ? 1 : varintSize(keySize) + keySize
    size += valueSize < 0 ? 1 : varintSize(valueSize) + valueSize
    size += headers === undefined ? 1 : headersSize(headers)
    const end = this.#position + varintSize(size) + size
    if (end > buffer.length) return false

    let position = putVarint(buffer, this.#position, size)
    buffer[position++] = 0
    position = putVarint(buffer, position, timestampDelta)
    position = putVarint(buffer, position, offsetDelta)
    position = putSized(buffer, position, key, keySize)
    position = putSized(buffer, position, value, valueSize)
    if (headers === undefined) buffer[position++] = 0
    else position = putHeaders(buffer, position, headers)
    assert(position === end, 'a record takes the bytes that were counted for it')

    if (offsetDelta === 0) this.#baseTimestamp = this.#maxTimestamp = timestampMs
    else if (timestampMs > this.#maxTimestamp) this.#maxTimestamp = timestampMs
    this.#position = position
    this.#recordCount++
    return true
  }

  /**
   * Compresses, writes the header and sums.
   *
   * Shape   compression 'none': a view of the lent buffer, which stays lent as long as the batch is needed.
   *         Otherwise a buffer of its own, and the lent one is free again. Records that would not shrink,
   *         or shrink so much that readers had to suspect a bomb, stay uncompressed in it.
   * Errors  none; `compress.prepare(compression)` has resolved before.
   */
  seal(compress: Compress, options: SealOptions): Buffer {
    assert(this.#recordCount > 0, 'a batch has records before it is sealed')
    const records = this.#buffer.subarray(at.BATCH_HEADER_SIZE, this.#position)
    if (options.compression === 'none') {
      const batch = this.#buffer.subarray(0, this.#position)
      this.#putHeader(batch, 0, options)
      return batch
    }
    const compressed = compress.compress(options.compression, records)
    const fits = compressed.length < records.length
    const readable = records.length <= at.bodyBytesMax(compressed.length)
    const body = fits && readable ? compressed : records
    const batch = Buffer.allocUnsafeSlow(at.BATCH_HEADER_SIZE + body.length)
    batch.set(body, at.BATCH_HEADER_SIZE)
    this.#putHeader(
      batch,
      body === records ? 0 : at.COMPRESSIONS.indexOf(options.compression),
      options,
    )
    return batch
  }

  #putHeader(batch: Buffer, compressionBits: number, options: SealOptions): void {
    putInt64(batch, at.BASE_OFFSET, 0)
    putInt32(batch, at.LENGTH, batch.length - at.LENGTH_OVERHEAD)
    putInt32(batch, at.LEADER_EPOCH, -1)
    batch[at.MAGIC] = at.MAGIC_V2
    const transactionalBit = options.transactional === true ? at.TRANSACTIONAL_BIT : 0
    putInt16(batch, at.ATTRIBUTES, compressionBits | transactionalBit)
    putInt32(batch, at.LAST_OFFSET_DELTA, this.#recordCount - 1)
    putInt64(batch, at.BASE_TIMESTAMP, this.#baseTimestamp)
    putInt64(batch, at.MAX_TIMESTAMP, this.#maxTimestamp)
    putInt64(batch, at.PRODUCER_ID, options.producerId)
    putInt16(batch, at.PRODUCER_EPOCH, options.producerEpoch)
    putInt32(batch, at.BASE_SEQUENCE, options.baseSequence)
    putInt32(batch, at.RECORD_COUNT, this.#recordCount)
    sumBatch(batch)
  }
}

function headersSize(headers: HeaderInput): number {
  let size = varintSize(headers.length)
  for (let index = 0; index < headers.length; index++) {
    const header = headers[index] as HeaderInput[number]
    const nameSize = bytesSize(header[0])
    const valueSize = bytesSize(header[1])
    size += varintSize(nameSize) + nameSize
    size += valueSize < 0 ? 1 : varintSize(valueSize) + valueSize
  }
  return size
}

function putHeaders(buffer: Buffer, start: number, headers: HeaderInput): number {
  let position = putVarint(buffer, start, headers.length)
  for (let index = 0; index < headers.length; index++) {
    const header = headers[index] as HeaderInput[number]
    position = putSized(buffer, position, header[0], bytesSize(header[0]))
    position = putSized(buffer, position, header[1], bytesSize(header[1]))
  }
  return position
}
