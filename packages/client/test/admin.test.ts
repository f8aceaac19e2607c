// The admin against the real broker, in a simulated world.
import type { Admin, Client } from '@minikafka/client'
import { TestBroker } from '@minikafka/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'

let broker: TestBroker
let client: Client
let admin: Admin

beforeEach(async () => {
  broker = await TestBroker.start({ topics: { orders: 3, totals: 1 }, clock: 'jumping', seed: 5 })
  client = broker.client()
  admin = client.admin()
})

afterEach(async () => {
  await broker.close()
})

async function produce(name: string, count: number, partition = 0): Promise<void> {
  const records = Array.from({ length: count }, (_, index) => ({ value: String(index), partition }))
  await client.producer().sendMany(name, records)
}

async function offsets(name: string, at: Parameters<Admin['offsets']>[1]): Promise<number[]> {
  return (await admin.offsets(name, at)).map(({ offset }) => offset)
}

test('createTopic answers with the topic as it is, and refuses it a second time', async () => {
  const made = await admin.createTopic('fresh', {
    partitions: 4,
    config: { 'retention.ms': 60_000, 'cleanup.policy': 'delete' },
  })
  expect(made).toMatchObject({ name: 'fresh', internal: false })
  expect(made.partitions.map(({ partition, leaderId }) => [partition, leaderId])).toEqual([
    [0, 0],
    [1, 0],
    [2, 0],
    [3, 0],
  ])
  await expect(admin.createTopic('fresh')).rejects.toMatchObject({
    name: 'TOPIC_ALREADY_EXISTS',
    topic: 'fresh',
  })
  const again = await admin.createTopic('fresh', { partitions: 9, ifNotExists: true })
  expect(again.topicId).toBe(made.topicId)
  expect(again.partitions).toHaveLength(4)
})

test('createTopic with validateOnly checks everything and makes nothing', async () => {
  const planned = await admin.createTopic('planned', { partitions: 2, validateOnly: true })
  expect(planned).toMatchObject({ name: 'planned', topicId: '' })
  expect(planned.partitions).toHaveLength(2)
  expect((await admin.listTopics()).map(({ name }) => name)).toEqual(['orders', 'totals'])
  await expect(admin.createTopic('a/b', { validateOnly: true })).rejects.toMatchObject({
    name: 'INVALID_TOPIC_EXCEPTION',
  })
  await expect(
    admin.createTopic('x', { config: { 'retention.ms': 'soon' }, validateOnly: true }),
  ).rejects.toMatchObject({ name: 'INVALID_CONFIG' })
})

test.each([
  [{ partition: 3 }, /did you mean 'partitions'/],
  [{ partitions: 0 }, /from 1 to/],
  [{ config: { 'retention.ms': {} } }, /setting retention.ms/],
  [{ ifNotExists: 'yes' }, /true or false/],
] as const)('createTopic(%j) is INVALID_OPTION', async (options, message) => {
  await expect(admin.createTopic('x', options as never)).rejects.toMatchObject({
    name: 'INVALID_OPTION',
    message: expect.stringMatching(message),
  })
})

test('describeTopic: leaders, ISR, and each setting with its origin', async () => {
  await admin.alterTopic('orders', { set: { 'retention.ms': 1_000_000 } })
  const topic = await admin.describeTopic('orders')
  expect(topic.partitions[2]).toMatchObject({ partition: 2, leaderId: 0, replicas: [0], isr: [0] })
  const setting = (name: string) => topic.config.find((entry) => entry.name === name)
  expect(setting('retention.ms')).toMatchObject({ value: '1000000', origin: 'topic' })
  expect(setting('segment.bytes')).toMatchObject({ origin: 'default', readOnly: false })
  const names = topic.config.map(({ name }) => name)
  expect(names).toEqual([...names].sort())
})

test('alterTopic sets and takes back, all of it or nothing', async () => {
  const retention = async () => {
    const { config } = await admin.describeTopic('orders')
    return config.find(({ name }) => name === 'retention.ms')
  }
  const before = await retention()
  await expect(
    admin.alterTopic('orders', { set: { 'retention.ms': 1000, 'segment.bytes': -5 } }),
  ).rejects.toMatchObject({ name: 'INVALID_CONFIG' })
  expect(await retention()).toEqual(before)
  await admin.alterTopic('orders', { set: { 'retention.ms': 1000 }, validateOnly: true })
  expect(await retention()).toEqual(before)
  await admin.alterTopic('orders', { set: { 'retention.ms': 1000 } })
  expect(await retention()).toMatchObject({ value: '1000', origin: 'topic' })
  await admin.alterTopic('orders', { delete: ['retention.ms'] })
  expect(await retention()).toEqual(before)
})

test('34: each call that names an unknown topic offers the nearest', async () => {
  const calls: (() => Promise<unknown>)[] = [
    () => admin.describeTopic('ordres'),
    () => admin.alterTopic('ordres', { set: { 'retention.ms': 1 } }),
    () => admin.addPartitions('ordres', 9),
    () => admin.deleteTopic('ordres'),
    () => admin.deleteRecords('ordres', { 0: 1 }),
    () => admin.offsets('ordres', 'latest'),
  ]
  for (const call of calls) {
    await expect(call()).rejects.toMatchObject({
      name: 'UNKNOWN_TOPIC_OR_PARTITION',
      topic: 'ordres',
      details: { nearest: 'orders' },
      message: expect.stringContaining(`did you mean 'orders'`),
    })
  }
})

test('18: after addPartitions the first send to a new one needs no retry', async () => {
  await produce('totals', 1)
  await admin.addPartitions('totals', 3)
  const producer = client.producer()
  expect(await producer.send('totals', { value: 'a', partition: 2 })).toMatchObject({ offset: 0 })
  expect(client.stats().producers.map(({ retries }) => retries)).toEqual([0, 0])
  await expect(admin.addPartitions('totals', 2)).rejects.toMatchObject({
    name: 'INVALID_PARTITIONS',
  })
})

test('deleteTopic: the name is free again', async () => {
  await produce('totals', 5)
  await admin.deleteTopic('totals')
  await expect(admin.deleteTopic('totals')).rejects.toMatchObject({
    name: 'UNKNOWN_TOPIC_OR_PARTITION',
  })
  await admin.deleteTopic('totals', { ifExists: true })
  await admin.createTopic('totals')
  expect(await offsets('totals', 'latest')).toEqual([0])
})

test('deleteRecords moves the start of a log', async () => {
  await produce('orders', 10, 0)
  await produce('orders', 4, 2)
  await admin.deleteRecords('orders', { 0: 6, 2: -1 })
  expect(await offsets('orders', 'earliest')).toEqual([6, 0, 4])
  await expect(admin.deleteRecords('orders', { 0: 99 })).rejects.toMatchObject({
    name: 'OFFSET_OUT_OF_RANGE',
    partition: 0,
  })
  await expect(admin.deleteRecords('orders', { 7: 1 })).rejects.toMatchObject({
    name: 'INVALID_OPTION',
    message: expect.stringContaining('there is no 7'),
  })
  await expect(admin.deleteRecords('orders', { 0: -2 })).rejects.toMatchObject({
    name: 'INVALID_OPTION',
  })
})

test('offsets: the earliest, the latest, a time, the last n, a number', async () => {
  await produce('orders', 10, 1)
  const { timestamp } = (await broker.read('orders'))[4] ?? { timestamp: 0 }
  expect(await offsets('orders', 'earliest')).toEqual([0, 0, 0])
  expect(await offsets('orders', 'latest')).toEqual([0, 10, 0])
  expect(await offsets('orders', { last: 3 })).toEqual([0, 7, 0])
  expect(await offsets('orders', { last: 300 })).toEqual([0, 0, 0])
  expect(await offsets('orders', { timestamp })).toEqual([0, 0, 0])
  expect(await offsets('orders', { timestamp: timestamp + 1 })).toEqual([0, 10, 0])
  expect(await offsets('orders', 5)).toEqual([5, 5, 5])
  await expect(admin.offsets('orders', 'end' as never)).rejects.toMatchObject({
    name: 'INVALID_OPTION',
  })
})

test('cluster, logDirs: what there is, and a broker that is not there', async () => {
  await produce('orders', 10, 1)
  expect(await admin.cluster()).toMatchObject({
    controllerId: 0,
    topicCount: 2,
    partitionCount: 4,
    brokers: [{ nodeId: 0, status: 'active', host: 'broker-0', port: 9092 }],
  })
  const [directory] = await admin.logDirs()
  expect(directory).toMatchObject({ brokerId: 0 })
  expect(directory?.error).toBeUndefined()
  const orders = directory?.topics.find(({ name }) => name === 'orders')
  expect(orders?.partitions.map(({ logEndOffset }) => logEndOffset).sort()).toEqual([0, 0, 10])
  await expect(admin.logDirs(7)).rejects.toMatchObject({
    name: 'INVALID_OPTION',
    message: 'there is no broker 7; there are 0',
  })
})

test('health says what is ill', async () => {
  const health = await admin.health()
  expect(health).toMatchObject({ healthy: true })
  expect(health.checks.map(({ name }) => name)).toEqual([
    'brokers',
    'controller',
    'leaders',
    'in sync',
    'logs',
    'disk space',
  ])
  await admin.alterBrokerConfig({ set: { 'disk.reserve.bytes': '1000TiB' } })
  const full = await admin.health()
  expect(full.healthy).toBe(false)
  expect(full.checks.filter(({ state }) => state === 'ill')).toMatchObject([
    { name: 'disk space', about: expect.stringMatching(/^broker 0: .* produce is refused$/) },
  ])
  await admin.alterBrokerConfig({ delete: ['disk.reserve.bytes'] })
  expect(await admin.health()).toEqual(health)
})

test('alterBrokerConfig and addPartitions with validateOnly change nothing', async () => {
  const before = await admin.brokerConfig()
  await admin.alterBrokerConfig({ set: { 'num.partitions': 7 }, validateOnly: true })
  expect(await admin.brokerConfig()).toEqual(before)
  await admin.addPartitions('totals', 50, { validateOnly: true })
  expect((await admin.describeTopic('totals')).partitions.length).toBeLessThan(50)
})

test('describeBroker says how the process of a broker is; of none that is not there', async () => {
  const { nodeId } = (await admin.cluster()).brokers[0] ?? { nodeId: -1 }
  const { brokerId, timeMs, openFiles, openFilesMax } = await admin.describeBroker(nodeId)
  expect({ brokerId, openFiles, openFilesMax }).toEqual({
    ...{ brokerId: nodeId, openFiles: 32, openFilesMax: 65_536 },
  })
  const nowMs = broker.world.env('watch').clock.wallMs()
  expect(Math.abs(timeMs - nowMs)).toBeLessThan(60_000)
  await expect(admin.describeBroker(77)).rejects.toMatchObject({ name: 'INVALID_OPTION' })
})

test('brokerConfig and alterBrokerConfig', async () => {
  const retention = async () => {
    return (await admin.brokerConfig()).find(({ name }) => name === 'log.retention.ms')
  }
  await admin.alterBrokerConfig({ set: { 'log.retention.ms': 5000 } })
  expect(await retention()).toMatchObject({ value: '5000', origin: 'dynamic' })
  await expect(
    admin.alterBrokerConfig({ set: { 'log.retention.ms': 'soon' } }),
  ).rejects.toMatchObject({
    name: 'INVALID_CONFIG',
  })
  await expect(admin.alterBrokerConfig({ set: { 'no.such.setting': 1 } })).rejects.toMatchObject({
    name: 'INVALID_CONFIG',
  })
})

test('20: a call that meets a broker in its restart is answered by the new one', async () => {
  await broker.kill()
  const listing = admin.listTopics()
  await broker.restart()
  expect((await listing).map(({ name }) => name)).toEqual(['orders', 'totals'])
})
