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
])('%j is INVALID_OPTION', (options, message) => {
  expect(() => resolve(options)).toThrow(message)
  try {
    resolve(options)
  } catch (error) {
    expect(error).toMatchObject({ name: 'INVALID_OPTION' })
  }
})
