import { randomBytes } from 'node:crypto'
import { nodeEnv } from '@minikafka/platform'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { BatchReader } from './batch-reader.ts'
import { BatchWriter } from './batch-writer.ts'
import { decodeBatch } from './decode-batch.ts'
import { BatchFilter, emptyBatch } from './filter-batch.ts'
import { readBatchHeader } from './header.ts'
import { COMPRESSIONS } from './layout.ts'
import { stampBatch, stampLogAppendTime, sumBatch } from './stamp.ts'

const { compress } = nodeEnv()
beforeAll(() => Promise.all(COMPRESSIONS.map((name) => compress.prepare(name))))

const HORIZON_MS = 1_800_000_000_000

type Input = { timestamp: number; key: string | null; value: string | null }

function batchOf(
  records: readonly Input[],
  compression: (typeof COMPRESSIONS)[number] = 'none',
  sizeMax = 200_000,
): Buffer {
  const writer = new BatchWriter(Buffer.alloc(sizeMax))
  for (const { timestamp, key, value } of records)
    writer.tryAppend(timestamp, key, value, [['h', 'header']])
  const batch = writer.seal(compress, {
    compression,
    producerId: 7,
    producerEpoch: 3,
    baseSequence: 40,
  })
  const own = Buffer.from(batch)
  stampBatch(own, 100, 5)
  return own
}

function filtered(batch: Buffer, stays: (offset: number) => boolean): Buffer | 'none' | undefined {
  return filteredAt(HORIZON_MS, batch, stays)
}

function filteredAt(
  horizonMs: number,
  batch: Buffer,
  stays: (offset: number) => boolean,
): Buffer | 'none' | undefined {
  const filter = new BatchFilter(batch, compress, (record) => stays(record.offset))
  while (filter.go(7));
  return filter.build(horizonMs)
}

const record = (index: number, value: string | null = 'v'.repeat(30)): Input => ({
  timestamp: 1_700_000_000_000 + ((index * 7) % 5) * 1000,
  key: `k${index}`,
  value,
})

describe('what stays', () => {
  test('keeps its offset, its timestamp and all it holds, in every codec', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            timestamp: fc.oneof(fc.integer({ min: -1, max: 2 ** 42 }), fc.constant(-1)),
            key: fc.option(fc.string({ maxLength: 20 })),
            value: fc.option(fc.string({ maxLength: 200 })),
            stays: fc.boolean(),
          }),
          { minLength: 1, maxLength: 60 },
        ),
        fc.constantFrom(...COMPRESSIONS),
        fc.boolean(),
        (records, compression, isAppendTime) => {
          const batch = batchOf(records, compression)
          if (isAppendTime) stampLogAppendTime(batch, 1_750_000_000_000)
          const before = decodeBatch(batch, compress)
          const kept = before.filter((_, index) => records[index]?.stays)
          const result = filtered(batch, (offset) => records[offset - 100]?.stays === true)
          if (kept.length === 0) {
            expect(result).toBe('none')
            return
          }
          const after = result === undefined ? batch : result
          expect(decodeBatch(after as Buffer, compress)).toEqual(kept)
          const isSame = kept.length === before.length
          const hasTombstone = kept.some(({ key, value }) => key !== null && value === null)
          expect(result === undefined).toBe(isSame && !hasTombstone)
          const header = readBatchHeader(after as Buffer)
          expect(header.deleteHorizonMs).toBe(hasTombstone ? HORIZON_MS : undefined)
          const newest = Math.max(...kept.map(({ timestamp }) => timestamp))
          if (result !== undefined)
            expect(header.maxTimestamp).toBe(isAppendTime ? 1_750_000_000_000 : newest)
        },
      ),
    )
  })

  test('the place in the log and the producer are those of the whole batch', () => {
    const batch = batchOf([0, 1, 2, 3].map((index) => record(index)))
    const before = readBatchHeader(batch)
    const after = readBatchHeader(filtered(batch, (offset) => offset === 101) as Buffer)
    const { crc: _, sizeBytes: __, recordCount, maxTimestamp: ___, ...place } = after
    expect(recordCount).toBe(1)
    expect(before).toMatchObject(place)
    expect(after).toMatchObject({ baseOffset: 100, lastOffset: 103, baseSequence: 40 })
  })
})

describe('the delete horizon', () => {
  test('is given once: the next filter leaves it and the timestamps alone', () => {
    const batch = batchOf([record(0), record(1, null), record(2)])
    const first = filtered(batch, () => true) as Buffer
    expect(readBatchHeader(first).deleteHorizonMs).toBe(HORIZON_MS)
    expect(decodeBatch(first, compress)).toEqual(decodeBatch(batch, compress))
    expect(filtered(first, () => true)).toBeUndefined()
    const later = filteredAt(HORIZON_MS + 1, first, (offset) => offset !== 100)
    expect(readBatchHeader(later as Buffer).deleteHorizonMs).toBe(HORIZON_MS)
    expect(decodeBatch(later as Buffer, compress)).toEqual(decodeBatch(batch, compress).slice(1))
  })

  test('a record without a key is no tombstone', () => {
    const batch = batchOf([{ timestamp: 1, key: null, value: null }])
    expect(filtered(batch, () => true)).toBeUndefined()
  })
})

test('an empty batch keeps its offsets, its sequence and its newest time, and is read as no record', () => {
  for (const compression of COMPRESSIONS) {
    const batch = batchOf([record(0), record(1), record(2, null)], compression)
    const withHorizon = filtered(batch, () => true) as Buffer
    for (const source of [batch, withHorizon]) {
      const empty = emptyBatch(source)
      expect(empty).toHaveLength(61)
      const reader = new BatchReader(empty, compress)
      expect(reader.next()).toBe(false)
      expect(reader.nextOffset).toBe(103)
      const { baseOffset, baseSequence, producerId, producerEpoch, leaderEpoch, maxTimestamp } =
        readBatchHeader(source)
      const same = { baseOffset, baseSequence, producerId, producerEpoch, leaderEpoch }
      expect(reader.header).toMatchObject({ ...same, maxTimestamp, deleteHorizonMs: undefined })
    }
  }
})

test('no horizon is given where a timestamp is too far from it: the delta would lose digits', () => {
  const batch = batchOf([
    { timestamp: 1_000, key: 'k', value: null },
    { timestamp: 1_000, key: 'l', value: '1' },
  ])
  batch.writeBigInt64BE(BigInt(10 - 2 ** 53), 27)
  sumBatch(batch)
  expect(filtered(batch, () => true)).toBeUndefined()
  const one = filtered(batch, (offset) => offset === 100) as Buffer
  expect(readBatchHeader(one).deleteHorizonMs).toBeUndefined()
  expect(decodeBatch(one, compress)).toEqual(decodeBatch(batch, compress).slice(0, 1))
})

test('nor where the batch would become larger than a batch may be', () => {
  const writer = new BatchWriter(Buffer.alloc(15 * 2 ** 20))
  writer.tryAppend(1_700_000_000_000, 'deleted', null, undefined)
  while (writer.tryAppend(1_700_000_000_000, 'k', 'v', undefined));
  const options = {
    compression: 'none',
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
  } as const
  const batch = Buffer.from(writer.seal(compress, options))
  expect(filtered(batch, () => true)).toBeUndefined()
  const half = filtered(batch, (offset) => offset % 2 === 0) as Buffer
  expect(readBatchHeader(half).deleteHorizonMs).toBe(HORIZON_MS)
})

test('what would shrink like a bomb without its neighbours is compressed less', () => {
  const noise = randomBytes(200_000).toString('base64')
  const batch = batchOf(
    [
      { timestamp: 1, key: 'noise', value: noise },
      { timestamp: 1, key: 'flat', value: 'x'.repeat(20_000_000) },
    ],
    'zstd',
    21_000_000,
  )
  const flat = filtered(batch, (offset) => offset === 101) as Buffer
  expect(flat.length).toBeLessThan(2_000_000)
  expect(readBatchHeader(flat).compression).toBe('snappy')
  expect(decodeBatch(flat, compress)[0]?.value).toHaveLength(20_000_000)
})
