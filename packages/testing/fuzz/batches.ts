// Record batches made to order, and made wrong: fields of the header by name, and a CRC that fits again.
import { type CompressionName, crc32c, nodeCompress } from '@minikafka/platform'
import { BatchWriter } from '@minikafka/protocol'

const ATTRIBUTES = 21
const CRC = 17
/** 2026-01-01, where the wall clock of a simulated world begins. */
const NOW_MS = Date.UTC(2026, 0, 1)

export const compress = nodeCompress()
export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** Some codecs must be loaded before `batchOf` may use them. */
export async function prepareCodecs(): Promise<void> {
  for (const name of CODECS) await compress.prepare(name)
}

/** Position and width of what stands in the header of a batch, format v2. */
export const HEADER_FIELDS = {
  baseOffset: [0, 8],
  length: [8, 4],
  leaderEpoch: [12, 4],
  magic: [16, 1],
  crc: [17, 4],
  attributes: [21, 2],
  lastOffsetDelta: [23, 4],
  baseTimestamp: [27, 8],
  maxTimestamp: [35, 8],
  producerId: [43, 8],
  producerEpoch: [51, 2],
  baseSequence: [53, 4],
  recordCount: [57, 4],
} as const

export type HeaderField = keyof typeof HEADER_FIELDS

export type BatchOptions = {
  readonly compression?: CompressionName
  readonly producerId?: number
  readonly valueSize?: number
}

/** Records `key i: value i`, each with a header. */
export function batchOf(count: number, options: BatchOptions = {}): Buffer {
  const { compression = 'none', producerId = -1, valueSize = 12 } = options
  const writer = new BatchWriter(Buffer.alloc(200 + count * (valueSize + 60)))
  for (let index = 0; index < count; index++) {
    const value = `value ${index}`.padEnd(valueSize, '.')
    writer.tryAppend(NOW_MS + index, `key ${index}`, value, [['trace', Buffer.from('abc')]])
  }
  const hasId = producerId >= 0
  const sealed = writer.seal(compress, {
    compression,
    producerId,
    producerEpoch: hasId ? 0 : -1,
    baseSequence: hasId ? 0 : -1,
  })
  return Buffer.from(sealed)
}

/** The CRC fits the bytes, and the length the size, if they are there at all. */
export function summed(batch: Buffer): Buffer {
  if (batch.length < ATTRIBUTES) return batch
  batch.writeUInt32BE(crc32c(batch.subarray(ATTRIBUTES)), CRC)
  return batch
}

export function withLength(batch: Buffer): Buffer {
  const [at, width] = HEADER_FIELDS.length
  if (batch.length >= at + width) batch.writeInt32BE(batch.length - 12, at)
  return batch
}
