import { expect, test } from 'vitest'
import { javaBatch } from '../../testdata/java-client.ts'
import {
  batchBaseOffsetAt,
  batchCrcIsRight,
  batchLastOffsetAt,
  batchLeaderEpochAt,
  batchMagicAt,
  batchMaxTimestampAt,
  batchRecordCountAt,
  batchSizeAt,
  readBatchHeader,
} from './header.ts'

test('every field of a header that the Java client wrote', () => {
  expect(readBatchHeader(javaBatch('transactional'))).toEqual({
    baseOffset: 5_000_000_000,
    sizeBytes: javaBatch('transactional').length,
    leaderEpoch: 9,
    magic: 2,
    crc: 0xc80dcfb4,
    attributes: 0x10,
    compression: 'none',
    timestampType: 'create',
    transactional: true,
    control: false,
    lastOffsetDelta: 3,
    lastOffset: 5_000_000_003,
    baseTimestamp: 1_700_000_000_000,
    maxTimestamp: 1_700_003_600_000,
    producerId: 4711,
    producerEpoch: 3,
    baseSequence: 17,
    recordCount: 4,
  })
})

test('attributes tell compression, timestamp type, transaction and control', () => {
  for (const name of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    expect(readBatchHeader(javaBatch(name)).compression).toBe(name)
  }
  expect(readBatchHeader(javaBatch('append-time')).timestampType).toBe('append')
  const control = readBatchHeader(javaBatch('control'))
  expect(control).toMatchObject({ control: true, transactional: true, baseSequence: -1 })
  const unknown = Buffer.from(javaBatch('none'))
  unknown[22] = 5
  expect(readBatchHeader(unknown).compression).toBeUndefined()
})

test('single fields are those of the header, wherever the batch begins', () => {
  const batch = javaBatch('transactional')
  const bytes = new Uint8Array(Buffer.concat([Buffer.alloc(13, 0xff), batch, Buffer.alloc(5)]))
  const header = readBatchHeader(bytes, 13)
  expect(header).toEqual(readBatchHeader(batch))
  expect(batchSizeAt(bytes, 13)).toBe(header.sizeBytes)
  expect(batchBaseOffsetAt(bytes, 13)).toBe(header.baseOffset)
  expect(batchLastOffsetAt(bytes, 13)).toBe(header.lastOffset)
  expect(batchLeaderEpochAt(bytes, 13)).toBe(header.leaderEpoch)
  expect(batchMaxTimestampAt(bytes, 13)).toBe(header.maxTimestamp)
  expect(batchMagicAt(bytes, 13)).toBe(2)
  expect(batchRecordCountAt(bytes, 13)).toBe(4)
  expect(batchCrcIsRight(bytes, 13)).toBe(true)
})

test('a header that is cut is CORRUPT_MESSAGE', () => {
  expect(() => readBatchHeader(javaBatch('none').subarray(0, 60))).toThrow(
    expect.objectContaining({ name: 'CORRUPT_MESSAGE' }),
  )
})

test('the CRC of a batch that does not lie whole within the bytes is not right', () => {
  const batch = Buffer.from(javaBatch('none'))
  expect(batchCrcIsRight(batch)).toBe(true)
  expect(batchCrcIsRight(batch.subarray(0, -1))).toBe(false)
  expect(batchCrcIsRight(batch, 1)).toBe(false)
  for (const length of [-13, -12, 0, 48, 2 ** 31 - 1]) {
    batch.writeInt32BE(length, 8)
    expect(batchCrcIsRight(batch)).toBe(false)
  }
})
