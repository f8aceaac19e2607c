import type { BatchHeader } from '@minikafka/protocol'
import { expect, test } from 'vitest'
import { type ProducerImage, ProducerStates } from './producer-states.ts'
import { ProducerUses } from './producer-uses.ts'

function batch(fields: Partial<BatchHeader> & { count?: number }): BatchHeader {
  const count = fields.count ?? 1
  const baseOffset = fields.baseOffset ?? 0
  return {
    sizeBytes: 100,
    leaderEpoch: 0,
    magic: 2,
    crc: 0,
    attributes: 0,
    compression: 'none',
    timestampType: 'create',
    transactional: false,
    control: false,
    deleteHorizonMs: undefined,
    lastOffsetDelta: count - 1,
    lastOffset: baseOffset + count - 1,
    baseTimestamp: 0,
    maxTimestamp: 0,
    producerId: 7,
    producerEpoch: 0,
    baseSequence: 0,
    recordCount: count,
    baseOffset,
    ...fields,
  }
}

function states(...batches: BatchHeader[]): ProducerStates {
  const all = new ProducerStates(new ProducerUses(() => 1_000))
  for (const header of batches) all.record(header, 1)
  return all
}

test('a batch without a producer id is always appended and never remembered', () => {
  const all = states(batch({ producerId: -1, producerEpoch: -1, baseSequence: -1 }))
  expect(all.size).toBe(0)
  expect(all.check(batch({ producerId: -1, producerEpoch: -1, baseSequence: -1 })).kind).toBe(
    'append',
  )
})

test('an unknown producer must begin at sequence 0', () => {
  expect(states().check(batch({ baseSequence: 0 })).kind).toBe('append')
  expect(states().check(batch({ baseSequence: 3 }))).toMatchObject({ error: 'UNKNOWN_PRODUCER_ID' })
})

test('each of the last five batches is recognized and answered with its offsets, the sixth last is not', () => {
  const six = [0, 1, 2, 3, 4, 5].map((n) =>
    batch({ baseSequence: n * 2, count: 2, baseOffset: n * 10 }),
  )
  const all = states(...six)
  for (const n of [1, 2, 3, 4, 5]) {
    const verdict = all.check(batch({ baseSequence: n * 2, count: 2 }))
    expect(verdict).toMatchObject({
      kind: 'duplicate',
      mark: { firstOffset: n * 10, lastOffset: n * 10 + 1 },
    })
  }
  expect(all.check(batch({ baseSequence: 0, count: 2 }))).toMatchObject({
    error: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
  })
})

test('a gap in the sequence is refused, the next one is appended', () => {
  const all = states(batch({ baseSequence: 0, count: 3 }))
  expect(all.check(batch({ baseSequence: 4 }))).toMatchObject({
    error: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
  })
  expect(all.check(batch({ baseSequence: 3 })).kind).toBe('append')
})

test('after sequence 2^31 - 1 comes 0, also in the middle of a batch', () => {
  const last = 2 ** 31 - 1
  const ended = states(batch({ baseSequence: last, count: 1 }))
  expect(ended.check(batch({ baseSequence: 0 })).kind).toBe('append')
  const across = states(batch({ baseSequence: last, count: 3 }))
  expect(across.check(batch({ baseSequence: 2 })).kind).toBe('append')
  expect(across.check(batch({ baseSequence: last, count: 3 })).kind).toBe('duplicate')
})

test('a lower epoch is fenced, a higher one must begin at 0 and forgets the old batches', () => {
  const all = states(batch({ producerEpoch: 3, baseSequence: 9 }))
  expect(all.check(batch({ producerEpoch: 2, baseSequence: 10 }))).toMatchObject({
    error: 'INVALID_PRODUCER_EPOCH',
  })
  expect(all.check(batch({ producerEpoch: 4, baseSequence: 10 }))).toMatchObject({
    error: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
  })
  all.record(batch({ producerEpoch: 4, baseSequence: 0 }), 2)
  expect(all.check(batch({ producerEpoch: 4, baseSequence: 1 })).kind).toBe('append')
})

test('an image keeps all that a retry is recognized by, and for how long each was silent', () => {
  const numbered = [0, 1, 2, 3, 4, 5, 6].map((n) => batch({ baseSequence: n, baseOffset: n * 10 }))
  const before = states(...numbered)
  const uses = new ProducerUses(() => 1_000)
  const after = new ProducerStates(uses)
  after.restore(before.images(60, 1_001), 5_000)
  for (const n of [1, 2, 3, 4, 5])
    expect(after.check(batch({ baseSequence: n }))).toMatchObject({ mark: { firstOffset: n * 10 } })
  expect(after.check(batch({ baseSequence: 6 })).kind).toBe('append')
  uses.expire(4_000)
  expect(after.has(7)).toBe(true)
  uses.expire(4_001)
  expect(after.has(7)).toBe(false)
})

test('an image that is taken while producers go on is whole with the headers behind it', () => {
  const of = (producerId: number, n: number) =>
    batch({ producerId, baseSequence: n, baseOffset: n * 10 + producerId })
  const ids = [1, 2, 3]
  const before = states(...[0, 1].flatMap((n) => ids.map((id) => of(id, n))))
  const images = before.images(20, 1_000)
  const taken = [images.next().value]
  const behind = [2, 3, 4, 5, 6, 7, 8].flatMap((n) => [of(1, n), of(2, n)])
  for (const header of [...behind, of(4, 0)]) before.record(header, 1_001)
  const after = states()
  after.restore([...taken, ...images] as ProducerImage[], 1_002)
  for (const header of [...behind, of(4, 0)]) after.record(header, 1_002)
  for (const [id, last] of [
    [1, 8],
    [2, 8],
    [3, 1],
    [4, 0],
  ] as const) {
    for (let n = 0; n <= last + 2; n++)
      expect(after.check(of(id, n))).toEqual(before.check(of(id, n)))
    expect(after.check(of(id, last)).kind).toBe('duplicate')
  }
})

test('a cut leaves each producer where it was; one that had more in flight than it may must take a new epoch', () => {
  const numbered = (...numbers: number[]) =>
    numbers.map((n) => batch({ baseSequence: n, baseOffset: n * 10 }))
  const five = states(...numbered(0, 1, 2, 3, 4, 5, 6))
  five.truncate(20)
  expect(five.check(batch({ baseSequence: 2 })).kind).toBe('append')
  expect(five.check(batch({ baseSequence: 1 }))).toMatchObject({ kind: 'duplicate' })
  const all = states(...numbered(0, 1, 2))
  all.truncate(0)
  expect(all.check(batch({ baseSequence: 0 })).kind).toBe('append')
  const tooMany = states(...numbered(0, 1, 2, 3, 4, 5, 6, 7))
  tooMany.truncate(20)
  for (const baseSequence of [0, 2]) {
    expect(tooMany.check(batch({ baseSequence }))).toMatchObject({
      error: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
    })
  }
  expect(tooMany.check(batch({ producerEpoch: 1, baseSequence: 0 })).kind).toBe('append')
})
