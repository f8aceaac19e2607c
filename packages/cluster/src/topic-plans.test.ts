import { describe, expect, test } from 'vitest'
import { placeReplicas } from './placement.ts'
import { isInternalTopic, topicNameError } from './topic-names.ts'
import { type NewTopic, type Present, planGrowth, planTopic, unknownTopic } from './topic-plans.ts'

function topic(fields: Partial<NewTopic> = {}): NewTopic {
  return {
    name: 'orders',
    partitions: 3,
    replicationFactor: 1,
    config: new Map(),
    defaults: { partitions: 6, replicationFactor: 2 },
    minIsr: (replicationFactor) => Math.floor(replicationFactor / 2) + 1,
    ...fields,
  }
}

function present(fields: Partial<Present> = {}): Present {
  return {
    has: (name) => name === 'taken' || name === 'a.b',
    partitionCount: 10,
    partitionsMax: 100,
    activeBrokers: [1, 2, 3],
    ...fields,
  }
}

describe('names of topics', () => {
  test.each(['a', '0', '-', '_', 'A.b_c-9', 'x'.repeat(249), '...', '__proto__', 'constructor'])(
    '%s is one',
    (name) => expect(topicNameError(name)).toBeUndefined(),
  )

  test.each([
    '',
    '.',
    '..',
    'x'.repeat(250),
    'a/b',
    'a\\b',
    'a b',
    'a\0',
    'a\n',
    'caf\u00e9',
    '\u{1f600}',
    'a:b',
    '\u001b[31m',
  ])('%j is none, and the reason can be printed', (name) => {
    const reason = topicNameError(name)
    expect(reason).toBeTypeOf('string')
    expect(reason).toMatch(/^[ -~\u{1f600}\u00e9]+$/u)
  })

  test('two underscores in front are the mark of the brokers', () => {
    expect(isInternalTopic('__consumer_offsets')).toBe(true)
    expect(isInternalTopic('_orders')).toBe(false)
  })
})

describe('planTopic', () => {
  test.each<[string, Partial<NewTopic>, Partial<Present>, string]>([
    ['a bad name', { name: 'a/b' }, {}, 'INVALID_TOPIC_EXCEPTION'],
    ['a name of the brokers', { name: '__consumer_offsets' }, {}, 'INVALID_TOPIC_EXCEPTION'],
    ['a name that is taken', { name: 'taken' }, {}, 'TOPIC_ALREADY_EXISTS'],
    ['0 partitions', { partitions: 0 }, {}, 'INVALID_PARTITIONS'],
    ['-2 partitions', { partitions: -2 }, {}, 'INVALID_PARTITIONS'],
    ['a million partitions', { partitions: 1_000_000 }, {}, 'POLICY_VIOLATION'],
    ['one partition too many', { partitions: 91 }, {}, 'POLICY_VIOLATION'],
    ['0 replicas', { replicationFactor: 0 }, {}, 'INVALID_REPLICATION_FACTOR'],
    ['-2 replicas', { replicationFactor: -2 }, {}, 'INVALID_REPLICATION_FACTOR'],
    ['more replicas than brokers', { replicationFactor: 4 }, {}, 'INVALID_REPLICATION_FACTOR'],
    ['no broker to put it on', {}, { activeBrokers: [] }, 'INVALID_REPLICATION_FACTOR'],
    [
      'an own min.insync.replicas above the replication factor',
      { config: new Map([['min.insync.replicas', '2']]), minIsr: () => 2 },
      {},
      'INVALID_CONFIG',
    ],
  ])('refuses %s', (_what, fields, there, name) => {
    expect(() => planTopic(topic(fields), present(there))).toThrow(
      expect.objectContaining({ name }),
    )
  })

  test('takes the defaults for -1', () => {
    const plan = planTopic(topic({ partitions: -1, replicationFactor: -1 }), present())
    expect(plan.partitions).toHaveLength(6)
    expect(plan).toMatchObject({ replicationFactor: 2, minIsr: 2 })
  })

  test('takes the last partition that there is room for', () => {
    expect(planTopic(topic({ partitions: 90 }), present()).partitions).toHaveLength(90)
  })

  test('lets names differ only in dot and underscore (row 32)', () => {
    expect(planTopic(topic({ name: 'a_b' }), present()).name).toBe('a_b')
  })

  test('cuts a default min.insync.replicas to the replication factor', () => {
    expect(planTopic(topic({ minIsr: () => 7 }), present()).minIsr).toBe(1)
  })

  test('lets the brokers make their own topics', () => {
    const plan = planTopic(topic({ name: '__consumer_offsets', internal: true }), present())
    expect(plan.name).toBe('__consumer_offsets')
  })

  test('begins every partition complete, led by its first replica, in epoch 0', () => {
    const { partitions } = planTopic(
      topic({ replicationFactor: 2 }),
      present({ partitionCount: 0 }),
    )
    expect(partitions.map(({ leader, isr, replicas }) => ({ leader, isr, replicas }))).toEqual([
      { leader: 1, isr: [1, 2], replicas: [1, 2] },
      { leader: 2, isr: [2, 3], replicas: [2, 3] },
      { leader: 3, isr: [3, 1], replicas: [3, 1] },
    ])
    expect(partitions[0]).toMatchObject({ leaderEpoch: 0, minIsr: 2, elr: [], unclean: false })
  })
})

describe('planGrowth', () => {
  const orders = { name: 'orders', partitions: 3, replicationFactor: 1, minIsr: 1 }

  test('gives the partitions that are missing', () => {
    expect(planGrowth(orders, 5, present())).toHaveLength(2)
  })

  test.each([3, 2, 0, -1])('refuses %i where there are 3', (total) => {
    expect(() => planGrowth(orders, total, present())).toThrow(
      expect.objectContaining({ name: 'INVALID_PARTITIONS' }),
    )
  })

  test('refuses more than max.partitions', () => {
    expect(() => planGrowth(orders, 1_000_000, present())).toThrow(
      expect.objectContaining({ name: 'POLICY_VIOLATION' }),
    )
  })
})

test('replicas of one partition are different brokers, and leaders are spread evenly', () => {
  const placed = placeReplicas([5, 3, 9], { count: 9, replicationFactor: 3, start: 4 })
  for (const replicas of placed) expect(new Set(replicas).size).toBe(3)
  const leaders = placed.map(([leader]) => leader)
  for (const id of [3, 5, 9]) expect(leaders.filter((leader) => leader === id)).toHaveLength(3)
})

test('an unknown topic is answered with the nearest name', () => {
  expect(unknownTopic('order', ['orders', 'payments']).message).toMatch(/did you mean orders\?/)
})
