// Takes records out of a batch: what compaction does (KIP-58, KIP-534). Offsets, order and the producer's identity stay.
// Enters: a batch, and who stays. Leaves: the batch without the others, or nothing where all of it stays.
import { assert, type Compress, type CompressionName } from '@minikafka/platform'
import { BatchReader } from './batch-reader.ts'
import type { BatchHeader } from './header.ts'
import { int16At, putInt16, putInt32, putInt64 } from './integer.ts'
import * as at from './layout.ts'
import { sumBatch } from './stamp.ts'
import { putVarint, varintSize } from './varint.ts'

/** A horizon makes timestamps longer: no batch grows beyond it, for readers and logs have their bounds. */
const GROWN_BYTES_MAX = 15 * 1024 * 1024
/** Shrinks nothing so much that readers must suspect a bomb (bodyBytesMax). */
const MODEST: CompressionName = 'snappy'

/** What stays of a batch: stretches of its body, in order. */
type Kept = {
  /** Start and end of each stretch, one behind the other. */
  readonly edges: number[]
  count: number
  maxTimestamp: number
  hasTombstone: boolean
}

/** Goes over the records of one batch, as many at a time as its caller likes; then `build` says what is left. */
export class BatchFilter {
  readonly #batch: Uint8Array
  readonly #compress: Compress
  readonly #stays: (record: BatchReader) => boolean
  readonly #reader: BatchReader
  readonly #kept: Kept = { edges: [], count: 0, maxTimestamp: -1, hasTombstone: false }

  /**
   * Shape   `stays`: asked for each record, in order; the cursor of the reader stands on it. `compress.prepare` of the
   *         batch's codec, and of snappy, has resolved before.
   * Errors  as BatchReader.
   */
  constructor(batch: Uint8Array, compress: Compress, stays: (record: BatchReader) => boolean) {
    this.#batch = batch
    this.#compress = compress
    this.#stays = stays
    this.#reader = new BatchReader(batch, compress)
  }

  /** Asks for `countMax` records. False: all were asked for. Errors: INVALID_RECORD. */
  go(countMax: number): boolean {
    const reader = this.#reader
    const { edges } = this.#kept
    for (let count = 0; count < countMax; count++) {
      const start = reader.position
      if (!reader.next()) return false
      if (!this.#stays(reader)) continue
      // Neighbours are one stretch.
      if (edges.length > 0 && edges[edges.length - 1] === start) edges.pop()
      else edges.push(start)
      edges.push(reader.position)
      this.#keep(reader)
    }
    return true
  }

  /**
   * undefined: the batch stays as it is. 'none': no record stays; what becomes of the header is the caller's. Otherwise a
   * batch of its own memory.
   *
   * Units   `deleteHorizonMs`: wall clock; given to a batch that keeps a tombstone and has none yet, where it can be.
   * Holds   base offset, last offset, leader epoch, producer and sequence are those of the batch; so are the timestamps of
   *         the records.
   */
  build(deleteHorizonMs: number | undefined): Buffer | 'none' | undefined {
    const { header } = this.#reader
    const kept = this.#kept
    if (kept.count === 0) return 'none'
    if (
      kept.hasTombstone &&
      header.deleteHorizonMs === undefined &&
      deleteHorizonMs !== undefined
    ) {
      const built = this.#withHorizon(header, deleteHorizonMs)
      if (built !== undefined) return built
    }
    if (kept.count === header.recordCount) return undefined
    return this.#finish(header, joined(this.#reader.body, kept.edges))
  }

  #keep({ timestamp, keySize, valueSize }: BatchReader): void {
    const kept = this.#kept
    kept.count++
    if (timestamp > kept.maxTimestamp) kept.maxTimestamp = timestamp
    if (keySize >= 0 && valueSize < 0) kept.hasTombstone = true
  }

  /** undefined: it would be too large, or a timestamp too far away. */
  #withHorizon(header: BatchHeader, horizonMs: number): Buffer | undefined {
    const { body } = this.#reader
    const { edges } = this.#kept
    // With LogAppendTime nobody looks at the deltas.
    const isShifted = header.timestampType === 'create'
    const shift = header.baseTimestamp - horizonMs
    const records = isShifted ? shifted(body, edges, shift) : joined(body, edges)
    if (records === undefined) return undefined
    const built = this.#finish(header, records, horizonMs)
    return built.length > Math.max(this.#batch.length, GROWN_BYTES_MAX) ? undefined : built
  }

  #finish(header: BatchHeader, records: Buffer, horizonMs?: number): Buffer {
    const built = withBody(this.#batch, records, this.#compress, header.compression)
    if (horizonMs !== undefined) {
      putInt16(built, at.ATTRIBUTES, int16At(built, at.ATTRIBUTES) | at.HORIZON_BIT)
      putInt64(built, at.BASE_TIMESTAMP, horizonMs)
    }
    const { count, maxTimestamp } = this.#kept
    if (header.timestampType === 'create') putInt64(built, at.MAX_TIMESTAMP, maxTimestamp)
    putInt32(built, at.RECORD_COUNT, count)
    sumBatch(built)
    return built
  }
}

/** The header of a batch alone: the place of its records, and the producer's sequence. */
export function emptyBatch(batch: Uint8Array): Buffer {
  const empty = Buffer.from(batch.subarray(0, at.BATCH_HEADER_SIZE))
  putInt32(empty, at.LENGTH, at.BATCH_HEADER_SIZE - at.LENGTH_OVERHEAD)
  // There is nothing to decompress and no tombstone: readers must not try.
  const attributes = int16At(empty, at.ATTRIBUTES) & ~(at.COMPRESSION_MASK | at.HORIZON_BIT)
  putInt16(empty, at.ATTRIBUTES, attributes)
  empty.copy(empty, at.BASE_TIMESTAMP, at.MAX_TIMESTAMP, at.MAX_TIMESTAMP + 8)
  putInt32(empty, at.RECORD_COUNT, 0)
  sumBatch(empty)
  return empty
}

function joined(body: Buffer, edges: readonly number[]): Buffer {
  const parts: Buffer[] = []
  for (let index = 0; index < edges.length; index += 2)
    parts.push(body.subarray(edges[index], edges[index + 1]))
  return Buffer.concat(parts)
}

/**
 * As `joined`, and every timestamp delta is `shift` larger, for the base timestamp becomes so much smaller; undefined: a
 * delta would lose digits.
 */
function shifted(body: Buffer, edges: readonly number[], shift: number): Buffer | undefined {
  const parts: Buffer[] = []
  for (let index = 0; index < edges.length; index += 2) {
    const end = edges[index + 1] as number
    for (let position = edges[index] as number; position < end; ) {
      const size = numberAt(body, position)
      const next = size.end + size.value
      const record = shiftedRecord(body, size.end, next, shift)
      if (record === undefined) return undefined
      parts.push(record)
      position = next
    }
  }
  return Buffer.concat(parts)
}

/** One record whose length is taken off: the reader has checked that it is whole. */
function shiftedRecord(
  body: Buffer,
  start: number,
  end: number,
  shift: number,
): Buffer | undefined {
  // Attributes, a byte, stand before the delta.
  const delta = numberAt(body, start + 1)
  const shiftedDelta = delta.value + shift
  if (!Number.isSafeInteger(shiftedDelta)) return undefined
  const rest = body.subarray(delta.end, end)
  const size = 1 + varintSize(shiftedDelta) + rest.length
  const record = Buffer.allocUnsafe(varintSize(size) + size)
  let position = putVarint(record, 0, size)
  record[position++] = body[start] as number
  position = putVarint(record, position, shiftedDelta)
  rest.copy(record, position)
  return record
}

/** A varint that the reader has passed. */
function numberAt(body: Buffer, start: number): { value: number; end: number } {
  let position = start
  let byte = body[position++] as number
  const isNegative = (byte & 1) === 1
  let magnitude = (byte & 0x7f) >>> 1
  for (let scale = 0x40; byte >= 0x80; scale *= 0x80) {
    byte = body[position++] as number
    magnitude += (byte & 0x7f) * scale
  }
  return { value: isNegative ? -1 - magnitude : magnitude, end: position }
}

/** The header of `batch` over other records, compressed as before where that is worth it; not yet summed. */
function withBody(
  batch: Uint8Array,
  records: Buffer,
  compress: Compress,
  compression: CompressionName | undefined,
): Buffer {
  assert(compression !== undefined, 'a batch that was read has a codec that is known')
  const [codec, body] = compressed(records, compress, compression)
  const built = Buffer.allocUnsafeSlow(at.BATCH_HEADER_SIZE + body.length)
  built.set(batch.subarray(0, at.BATCH_HEADER_SIZE))
  built.set(body, at.BATCH_HEADER_SIZE)
  putInt32(built, at.LENGTH, built.length - at.LENGTH_OVERHEAD)
  const attributes = int16At(built, at.ATTRIBUTES) & ~at.COMPRESSION_MASK
  putInt16(built, at.ATTRIBUTES, attributes | at.COMPRESSIONS.indexOf(codec))
  return built
}

/** What is left may shrink too much for readers (`BatchWriter.seal`), and be too large uncompressed. */
function compressed(
  records: Buffer,
  compress: Compress,
  compression: CompressionName,
): readonly [CompressionName, Buffer] {
  if (compression === 'none') return ['none', records]
  for (const codec of [compression, MODEST]) {
    const body = compress.compress(codec, records)
    if (body.length >= records.length) break
    if (records.length <= at.bodyBytesMax(body.length)) return [codec, body]
  }
  return ['none', records]
}
