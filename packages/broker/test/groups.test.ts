// Groups over the protocol itself, on a real broker in a simulated world: what is promised holds over restarts and crashes.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { MinikafkaError } from '@minikafka/protocol'
import { TestBroker } from '@minikafka/testing'
import { afterEach, expect, test } from 'vitest'
import { at, nameOf, RawMember } from './raw-member.ts'

const SESSION = '20s'
let broker: TestBroker
const members: RawMember[] = []

afterEach(async () => {
  for (const member of members.splice(0)) member.close()
  await broker[Symbol.asyncDispose]()
})

async function start(config: Record<string, string | number | boolean> = {}): Promise<void> {
  broker = await TestBroker.start({
    seed: 5,
    topics: { orders: 4 },
    clock: 'jumping',
    config: { 'offsets.topic.num.partitions': 5, ...config },
  })
}

async function member(id = 'm1', groupId = 'g'): Promise<RawMember> {
  const made = await RawMember.open(broker, groupId, id)
  members.push(made)
  return made
}

async function idOf(topic: string): Promise<string> {
  const admin = broker.client().admin()
  return (await broker.world.complete(admin.describeTopic(topic))).topicId
}

function administer<T>(
  work: (admin: ReturnType<ReturnType<TestBroker['client']>['admin']>) => Promise<T>,
): Promise<T> {
  return broker.world.complete(work(broker.client().admin()))
}

async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    return (error as MinikafkaError).name
  }
  return 'NONE'
}

test('one member gets all partitions, a second one its half as the first gives it up', async () => {
  await start()
  const first = await member('m1')
  await first.join({ subscribedTopicNames: ['orders'] })
  await first.untilAssigned(4)
  const second = await member('m2')
  await second.join({ subscribedTopicNames: ['orders'] })
  await broker.clock.advance('2s')
  await second.acknowledge()
  expect(second.partitionCount).toBe(0)
  // Told to give up two, and not heard to have done so: nobody else gets them.
  await first.beat()
  expect(first.partitionCount).toBe(2)
  await second.acknowledge()
  expect(second.partitionCount).toBe(0)
  await second.untilAssigned(2, [first])
  const shared = [...first.assigned.values(), ...second.assigned.values()].flat()
  expect(shared.toSorted()).toEqual([0, 1, 2, 3])
})

test('a position that was answered is there after a restart, a crash and a power cut', async () => {
  await start()
  const topicId = await idOf('orders')
  let raw = await member()
  expect(await raw.positions()).toEqual([])
  for (const [index, end] of ['restart', 'kill', 'powerCut'].entries()) {
    expect(await raw.commit([at(topicId, 0, 10 + index), at(topicId, 1, 7)], -1)).toEqual([
      'NONE',
      'NONE',
    ])
    if (end === 'kill') await broker.kill()
    if (end === 'powerCut') await broker.powerCut()
    await broker.restart()
    raw = await member(end)
    expect(await raw.positions()).toEqual([
      { topicId, partition: 0, offset: 10 + index },
      { topicId, partition: 1, offset: 7 },
    ])
  }
})

test('while the groups are loaded that is what everybody is told, and then they are all there', async () => {
  await start()
  const topicId = await idOf('orders')
  const raw = await member()
  const metadata = 'm'.repeat(4_000)
  const commits = Array.from({ length: 400 }, (_, index) =>
    raw.commitLater([{ ...at(topicId, index % 4, index), metadata }]),
  )
  await broker.world.complete(Promise.all(commits))
  await broker.restart()
  broker.disk().stall('2s')
  const again = await member('m2')
  expect(again.sawLoading).toBe(true)
  expect(await again.positions()).toMatchObject([396, 397, 398, 399].map((offset) => ({ offset })))
})

test('positions that were replaced are compacted away, and those that stand are loaded', async () => {
  await start({ 'log.roll.ms': '1m', 'log.cleaner.backoff.ms': '15s' })
  const topicId = await idOf('orders')
  let raw = await member()
  for (let offset = 0; offset < 30; offset++) await raw.commit([at(topicId, 0, offset)], -1)
  // A segment of this age is closed by the next write: what is in it may be compacted.
  await broker.clock.advance('2m')
  raw = await member('m2')
  await raw.commit([at(topicId, 1, 7)], -1)
  await broker.clock.advance('1m')
  const loads: { records: number }[] = []
  const loaded = (message: unknown) => loads.push(message as { records: number })
  subscribe('minikafka:broker:groups-loaded', loaded)
  try {
    await broker.restart()
    raw = await member('m3')
    expect(await raw.positions()).toEqual([
      { topicId, partition: 0, offset: 29 },
      { topicId, partition: 1, offset: 7 },
    ])
    expect(loads.reduce((sum, { records }) => sum + records, 0)).toBe(2)
  } finally {
    unsubscribe('minikafka:broker:groups-loaded', loaded)
  }
})

test('members and their epochs are there after a crash: nobody has to join anew', async () => {
  await start()
  const first = await member('m1')
  await first.join({ subscribedTopicNames: ['orders'] })
  await first.untilAssigned(4)
  await broker.powerCut()
  await broker.restart()
  const again = await member('m1')
  again.epoch = first.epoch
  again.assigned = first.assigned
  const { memberEpoch } = await again.acknowledge()
  expect(memberEpoch).toBe(first.epoch)
  expect(await again.commit([at(await idOf('orders'), 0, 3)])).toEqual(['NONE'])
})

test('a power cut at any event of a commit leaves the old position or the new one, and what was answered stays', async () => {
  await start()
  const topicId = await idOf('orders')
  let answeredCount = 0
  let kept = 0
  for (let step = 1; step <= 40; step++) {
    const raw = await member(`m${step}`)
    let answered = false
    const committing = raw.commitLater([at(topicId, 0, step)]).then(
      ({ results }) => {
        answered = results[0]?.errorCode === 0
      },
      () => undefined,
    )
    let event = 0
    await broker.world.until(() => ++event >= step || answered)
    const wasAnswered = answered
    await broker.powerCut()
    await broker.restart()
    await broker.world.complete(committing)
    const [position] = await (await member(`then-${step}`)).positions()
    if (wasAnswered) expect(position?.offset).toBe(step)
    else expect([kept, step]).toContain(position?.offset ?? 0)
    kept = position?.offset ?? 0
    if (wasAnswered) answeredCount++
    for (const open of members.splice(0)) open.close()
  }
  expect(answeredCount).toBeGreaterThan(5)
}, 60_000)

test('a member whose session ended is out: its late commit is refused, and another has its partitions', async () => {
  await start()
  const topicId = await idOf('orders')
  const zombie = await member('m1')
  await zombie.join({ subscribedTopicNames: ['orders'] })
  await zombie.untilAssigned(4)
  expect(await zombie.commit([at(topicId, 0, 5)])).toEqual(['NONE'])
  await broker.clock.advance(SESSION)
  const other = await member('m2')
  await other.join({ subscribedTopicNames: ['orders'] })
  await other.untilAssigned(4)
  expect(await refusal(zombie.commit([at(topicId, 0, 9)]))).toBe('UNKNOWN_MEMBER_ID')
  expect(await refusal(zombie.beat())).toBe('UNKNOWN_MEMBER_ID')
  const positions = await other.positions()
  expect(positions).toEqual([{ topicId, partition: 0, offset: 5 }])
})

test('what belongs to the brokers is not for clients, and an operator may look at it', async () => {
  await start()
  const raw = await member()
  await raw.commit([at(await idOf('orders'), 0, 1)], -1)
  const { topics } = await raw.call('metadata', {
    names: ['__consumer_offsets'],
    topicIds: null,
    allowAutoTopicCreation: false,
  })
  const [topic] = topics
  expect(topic).toMatchObject({ isInternal: true, errorCode: 0 })
  const topicId = topic?.topicId ?? ''
  const fetched = () =>
    raw.call('fetch', {
      ...{ replicaId: -1, brokerEpoch: -1, sessionId: 0, sessionEpoch: -1, isolation: 0 },
      ...{ rack: '', maxWaitMs: 0, minBytes: 1, maxBytes: 65_536 },
      partitions: [0, 1, 2, 3, 4].map((partition) => ({
        ...{ topicId, partition, leaderEpoch: -1, fetchOffset: 0, lastFetchedEpoch: -1 },
        ...{ durableOffset: -1, logStartOffset: -1, suspectOffset: -1, maxBytes: 65_536 },
      })),
    })
  const batch = Buffer.alloc(100)
  const produced = await raw.call('produce', {
    acks: -1,
    timeoutMs: 1000,
    trace: false,
    appends: [{ topicId, partition: 0, batch }],
  })
  const cut = await raw.call('deleteRecords', {
    partitions: [{ topicId, partition: 0, beforeOffset: -1 }],
    timeoutMs: 1000,
  })
  const listed = await raw.call('listOffsets', {
    isolation: 0,
    partitions: [{ topicId, partition: 0, leaderEpoch: -1, timestamp: -1 }],
  })
  for (const { results } of [produced, cut, listed, await fetched()]) {
    expect(nameOf(results[0]?.errorCode)).toBe('TOPIC_AUTHORIZATION_FAILED')
  }
  const admin = broker.client().admin()
  const name = '__consumer_offsets'
  const changes = [
    () => admin.deleteTopic(name),
    () => admin.addPartitions(name, 60),
    () => admin.alterTopic(name, { set: { 'retention.ms': '1000' } }),
  ]
  for (const change of changes)
    expect(await refusal(broker.world.complete(change()))).toBe('TOPIC_AUTHORIZATION_FAILED')
  const names = (await broker.world.complete(admin.listTopics())).map((one) => one.name)
  expect(names).toEqual(['orders'])
  await broker.world.complete(
    admin.alterBrokerConfig({ set: { 'internal.topics.readable': 'true' } }),
  )
  const { results } = await fetched()
  expect(results.map(({ errorCode }) => errorCode)).toEqual([0, 0, 0, 0, 0])
  expect(results.flatMap(({ records }) => records).length).toBeGreaterThan(0)
})

test('the first ones to ask make the topic once, with its settings, however many they are', async () => {
  await start({ 'offsets.topic.num.partitions': 50 })
  const raw = await member()
  const asked = Array.from({ length: 20 }, (_, index) =>
    raw.send('findCoordinator', { keyType: 0, keys: [`group-${index}`, ''] }),
  )
  for (const { results } of await broker.world.complete(Promise.all(asked)))
    expect(results.map(({ errorCode }) => nameOf(errorCode))).toEqual(['NONE', 'INVALID_GROUP_ID'])
  const { partitions, config } = await administer((admin) =>
    admin.describeTopic('__consumer_offsets'),
  )
  expect(partitions).toHaveLength(50)
  const values = new Map(config.map((entry) => [entry.name, entry.value]))
  expect(['flush', 'segment.bytes', 'max.message.bytes'].map((key) => values.get(key))).toEqual([
    'group',
    String(100 * 1024 * 1024),
    String(8 * 1024 * 1024),
  ])
})

test('a topic that grows is shared out anew, and members that keep partitions keep them', async () => {
  await start()
  const raw = await member()
  await raw.join({ subscribedTopicNames: ['orders'] })
  await raw.untilAssigned(4)
  await raw.acknowledge()
  await administer((admin) => admin.addPartitions('orders', 6))
  await raw.untilAssigned(6)
  expect((await raw.describe()).rebalances.at(-1)?.reason).toMatch(/orders/)
})

test('a pattern takes a topic that is made later, and never one of the brokers', async () => {
  await start()
  const raw = await member()
  await raw.join({ subscribedTopicNames: [], subscribedTopicRegex: '.*' })
  await raw.untilAssigned(4)
  await administer((admin) => admin.createTopic('more', { partitions: 3 }))
  await raw.untilAssigned(7)
  const wrong = (await member('m2')).join({ subscribedTopicRegex: '(', subscribedTopicNames: [] })
  expect(await refusal(wrong)).toBe('INVALID_REGULAR_EXPRESSION')
})

test('a deleted topic takes its positions with it', async () => {
  await start()
  const topicId = await idOf('orders')
  await administer((admin) => admin.createTopic('other', { partitions: 1 }))
  const otherId = await idOf('other')
  const raw = await member()
  await raw.commit([at(topicId, 0, 1), at(otherId, 0, 2)], -1)
  await administer((admin) => admin.deleteTopic('other'))
  await broker.clock.advance('1s')
  expect(await raw.positions()).toEqual([{ topicId, partition: 0, offset: 1 }])
})

test('positions of a group without members are forgotten after offsets.retention.ms', async () => {
  await start({ 'offsets.retention.ms': '1h', 'log.retention.check.interval.ms': '1m' })
  const topicId = await idOf('orders')
  const raw = await member()
  await raw.commit([at(topicId, 0, 1)], -1)
  await broker.clock.advance('55m')
  expect(await (await member('m2')).positions()).toHaveLength(1)
  await broker.clock.advance('10m')
  const late = await member('m3')
  expect(await late.positions()).toEqual([])
  const { groups } = await late.call('listGroups', { states: [] })
  expect(groups).toEqual([])
})

test('a wall clock that is set wrong for a moment takes no position away', async () => {
  await start({ 'offsets.retention.ms': '1d', 'log.retention.check.interval.ms': '1m' })
  const topicId = await idOf('orders')
  const raw = await member()
  await raw.commit([at(topicId, 0, 1)], -1)
  await broker.clock.advance('2m')
  broker.clockOf(0).jump('30d')
  await broker.clock.advance('61s')
  broker.clockOf(0).jump('-30d')
  await broker.clock.advance('5m')
  expect(await (await member('m2')).positions()).toHaveLength(1)
})

test('on a full disk commits are refused by its name, and go on when there is space', async () => {
  await start({ 'disk.reserve.bytes': 0 })
  const topicId = await idOf('orders')
  const raw = await member()
  await raw.join({ subscribedTopicNames: ['orders'] })
  await raw.untilAssigned(4)
  expect(await raw.commit([at(topicId, 0, 1)])).toEqual(['NONE'])
  broker.disk().fill(0)
  expect(await refusal(raw.commit([at(topicId, 0, 2)]))).toBe('STORAGE_FULL')
  // A heartbeat that changes nothing needs no space.
  expect(await refusal(raw.beat())).toBe('NONE')
  broker.disk().heal()
  await broker.clock.advance('5s')
  expect(await raw.positions()).toMatchObject([{ offset: 1 }])
  expect(await raw.commit([at(topicId, 0, 3)])).toEqual(['NONE'])
})

test('groups are listed, described and deleted, and one with members is not', async () => {
  await start()
  const topicId = await idOf('orders')
  const raw = await member()
  await raw.join({ subscribedTopicNames: ['orders'] })
  const alone = await member('m2', 'alone')
  await alone.commit([at(topicId, 0, 1)], -1)
  const { groups } = await raw.call('listGroups', { states: [] })
  expect(groups.map(({ groupId }) => groupId)).toEqual(['alone', 'g'])
  const { groups: described } = await raw.call('consumerGroupDescribe', {
    groupIds: ['g', 'nobody', ''],
  })
  expect(described.map(({ errorCode, state }) => [nameOf(errorCode), state])).toEqual([
    ['NONE', expect.any(String)],
    ['GROUP_ID_NOT_FOUND', 'Dead'],
    ['INVALID_GROUP_ID', 'Dead'],
  ])
  expect(described[0]?.members).toMatchObject([{ memberId: 'm1', clientId: 'client-m1' }])
  const { results } = await raw.call('deleteGroups', { groupIds: ['alone', 'g', 'nobody'] })
  expect(results.map(({ errorCode }) => nameOf(errorCode))).toEqual([
    'NONE',
    'NON_EMPTY_GROUP',
    'GROUP_ID_NOT_FOUND',
  ])
  expect(await alone.positions()).toEqual([])
})

test('more groups than max.groups are refused, those that are there go on', async () => {
  await start({ 'max.groups': 2 })
  const topicId = await idOf('orders')
  const position = at(topicId, 0, 1)
  const [a, b, c] = [await member('m1', 'a'), await member('m2', 'b'), await member('m3', 'c')]
  await a.commit([position], -1)
  await b.commit([position], -1)
  expect(await refusal(c.commit([position], -1))).toBe('THROTTLING_QUOTA_EXCEEDED')
  expect(await a.commit([position], -1)).toEqual(['NONE'])
})

test('above max.groups.bytes positions are moved and none are added', async () => {
  await start({ 'max.groups.bytes': '1MiB' })
  const topicId = await idOf('orders')
  const metadata = 'm'.repeat(4_000)
  const words = (partition: number) => ({ ...at(topicId, partition, 1), metadata })
  let refused = 0
  const raw = await member('m1', 'first')
  await raw.commit([at(topicId, 0, 1), words(1)], -1)
  const reader = await member('m2', 'readers')
  await reader.join({ subscribedTopicNames: ['orders'] })
  for (let group = 0; group < 100; group++) {
    const { results } = await raw
      .call('offsetCommit', {
        ...{ groupId: `g${group}`, memberId: '', memberEpoch: -1, instanceId: null },
        positions: [0, 1, 2, 3].map(words),
      })
      .catch((error: MinikafkaError) => {
        expect(error).toMatchObject({ name: 'THROTTLING_QUOTA_EXCEEDED' })
        return { results: [] }
      })
    if (results.length === 0) refused++
  }
  expect(refused).toBeGreaterThan(20)
  expect(refused).toBeLessThan(50)
  expect(await raw.commit([at(topicId, 0, 2), words(1)], -1)).toEqual(['NONE', 'NONE'])
  expect(await refusal(raw.commit([words(0)], -1))).toBe('THROTTLING_QUOTA_EXCEEDED')
  // Not by longer words of those who are in, either.
  const names = Array.from({ length: 1_000 }, (_, index) => `a-topic-that-is-not-there-${index}`)
  expect(await refusal(reader.beat({ subscribedTopicNames: names }))).toBe(
    'THROTTLING_QUOTA_EXCEEDED',
  )
  expect(await refusal(reader.beat({ subscribedTopicNames: ['orders'] }))).toBe('NONE')
  await raw.call('deleteGroups', { groupIds: ['g0', 'g1', 'g2', 'g3'] })
  expect(await raw.commit([words(0)], -1)).toEqual(['NONE'])
})
