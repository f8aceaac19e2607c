// The rows of the bad-input catalogue (SECURITY) that are of groups, over the protocol itself: what no client of ours
// sends is refused by name, and a good member goes on.
import type { Apis, MinikafkaError, RequestOf } from '@minikafka/protocol'
import { TestBroker } from '@minikafka/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { at, nameOf, RawMember } from './raw-member.ts'

const SIZE_MAX = 5
const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
const JOIN = { subscribedTopicNames: ['orders'] }

let broker: TestBroker
let good: RawMember
let topicId: string
const members: RawMember[] = []

beforeEach(async () => {
  broker = await TestBroker.start({
    seed: 5,
    topics: { orders: 4 },
    clock: 'jumping',
    config: { 'offsets.topic.num.partitions': 5, 'group.max.size': SIZE_MAX },
  })
  good = await member('good')
  await good.join(JOIN)
  await good.untilAssigned(4)
  const admin = broker.client().admin()
  topicId = (await broker.world.complete(admin.describeTopic('orders'))).topicId
})

afterEach(async () => {
  try {
    await broker.clock.advance('2s')
    await good.acknowledge()
    expect((await good.describe()).members.map(({ memberId }) => memberId)).toContain('good')
    expect(Object.keys(Object.prototype)).toEqual([])
  } finally {
    for (const one of members.splice(0)) one.close()
    await broker[Symbol.asyncDispose]()
  }
})

async function member(id: string, groupId = 'g'): Promise<RawMember> {
  const made = await RawMember.open(broker, groupId, id)
  members.push(made)
  return made
}

async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    return (error as MinikafkaError).name
  }
  return 'NONE'
}

type Fields = Partial<RequestOf<Apis['consumerGroupHeartbeat']>>

const many = (count: number, bytes: number) =>
  Array.from({ length: count }, (_, index) => `${index}`.padEnd(bytes, 'x'))

test.each<[string, Fields, string]>([
  ['an empty group id', { groupId: '' }, 'INVALID_GROUP_ID'],
  ['a group id of 1 MB', { groupId: 'g'.repeat(1024 * 1024) }, 'INVALID_REQUEST'],
  ['an empty member id', { memberId: '' }, 'INVALID_REQUEST'],
  ['a member id of 10 kB', { memberId: 'm'.repeat(10_000) }, 'INVALID_REQUEST'],
  ['an instance id of 10 kB', { instanceId: 'i'.repeat(10_000) }, 'INVALID_REQUEST'],
  ['a rack of 1 MB', { rackId: 'r'.repeat(1024 * 1024) }, 'INVALID_REQUEST'],
  ['a rebalance time-out of 0', { rebalanceTimeoutMs: 0 }, 'INVALID_REQUEST'],
  ['a rebalance time-out of -5', { rebalanceTimeoutMs: -5 }, 'INVALID_REQUEST'],
  ['an epoch of -3', { memberEpoch: -3 }, 'INVALID_REQUEST'],
  ['an assignor that is not', { serverAssignor: 'constructor' }, 'UNSUPPORTED_ASSIGNOR'],
  ['10,001 topics', { subscribedTopicNames: many(10_001, 8) }, 'INVALID_REQUEST'],
  ['topic names of 1 kB', { subscribedTopicNames: many(10, 1024) }, 'INVALID_REQUEST'],
  ['neither topics nor an expression', { subscribedTopicNames: null }, 'INVALID_REQUEST'],
  [
    'partitions that a joining member has already',
    { topicPartitions: [{ topicId: '00000000-0000-4000-8000-000000000001', partitions: [0] }] },
    'INVALID_REQUEST',
  ],
])('54: a join with %s', async (_, fields, name) => {
  const bad = await member('bad')
  expect(await refusal(bad.join({ ...JOIN, ...fields }))).toBe(name)
})

test.each([
  ['of 257 characters', 'a'.repeat(257)],
  ['of 1 MB', 'a'.repeat(1024 * 1024)],
  ['that is malformed', '(orders'],
  ['with look-around', '(?=orders)'],
  ['whose repetitions are a program of millions', '(((x{10}){10}){10}){10}'],
])('54: a topic pattern %s', async (_, subscribedTopicRegex) => {
  const bad = await member('bad')
  const refused = await refusal(bad.join({ ...JOIN, subscribedTopicRegex }))
  const isCut = subscribedTopicRegex.length > 1024
  expect(refused).toBe(isCut ? 'INVALID_REQUEST' : 'INVALID_REGULAR_EXPRESSION')
})

test('54: (a+)+$ is accepted, and evaluated in linear time', async () => {
  const name = `${'a'.repeat(240)}-`
  await broker.world.complete(broker.client().admin().createTopic(name))
  const reader = await member('reader', 'readers')
  await reader.join({ subscribedTopicRegex: '(a+)+$' })
  await reader.untilAssigned(0)
})

test('54: a good member that changes to a bad pattern stays as it was', async () => {
  expect(await refusal(good.beat({ subscribedTopicRegex: '(orders' }))).toBe(
    'INVALID_REGULAR_EXPRESSION',
  )
  expect((await good.describe()).members[0]?.subscribedTopicRegex).toBeNull()
})

test('49: a group takes group.max.size members; those that are in stay, and one that leaves makes room', async () => {
  const others: RawMember[] = []
  for (let index = 1; index < SIZE_MAX; index++) others.push(await member(`m${index}`))
  for (const other of others) await other.join(JOIN)
  const late = await member('late')
  expect(await refusal(late.join(JOIN))).toBe('GROUP_MAX_SIZE_REACHED')
  expect((await good.describe()).members).toHaveLength(SIZE_MAX)
  await others[0]?.beat({ memberEpoch: -1 })
  expect(await refusal(late.join(JOIN))).toBe('NONE')
})

test('55: what a commit may not say', async () => {
  const commit = async (position: Partial<ReturnType<typeof at>>, epoch = good.epoch) =>
    (await good.commit([{ ...at(topicId, 0, 1), ...position }], epoch))[0]
  expect(await commit({ offset: -1 })).toBe('INVALID_REQUEST')
  expect(await refusal(commit({ offset: 2 ** 53 }))).toBe('INVALID_REQUEST')
  expect(await commit({ metadata: 'm'.repeat(4_097) })).toBe('OFFSET_METADATA_TOO_LARGE')
  expect(await refusal(commit({ metadata: 'm'.repeat(1024 * 1024) }))).toBe('INVALID_REQUEST')
  expect(await commit({}, good.epoch + 1)).toBe('STALE_MEMBER_EPOCH')
  const foreign = await member('foreign')
  expect(await refusal(foreign.commit([at(topicId, 0, 1)], good.epoch))).toBe('UNKNOWN_MEMBER_ID')
  expect(await refusal(foreign.commit([at(topicId, 0, 1)], -1))).toBe('UNKNOWN_MEMBER_ID')
  expect(await good.positions()).toEqual([])
  expect(await commit({})).toBe('NONE')
})

test('37: names of JavaScript are plain names: of groups, members, instances, topics, in patterns and metadata', async () => {
  for (const name of NAMES) {
    const odd = await member(name, name)
    await odd.join({
      instanceId: name,
      rackId: name,
      subscribedTopicNames: ['orders', name],
      subscribedTopicRegex: name,
    })
    await odd.untilAssigned(4)
    expect(await refusal(odd.beat({ instanceId: name }))).toBe('NONE')
    const { results } = await odd.call('offsetCommit', {
      ...{ groupId: name, memberId: name, memberEpoch: odd.epoch, instanceId: name },
      positions: [{ ...at(topicId, 0, 1), metadata: name }],
    })
    expect(results.map(({ errorCode }) => nameOf(errorCode))).toEqual(['NONE'])
    expect((await odd.describe()).members).toMatchObject([{ memberId: name, instanceId: name }])
  }
  await broker.restart()
  for (const name of NAMES) {
    const again = await member(`${name}-again`, name)
    expect(await again.positions()).toMatchObject([{ offset: 1 }])
  }
  good = await member('good')
  good.epoch = 0
  await good.join(JOIN)
})
