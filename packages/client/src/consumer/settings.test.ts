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
  [{ topics: ['a'], group: 'g' }, /a group needs start, .*'earliest'/],
  [{ pattern: 'a.*', group: 'g' }, /a group needs start/],
  [{ group: 'g', start: 'latest' }, /topics or assign is needed \(in a group also pattern\)/],
  [{ group: 'g', start: 'latest', topics: ['a'], pattern: 'a' }, /topics or pattern, not both/],
  [{ group: 'g', start: 'latest', pattern: 'a'.repeat(257) }, /1 to 256 characters/],
  [{ group: '', topics: ['a'], start: 'latest' }, /group must be a string/],
  [{ group: 'g', topics: ['a', 'a'], start: 'latest' }, /topic 'a' is given twice/],
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
  [{ pattern: 'a.*', start: 'latest' }, /pattern needs a group/],
  [{ topics: ['a'], commit: 'manual' }, /commit needs a group/],
  [{ topics: ['a'], onRevoked() {} }, /onRevoked needs a group/],
  [
    { assign: [{ topic: 'a', partition: 0 }], group: 'g', onRevoked() {} },
    /onRevoked is for partitions that the coordinator hands out/,
  ],
  [{ assign: [{ topic: 'a', partition: 0 }], group: 'g', instanceId: 'i' }, /instanceId is for/],
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

test('5: a group consumer without start throws', () => {
  expect(() => resolve({ group: 'g', topics: ['a'] })).toThrow(/needs start/)
})

test('in a group the coordinator says what is read, or it is assigned by hand and begins where the group stands', () => {
  const member = resolve({ group: 'g', topics: ['a'], start: 'latest' })
  expect(member.wanted).toEqual([])
  expect(member.group).toMatchObject({
    id: 'g',
    subscription: { topics: ['a'], pattern: undefined, start: 'latest' },
    commit: 'processed',
    commitIntervalMs: 1000,
    rebalanceTimeoutMs: 300_000,
    maxProcessingMs: undefined,
  })
  const byHand = resolve({ group: 'g', assign: [{ topic: 'a', partition: 2, start: 5 }] })
  expect(byHand.wanted).toEqual([{ topic: 'a', partition: 2, start: { orElse: 5 } }])
  expect(byHand.group?.subscription).toBeUndefined()
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
