// The bytes of a record batch, Kafka's format v2, drawn once: every file beside takes its positions from here.
//
//    0  base offset          int64   stamped by the broker, outside the CRC
//    8  length               int32   bytes that follow this field
//   12  leader epoch         int32   stamped by the broker, outside the CRC
//   16  magic                int8    2
//   17  CRC-32C              uint32  over everything from `attributes` to the end
//   21  attributes           int16   bits 0-2 compression, 3 timestamp type, 4 transactional, 5 control, 6 delete horizon
//   23  last offset delta    int32   the last record's offset - base offset; survives compaction
//   27  base timestamp       int64   of the first record; with bit 6 the delete horizon (KIP-534): tombstones of the
//                                    batch may go from that time on
//   35  max timestamp        int64   of all records; the append time with LogAppendTime
//   43  producer id          int64   -1: none
//   51  producer epoch       int16
//   53  base sequence        int32
//   57  record count         int32
//   61  records, or one compressed block of them:
//
//       length varint, attributes int8, timestamp delta varlong, offset delta varint,
//       key size varint (-1: null) + bytes, value size varint (-1: null) + bytes,
//       header count varint, and each header: name size varint + UTF-8, value size varint (-1: null) + bytes
//
// Numbers are big-endian, varints zigzag. Source: Kafka DefaultRecordBatch, DefaultRecord.
import type { CompressionName } from '@minikafka/platform'

export const BATCH_HEADER_SIZE = 61

export const BASE_OFFSET = 0
export const LENGTH = 8
export const LEADER_EPOCH = 12
export const MAGIC = 16
export const CRC = 17
export const ATTRIBUTES = 21
export const LAST_OFFSET_DELTA = 23
export const BASE_TIMESTAMP = 27
export const MAX_TIMESTAMP = 35
export const PRODUCER_ID = 43
export const PRODUCER_EPOCH = 51
export const BASE_SEQUENCE = 53
export const RECORD_COUNT = 57

/** The length field does not count itself nor the base offset before it. */
export const LENGTH_OVERHEAD = 12

export const MAGIC_V2 = 2

export const COMPRESSION_MASK = 0x07
export const APPEND_TIME_BIT = 0x08
export const TRANSACTIONAL_BIT = 0x10
export const CONTROL_BIT = 0x20
/** KIP-534: the base timestamp is the time from which on the tombstones of the batch may go. Compaction alone sets it. */
export const HORIZON_BIT = 0x40
/** No producer may set one of these: the horizon and what is unassigned. */
export const RESERVED_MASK = 0xffc0

/** By the number in the attributes. */
export const COMPRESSIONS: readonly CompressionName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** No record is shorter: length, attributes, two deltas, key size, value size, header count, a byte each. */
export const RECORD_SIZE_MIN = 7

/** What decompressing a batch may give at most, whatever its header claims (SECURITY, limits). */
export const BODY_BYTES_MAX = 64 * 1024 * 1024
export const BODY_RATIO_MAX = 200
/** Below this the ratio is no matter: the batch could have come uncompressed (`message.max.bytes`). */
export const BODY_RATIO_FREE_BYTES = 1024 * 1024

/** How large the records of a batch may become whose compressed records take `compressedBytes`. */
export function bodyBytesMax(compressedBytes: number): number {
  const byRatio = Math.max(compressedBytes * BODY_RATIO_MAX, BODY_RATIO_FREE_BYTES)
  return Math.min(byRatio, BODY_BYTES_MAX)
}
