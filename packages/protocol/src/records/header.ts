// The header of a batch: all of it as one value, or single fields without an allocation.
// Enters: bytes in which a batch begins at `position`. Leaves: numbers, nothing checked but the CRC where it says so.
import { type CompressionName, crc32cOfPart } from '@minikafka/platform'
import { MinikafkaError } from '../errors.ts'
import { int16At, int32At, int64At, uint32At } from './integer.ts'
import * as at from './layout.ts'

export type BatchHeader = {
  readonly baseOffset: number
  /** The whole batch: 12 + its length field. */
  readonly sizeBytes: number
  readonly leaderEpoch: number
  readonly magic: number
  readonly crc: number
  readonly attributes: number
  /** undefined: a number that stands for no codec. */
  readonly compression: CompressionName | undefined
  readonly timestampType: 'create' | 'append'
  readonly transactional: boolean
  readonly control: boolean
  /** KIP-534: tombstones of the batch may go from this time on; undefined: compaction has not met one in it. */
  readonly deleteHorizonMs: number | undefined
  readonly lastOffsetDelta: number
  readonly lastOffset: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

/**
 * Reads the header that begins at `position`.
 *
 * Errors  CORRUPT_MESSAGE when fewer than 61 bytes are there.
 * Holds   nothing about the values: an int64 beyond 2^53 comes rounded and is no safe integer.
 */
export function readBatchHeader(bytes: Uint8Array, position = 0): BatchHeader {
  if (bytes.length - position < at.BATCH_HEADER_SIZE) {
    throw new MinikafkaError('CORRUPT_MESSAGE', { message: 'A batch ends within its header.' })
  }
  const baseOffset = int64At(bytes, position + at.BASE_OFFSET)
  const attributes = int16At(bytes, position + at.ATTRIBUTES)
  const lastOffsetDelta = int32At(bytes, position + at.LAST_OFFSET_DELTA)
  const baseTimestamp = int64At(bytes, position + at.BASE_TIMESTAMP)
  return {
    baseOffset,
    sizeBytes: batchSizeAt(bytes, position),
    leaderEpoch: int32At(bytes, position + at.LEADER_EPOCH),
    magic: batchMagicAt(bytes, position),
    crc: uint32At(bytes, position + at.CRC),
    attributes,
    compression: at.COMPRESSIONS[attributes & at.COMPRESSION_MASK],
    timestampType: (attributes & at.APPEND_TIME_BIT) === 0 ? 'create' : 'append',
    transactional: (attributes & at.TRANSACTIONAL_BIT) !== 0,
    control: (attributes & at.CONTROL_BIT) !== 0,
    deleteHorizonMs: (attributes & at.HORIZON_BIT) === 0 ? undefined : baseTimestamp,
    lastOffsetDelta,
    lastOffset: baseOffset + lastOffsetDelta,
    baseTimestamp,
    maxTimestamp: int64At(bytes, position + at.MAX_TIMESTAMP),
    producerId: int64At(bytes, position + at.PRODUCER_ID),
    producerEpoch: int16At(bytes, position + at.PRODUCER_EPOCH),
    baseSequence: int32At(bytes, position + at.BASE_SEQUENCE),
    recordCount: batchRecordCountAt(bytes, position),
  }
}

// Single fields. The caller has made sure that the bytes are there.

/** Bytes of the whole batch, as it claims: check it before it is used. Needs 12 bytes. */
export function batchSizeAt(bytes: Uint8Array, position = 0): number {
  return at.LENGTH_OVERHEAD + int32At(bytes, position + at.LENGTH)
}

export function batchBaseOffsetAt(bytes: Uint8Array, position = 0): number {
  return int64At(bytes, position + at.BASE_OFFSET)
}

export function batchLastOffsetAt(bytes: Uint8Array, position = 0): number {
  return batchBaseOffsetAt(bytes, position) + int32At(bytes, position + at.LAST_OFFSET_DELTA)
}

export function batchLeaderEpochAt(bytes: Uint8Array, position = 0): number {
  return int32At(bytes, position + at.LEADER_EPOCH)
}

export function batchMaxTimestampAt(bytes: Uint8Array, position = 0): number {
  return int64At(bytes, position + at.MAX_TIMESTAMP)
}

export function batchMagicAt(bytes: Uint8Array, position = 0): number {
  return ((bytes[position + at.MAGIC] as number) << 24) >> 24
}

export function batchRecordCountAt(bytes: Uint8Array, position = 0): number {
  return int32At(bytes, position + at.RECORD_COUNT)
}

/** False also where the batch, by its own length, does not lie whole within `bytes`. */
export function batchCrcIsRight(bytes: Uint8Array, position = 0): boolean {
  if (bytes.length - position < at.BATCH_HEADER_SIZE) return false
  const end = position + batchSizeAt(bytes, position)
  if (end > bytes.length || end < position + at.BATCH_HEADER_SIZE) return false
  return crc32cOfPart(bytes, position + at.ATTRIBUTES, end) === uint32At(bytes, position + at.CRC)
}
