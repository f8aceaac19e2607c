import { expect, test } from 'vitest'
import { resolveConsumerOptions } from './settings.ts'
import type { ConsumerOptions } from './types.ts'

const resolve = (options: unknown) => resolveConsumerOptions(options as ConsumerOptions<string>)

test('all partitions from the end, or some from where they say', () => {
  expect(resolve({ topics: ['a'] }).wanted).toEqual([
    { topic: 'a', partition: undefined, start: 'latest' },
  ])
  expect(resolve({ assign: [{ topic: 'a', partition: 1, start: 5 }] }).wanted).toEqual([
    { topic: 'a', partition: 1, start: 5 },
  ])
})

test.each([
  [{}, /topics or assign is needed/],
  [{ topics: [] }, /at least one/],
  [{ topics: ['a'], assign: [{ topic: 'a', partition: 0 }] }, /not both/],
  [{ topics: ['a'], strat: 'earliest' }, /did you mean 'start'\?/],
  [{ topics: ['a'], start: 'begin' }, /'earliest', 'latest'/],
  [{ topics: ['a'], start: 5 }, /an offset goes into assign/],
  [{ topics: ['a'], isolation: 'serializable' }, /read_committed/],
  [{ topics: ['a'], onError: 'dead-letter' }, /needs deadLetter/],
  [{ topics: ['a'], onError: 'ignore' }, /'stop', 'skip'/],
  [
    { topics: ['a'], group: 'g', start: 'earliest' },
    /group needs the coordinator, .* use topics .* or assign .*, without a group/,
  ],
  [{ topics: ['a'], prefetchBytes: '16MiB' }, /an integer/],
  [{ topics: ['a'], start: { timestamp: 1, last: 2 } }, /'earliest', 'latest'/],
  [{ topics: ['a', 'b', 'a'] }, /topic 'a' is given twice/],
  [{ topics: [{ name: 'a' }, 'a'] }, /topic 'a' is given twice/],
  [{ topics: [7] }, /a topic name or a topic\(\)/],
  [{ assign: [{ topic: 'a', partition: -1 }] }, /\{ topic, partition, start\? \}/],
  [{ assign: [{ topic: 'a', partition: 0, start: 'error' }] }, /an offset, 'earliest'/],
  [
    {
      assign: [
        { topic: 'a', partition: 0 },
        { topic: 'a', partition: 0, start: 5 },
      ],
    },
    /a-0 is given twice/,
  ],
  [{ assign: [{ topic: 'a', partition: 0 }], start: 'latest' }, /start goes into each item/],
  [{ assign: [{ topic: 'a', partition: 0 }], group: 'g' }, /group needs the coordinator/],
  [{ pattern: 'a.*', group: 'g', start: 'latest' }, /group needs the coordinator/],
  [{ topics: ['a'], commit: 'manual' }, /commit is for groups/],
  [{ topics: ['a'], onRevoked() {} }, /onRevoked is for groups/],
  [{ topics: ['a'], commit: 'sometimes' }, /'processed', 'manual'/],
])('%j is INVALID_OPTION', (options, message) => {
  expect(() => resolve(options)).toThrow(message)
  try {
    resolve(options)
  } catch (error) {
    expect(error).toMatchObject({ name: 'INVALID_OPTION' })
  }
})

test('commit none says what is so without a group', () => {
  expect(resolve({ topics: ['a'], commit: 'none' }).wanted).toHaveLength(1)
})

test('the defaults', () => {
  expect(resolve({ topics: ['a'] })).toMatchObject({
    onOutOfRange: 'error',
    isolation: 1,
    prefetchBytes: 16 * 2 ** 20,
    fetchMinBytes: 1,
    fetchMaxBytes: 8 * 2 ** 20,
    partitionMaxBytes: 2 ** 20,
    fetchMaxWaitMs: 500,
    stalledAfterMs: 60_000,
    onError: 'stop',
  })
})
