import { expect, test } from 'vitest'
import { javaBatch } from '../../testdata/java-client.ts'
import { batchCrcIsRight, readBatchHeader } from './header.ts'
import { restampProducer, stampBatch, stampLogAppendTime } from './stamp.ts'

test('base offset and leader epoch are stamped without touching the CRC', () => {
  const batch = Buffer.from(javaBatch('none'))
  stampBatch(batch, Number.MAX_SAFE_INTEGER - 3, 77)
  expect(batch.subarray(16).equals(javaBatch('none').subarray(16))).toBe(true)
  expect(batchCrcIsRight(batch)).toBe(true)
  expect(readBatchHeader(batch)).toMatchObject({
    baseOffset: Number.MAX_SAFE_INTEGER - 3,
    lastOffset: Number.MAX_SAFE_INTEGER,
    leaderEpoch: 77,
  })
})

test('a base offset that is none is a programmer error', () => {
  const batch = Buffer.from(javaBatch('none'))
  expect(() => stampBatch(batch, -1, 0)).toThrow('safe integer')
  expect(() => stampBatch(batch, 2 ** 53, 0)).toThrow('safe integer')
})

test('LogAppendTime makes of a batch what the Java broker makes of it', () => {
  const batch = Buffer.from(javaBatch('none'))
  stampBatch(batch, 0, 0)
  stampLogAppendTime(batch, 1_700_000_099_000)
  expect(batch.toString('hex')).toBe(javaBatch('append-time').toString('hex'))
})

test('another producer identity leaves the records alone and the CRC right', () => {
  const batch = Buffer.from(javaBatch('none'))
  restampProducer(batch, 2 ** 40 + 1, 32_767, 2 ** 31 - 1)
  expect(batchCrcIsRight(batch)).toBe(true)
  expect(readBatchHeader(batch)).toMatchObject({
    producerId: 2 ** 40 + 1,
    producerEpoch: 32_767,
    baseSequence: 2 ** 31 - 1,
  })
  expect(batch.subarray(57).equals(javaBatch('none').subarray(57))).toBe(true)
})
