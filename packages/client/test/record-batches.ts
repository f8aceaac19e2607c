// Record batches for tests: written as producers write them, stamped as brokers stamp them.
import { type CompressionName, crc32c, nodeCompress } from '@minikafka/platform'
import { BatchWriter, type HeaderInput, stampBatch } from '@minikafka/protocol'

export const compress = nodeCompress()

export type RecordInput = {
  readonly key?: Uint8Array | string | null
  readonly value: Uint8Array | string | null
  readonly headers?: HeaderInput
  readonly timestamp?: number
}

export type BatchInput = {
  readonly baseOffset?: number
  readonly leaderEpoch?: number
  readonly compression?: CompressionName
  readonly producerId?: number
  readonly transactional?: boolean
}

const TIMESTAMP = 1000

export function batchOf(records: readonly RecordInput[], input: BatchInput = {}): Buffer {
  const { baseOffset = 0, leaderEpoch = 0, compression = 'none', producerId = -1 } = input
  const writer = new BatchWriter(Buffer.alloc(256 * 1024))
  for (const [index, { key = null, value, headers, timestamp }] of records.entries()) {
    if (!writer.tryAppend(timestamp ?? TIMESTAMP + index, key, value, headers))
      throw new Error('the batch is full')
  }
  const isKnown = producerId >= 0
  const sealed = writer.seal(compress, {
    compression,
    producerId,
    producerEpoch: isKnown ? 0 : -1,
    baseSequence: isKnown ? 0 : -1,
    transactional: input.transactional ?? false,
  })
  stampBatch(sealed, baseOffset, leaderEpoch)
  return sealed
}

/** Of values `from` to `to`, which are their own offsets. */
export function numbered(from: number, to: number, input: BatchInput = {}): Buffer {
  const values = Array.from({ length: to - from }, (_, index) => ({ value: String(from + index) }))
  return batchOf(values, { baseOffset: from, ...input })
}

/** The end of a transaction, as the coordinator writes it. */
export function markerOf(kind: 'commit' | 'abort', input: BatchInput): Buffer {
  const key = Buffer.from([0, 0, 0, kind === 'commit' ? 1 : 0])
  const batch = batchOf([{ key, value: Buffer.alloc(6) }], { ...input, transactional: true })
  const CONTROL_BIT = 0x20
  return changed(batch, (bytes) => bytes.writeUInt8(bytes.readUInt8(22) | CONTROL_BIT, 22))
}

/** A copy after `change`, with the checksum that it should have. */
export function changed(batch: Buffer, change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(batch)
  change(bytes)
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17)
  return bytes
}

/** A copy with a bit of its last byte flipped: the checksum is wrong. */
export function damaged(batch: Buffer): Buffer {
  const bytes = Buffer.from(batch)
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
  return bytes
}
