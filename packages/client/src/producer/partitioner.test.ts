import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeyPartitions, roundRobin, sticky } from './partitioner.ts'

/** From Kafka's own UtilsTest: key and murmur2. */
const KAFKA = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
] as const

test('26: same key, same partition, as Kafka has it', () => {
  const keys = new KeyPartitions()
  for (const [key, hash] of KAFKA) {
    for (const count of [1, 6, 7, 100])
      expect(keys.of(key, count)).toBe((hash & 0x7fffffff) % count)
  }
})

test('a string and its UTF-8 meet the same partition', () => {
  const keys = new KeyPartitions()
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ maxLength: 300 }),
  )
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 1000 }), (key, count) => {
      const partition = keys.of(key, count)
      expect(partition).toBe(keys.of(Buffer.from(key), count))
      expect(partition).toBeLessThan(count)
      expect(partition).toBeGreaterThanOrEqual(0)
    }),
  )
})

test('the partitioners can be asked by others', () => {
  const ask = { topic: 't', key: null, partitionCount: 3, available: [0, 2] }
  const inTurn = roundRobin()
  expect([inTurn(ask), inTurn(ask), inTurn(ask)]).toEqual([0, 2, 0])
  const keyed = { ...ask, key: Buffer.from('21') }
  expect(inTurn(keyed)).toBe((-973932308 & 0x7fffffff) % 3)
  expect(sticky()(keyed)).toBe(inTurn(keyed))
})
