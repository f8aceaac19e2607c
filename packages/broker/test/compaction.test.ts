// Compacted topics from the outside: what clients produce, what they may not, and what they find later, on a held clock.
import type { Client } from '@minikafka/client'
import { TestBroker } from '@minikafka/testing'
import { expect, test } from 'vitest'

const COMPACTED = { 'cleanup.policy': 'compact', 'segment.bytes': '4KiB' }
const VALUE = '.'.repeat(300)

function start(config: Readonly<Record<string, string>> = {}): Promise<TestBroker> {
  return TestBroker.start({
    topics: { users: { partitions: 1, config: { ...COMPACTED, ...config } } },
  })
}

/** `rounds` times each of `keys`, a batch each time. */
async function fill(client: Client, rounds: number, keys: readonly string[]): Promise<void> {
  const producer = client.producer()
  for (let round = 0; round < rounds; round++)
    for (const key of keys) await producer.send('users', { key, value: `${round}${VALUE}` })
  await producer.close()
}

type Read = Awaited<ReturnType<TestBroker['read']>>[number]

function byKey(records: readonly Read[]): Map<string, string | null> {
  return new Map(
    records.map(({ key, value }) => [String(key), value && String(value).replace(VALUE, '')]),
  )
}

test('of each key the last value is found, after the cleaner and after every kind of restart', async () => {
  await using broker = await start()
  await fill(broker.client(), 30, ['ann', 'bob', 'eve'])
  const before = await broker.read('users')
  await broker.clock.advance('1m')
  const after = await broker.read('users')
  expect(before).toHaveLength(90)
  expect(after.length).toBeLessThan(20)
  expect(byKey(after)).toEqual(byKey(before))
  expect(before).toEqual(expect.arrayContaining(after))
  for (const restart of [() => broker.restart(), () => crash(broker)]) {
    await restart()
    expect(await broker.read('users')).toEqual(after)
  }
  await fill(broker.client(), 1, ['bob'])
  expect((await broker.read('users')).at(-1)).toMatchObject({ offset: 90 })
})

async function crash(broker: TestBroker): Promise<void> {
  await broker.powerCut()
  await broker.restart()
}

test('a deleted key is read as such for delete.retention.ms, and then not at all', async () => {
  await using broker = await start({ 'delete.retention.ms': '1h', 'max.compaction.lag.ms': '10m' })
  const producer = broker.client().producer()
  await producer.send('users', { key: 'ann', value: 'here' })
  await producer.send('users', { key: 'ann', value: null })
  await producer.send('users', { key: 'bob', value: 'here' })
  await broker.clock.advance('12m')
  expect([...byKey(await broker.read('users'))]).toEqual([
    ['ann', null],
    ['bob', 'here'],
  ])
  await broker.clock.advance('50m')
  expect(byKey(await broker.read('users')).has('ann')).toBe(true)
  await broker.clock.advance('15m')
  expect([...byKey(await broker.read('users'))]).toEqual([['bob', 'here']])
})

test('a record without a key is refused, its batch with it; the sentence says what to do', async () => {
  await using broker = await start()
  const producer = broker.client().producer({ compression: 'gzip' })
  await expect(producer.send('users', { value: 'who?' })).rejects.toMatchObject({
    name: 'INVALID_RECORD',
    message: expect.stringMatching(/no key, and users is compacted.*Give every record a key/),
  })
  await producer.send('users', { key: 'ann', value: 'me' })
  expect(await broker.read('users')).toHaveLength(1)
})

test('a topic that becomes compacted is, from then on', async () => {
  await using broker = await start({ 'cleanup.policy': 'delete' })
  const client = broker.client()
  await client.producer().send('users', { value: 'nobody' })
  await fill(client, 30, ['ann', 'bob'])
  await broker.clock.advance('5m')
  expect(await broker.read('users')).toHaveLength(61)
  await client.admin().alterTopic('users', { set: { 'cleanup.policy': 'compact' } })
  await expect(client.producer().send('users', { value: 'nobody' })).rejects.toMatchObject({
    name: 'INVALID_RECORD',
  })
  await broker.clock.advance('1m')
  const records = await broker.read('users')
  expect(records.length).toBeLessThan(20)
  // What came without a key before stays.
  expect(records[0]).toMatchObject({ offset: 0, key: null })
})

test('age removes nothing of a compacted topic, and old segments of one that is both', async () => {
  for (const [policy, isKept] of [
    ['compact', true],
    ['compact,delete', false],
  ] as const) {
    await using broker = await start({ 'cleanup.policy': policy, 'retention.ms': '1h' })
    await fill(broker.client(), 20, ['ann', 'bob'])
    await broker.clock.advance('2h')
    expect((await broker.read('users')).length > 0).toBe(isKept)
  }
})

test('a reader who is in the middle of it goes on without a loss or a warning', async () => {
  await using broker = await start()
  await fill(broker.client(), 30, ['ann', 'bob', 'eve'])
  await using consumer = broker.client().consumer({ topics: ['users'], start: 'earliest' })
  const seen: number[] = []
  for await (const { offset } of consumer) {
    seen.push(offset)
    if (offset === 10) await broker.clock.advance('1m')
    if (offset === 89) break
  }
  expect(seen).toEqual([...seen].sort((one, other) => one - other))
  expect(broker.world.logs().map(({ text }) => text)).toEqual([])
})

test('a topic that is deleted while it is compacted takes neither the cleaner nor the broker with it', async () => {
  const config = { 'log.cleaner.io.max.bytes.per.second': '64KiB', 'log.cleaner.backoff.ms': '1s' }
  const topics = { users: { config: COMPACTED }, others: { config: COMPACTED } }
  await using broker = await TestBroker.start({ topics, config })
  await fill(broker.client(), 100, ['ann', 'bob', 'eve'])
  await broker.clock.advance('1500ms')
  await broker.client().admin().deleteTopic('users')
  const producer = broker.client().producer()
  for (let round = 0; round < 60; round++)
    await producer.send('others', { key: 'ann', value: `${round}${VALUE}` })
  await broker.clock.advance('10s')
  expect((await broker.read('others')).length).toBeLessThan(20)
  await broker.restart()
  expect(broker.world.logs().map(({ text }) => text)).toEqual([])
})

test('records of a topic that is only compacted are not deleted by offset; with compact,delete they are', async () => {
  await using broker = await start()
  const client = broker.client()
  await fill(client, 2, ['ann', 'bob'])
  const admin = client.admin()
  const words = { name: 'POLICY_VIOLATION', message: expect.stringMatching(/compact,delete/) }
  await expect(admin.deleteRecords('users', { 0: 2 })).rejects.toMatchObject(words)
  expect(await broker.read('users')).toHaveLength(4)
  await admin.alterTopic('users', { set: { 'cleanup.policy': 'compact,delete' } })
  await admin.deleteRecords('users', { 0: 2 })
  expect((await broker.read('users')).map(({ offset }) => offset)).toEqual([2, 3])
})
