// Takes records out of a batch: what compaction does (KIP-58, KIP-534). Offsets, order and the producer's identity stay.
// Enters: a batch under a reader, and who stays. Leaves: the batch without the others, or nothing where all of it stays.
import { assert, type Compress } from '@minikafka/platform'
import { MinikafkaError } from '../errors.ts'
import type { BatchReader } from './batch-reader.ts'
import { int16At, putInt16, putInt32, putInt64 } from './integer.ts'
import * as at from './layout.ts'
import { sumBatch } from './stamp.ts'
import { putVarint, varintSize } from './varint.ts'

export type FilterOptions = {
  /** Asked for each record, in order; the cursor of the reader stands on it. */
  readonly stays: (record: BatchReader) => boolean
  /** Given to a batch that keeps a tombstone and has no horizon yet; undefined: none is. Units: wall clock. */
  readonly deleteHorizonMs: number | undefined
}

/** What stays of a batch: stretches of its body, in order. */
type Kept = {
  /** Start and end of each stretch, one behind the other. */
  readonly edges: number[]
  count: number
  maxTimestamp: number
  hasTombstone: boolean
}

/**
 * Asks for each record whether it stays.
 *
 * Shape   `batch`: what `reader` was made of; `reader`: at its beginning. undefined: the batch stays as it is.
 *         'none': no record stays; what becomes of the header is the caller's. Otherwise a batch of its own memory.
 * Errors  INVALID_RECORD as `BatchReader.next`; nothing was changed then.
 * Holds   base offset, last offset, leader epoch, producer and sequence are those of `batch`; so are the timestamps of
 *         the records. `compress.prepare` of its codec has resolved before.
 */
export function filterBatch(
  batch: Uint8Array,
  reader: BatchReader,
  compress: Compress,
  options: FilterOptions,
): Buffer | 'none' | undefined {
  const { header, body } = reader
  const kept = select(reader, options.stays)
  if (kept.count === 0) return 'none'
  const getsHorizon = kept.hasTombstone && header.deleteHorizonMs === undefined
  const horizonMs = getsHorizon ? options.deleteHorizonMs : undefined
  if (kept.count === header.recordCount && horizonMs === undefined) return undefined
  // With LogAppendTime nobody looks at the deltas.
  const isShifted = horizonMs !== undefined && header.timestampType === 'create'
  const records = isShifted
    ? shifted(body, kept.edges, header.baseTimestamp - horizonMs)
    : joined(body, kept.edges)
  const built = withBody(batch, records, compress, header.compression)
  if (horizonMs !== undefined) {
    putInt16(built, at.ATTRIBUTES, int16At(built, at.ATTRIBUTES) | at.HORIZON_BIT)
    putInt64(built, at.BASE_TIMESTAMP, horizonMs)
  }
  if (header.timestampType === 'create') putInt64(built, at.MAX_TIMESTAMP, kept.maxTimestamp)
  putInt32(built, at.RECORD_COUNT, kept.count)
  sumBatch(built)
  return built
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

/** Each record by itself, cut where its neighbour goes: long stretches stay whole. */
function select(reader: BatchReader, stays: FilterOptions['stays']): Kept {
  const kept: Kept = { edges: [], count: 0, maxTimestamp: -1, hasTombstone: false }
  const { edges } = kept
  for (let start = reader.position; reader.next(); start = reader.position) {
    if (!stays(reader)) continue
    if (edges.length > 0 && edges[edges.length - 1] === start) edges.pop()
    else edges.push(start)
    edges.push(reader.position)
    kept.count++
    if (reader.timestamp > kept.maxTimestamp) kept.maxTimestamp = reader.timestamp
    if (reader.keySize >= 0 && reader.valueSize < 0) kept.hasTombstone = true
  }
  return kept
}

function joined(body: Buffer, edges: readonly number[]): Buffer {
  const parts: Buffer[] = []
  for (let index = 0; index < edges.length; index += 2)
    parts.push(body.subarray(edges[index], edges[index + 1]))
  return Buffer.concat(parts)
}

/** As `joined`, and every timestamp delta is `shift` larger, for the base timestamp becomes so much smaller. */
function shifted(body: Buffer, edges: readonly number[], shift: number): Buffer {
  const parts: Buffer[] = []
  for (let index = 0; index < edges.length; index += 2) {
    const end = edges[index + 1] as number
    for (let position = edges[index] as number; position < end; ) {
      const size = numberAt(body, position)
      const next = size.end + size.value
      parts.push(shiftedRecord(body, size.end, next, shift))
      position = next
    }
  }
  return Buffer.concat(parts)
}

/** One record whose length is taken off: the reader has checked that it is whole. */
function shiftedRecord(body: Buffer, start: number, end: number, shift: number): Buffer {
  // Attributes, a byte, stand before the delta.
  const delta = numberAt(body, start + 1)
  const shiftedDelta = delta.value + shift
  if (!Number.isSafeInteger(shiftedDelta)) {
    const message = 'A record has a timestamp too far from the delete horizon of its batch.'
    throw new MinikafkaError('INVALID_RECORD', { message })
  }
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
  compression: BatchReader['header']['compression'],
): Buffer {
  assert(compression !== undefined, 'a batch that was read has a codec that is known')
  const compressed = compression === 'none' ? records : compress.compress(compression, records)
  // Readers suspect a bomb in what shrinks too much (`BatchWriter.seal`).
  const isWorthIt =
    compressed.length < records.length && records.length <= at.bodyBytesMax(compressed.length)
  const body = isWorthIt ? compressed : records
  const built = Buffer.allocUnsafeSlow(at.BATCH_HEADER_SIZE + body.length)
  built.set(batch.subarray(0, at.BATCH_HEADER_SIZE))
  built.set(body, at.BATCH_HEADER_SIZE)
  putInt32(built, at.LENGTH, built.length - at.LENGTH_OVERHEAD)
  if (!isWorthIt)
    putInt16(built, at.ATTRIBUTES, int16At(built, at.ATTRIBUTES) & ~at.COMPRESSION_MASK)
  return built
}
