import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@minikafka/client'
import { nodeEnv } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { TestBroker } from './test-broker.ts'

const DAY_MS = 86_400_000

test('a record goes in and comes out, at once, on a clock that stands still', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 3, empty: { partitions: 1 } } })
  const producer = broker.client().producer()
  const sent = await producer.send('orders', { key: 'c-42', value: 'unpaid' })
  expect(await broker.read('empty')).toEqual([])
  const [record, ...others] = await broker.read('orders')
  expect(others).toEqual([])
  expect([String(record?.key), String(record?.value)]).toEqual(['c-42', 'unpaid'])
  expect(record).toMatchObject({ topic: 'orders', partition: sent.partition, offset: sent.offset })
  expect(broker.clock.monotonicMs()).toBe(0)
  expect(await broker.close()).toEqual([])
})

test('read begins where it is told to', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  const producer = broker.client().producer({ compression: 'zstd' })
  await producer.sendMany(
    'orders',
    ['a', 'b', 'c', 'd'].map((value) => ({ value })),
  )
  const values = (await broker.read('orders', { from: 2 })).map(({ value }) => String(value))
  expect(values).toEqual(['c', 'd'])
  await expect(broker.read('nowhere')).rejects.toMatchObject({ name: 'UNKNOWN_TOPIC_OR_PARTITION' })
})

test('what was acknowledged survives kills and power cuts', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  const producer = broker.client().producer()
  for (const [index, die] of [broker.kill, broker.powerCut, broker.powerCut].entries()) {
    await broker.world.complete(producer.send('orders', { value: `order ${index}` }))
    await die.call(broker)
    expect(broker.running).toBe(false)
    await broker.restart()
    const values = (await broker.read('orders')).map(({ value }) => String(value))
    expect(values).toEqual(Array.from({ length: index + 1 }, (_, number) => `order ${number}`))
  }
})

test('retention removes what is old on a clock that the test moves', async () => {
  await using broker = await TestBroker.start({
    topics: {
      orders: { partitions: 1, config: { 'retention.ms': 3_600_000, 'segment.ms': 60_000 } },
    },
  })
  const producer = broker.client().producer()
  await producer.send('orders', { value: 'old' })
  await broker.clock.advance('30m')
  await broker.world.complete(producer.send('orders', { value: 'young' }))
  expect(await broker.read('orders')).toHaveLength(2)
  await broker.clock.advance('45m')
  expect((await broker.read('orders')).map(({ value }) => String(value))).toEqual(['young'])
})

test('a week is few events, and all that is to happen in it has happened', async () => {
  await using broker = await TestBroker.start({
    topics: { orders: { config: { 'retention.ms': '1d' } }, reminders: 1 },
  })
  const client = broker.client()
  const producer = client.producer()
  await producer.send('orders', { value: 'old' })
  const consumer = client.consumer({ topics: ['reminders'], start: 'earliest' })
  const polling = consumer.poll({ maxWaitMs: 2 * DAY_MS })
  const reminders: { offset: number | undefined; atMs: number }[] = []
  const remind = async (day: number) => {
    const { offset } = await producer.send('reminders', { value: `day ${day}` })
    reminders.push({ offset, atMs: broker.clock.monotonicMs() })
    if (day < 7) broker.clock.timer(DAY_MS, () => void remind(day + 1))
  }
  broker.clock.timer(DAY_MS, () => void remind(1))
  const eventsBefore = broker.world.eventCount
  await broker.clock.advance('7d')
  expect(reminders).toEqual(
    [1, 2, 3, 4, 5, 6, 7].map((day) => ({ offset: day - 1, atMs: day * DAY_MS })),
  )
  expect(await polling).toHaveLength(1)
  expect(await broker.read('orders')).toEqual([])
  const sending = producer.send('orders', { value: 'new' })
  expect(await broker.world.complete(sending)).toMatchObject({ offset: 1 })
  expect(broker.world.eventCount - eventsBefore).toBeLessThan(20_000)
  await consumer.close()
  expect(broker.world.logs().filter(({ node }) => node === 'broker-0')).toEqual([])
})

test('a send while the broker is away costs no real time on a jumping clock', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 }, clock: 'jumping', seed: 7 })
  const producer = broker.client().producer()
  await producer.send('orders', { value: 'first' })
  await broker.kill()
  const sending = producer.send('orders', { value: 'second' })
  await broker.clock.advance('20s')
  await broker.restart()
  expect(await sending).toMatchObject({ offset: 1 })
})

test('a lost connection is taken up again and writes nothing twice', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 }, clock: 'jumping', seed: 7 })
  const producer = broker.client().producer()
  const sending = Array.from({ length: 20 }, (_, index) =>
    producer.send('orders', { value: String(index) }),
  )
  await broker.disconnectAll()
  await Promise.all(sending)
  const values = (await broker.read('orders')).map(({ value }) => Number(value))
  expect(values).toEqual(Array.from({ length: 20 }, (_, index) => index))
})

test('a full disk refuses records, and takes them again when there is room', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  const producer = broker.client().producer({ deliveryTimeoutMs: 5000 })
  await producer.send('orders', { value: 'fits' })
  broker.disk().fill()
  await broker.clock.advance('5s')
  const refused = broker.world.complete(producer.send('orders', { value: 'does not' }))
  await expect(refused).rejects.toMatchObject({
    name: 'DELIVERY_TIMED_OUT',
    outcome: 'not-written',
    cause: { name: 'STORAGE_FULL' },
  })
  broker.disk().heal()
  await broker.clock.advance('5s')
  await broker.world.complete(producer.send('orders', { value: 'fits again' }))
  expect((await broker.read('orders')).map(({ value }) => String(value))).toEqual([
    'fits',
    'fits again',
  ])
})

test('a failed sync acknowledges nothing; what was acknowledged before is there after the restart', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  const producer = broker.client().producer({ deliveryTimeoutMs: 60_000 })
  await producer.send('orders', { value: 'acked' })
  broker.disk().failSync()
  const sending = producer.send('orders', { value: 'doubtful' })
  await broker.world.until(() => !broker.running, { what: 'the broker gone' })
  await broker.restart()
  await broker.world.complete(sending)
  expect((await broker.read('orders')).map(({ value }) => String(value))).toEqual([
    'acked',
    'doubtful',
  ])
})

test('a stalled disk holds acknowledgements back until it goes on', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  const producer = broker.client().producer()
  await producer.send('orders', { value: 'first' })
  broker.disk().stall('10s')
  let acked = false
  const sending = producer.send('orders', { value: 'second' }).then(() => {
    acked = true
  })
  await broker.clock.advance('9s')
  expect(acked).toBe(false)
  await broker.clock.advance('1s')
  await sending
})

test('tcp: a client outside of the world, over a real port', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 }, transport: 'tcp' })
  expect(broker.address).toMatch(/^127\.0\.0\.1:\d+$/)
  await using outside = createClient(nodeEnv(), { brokers: broker.address })
  await outside.producer().send('orders', { value: 'from outside' })
  await broker.client().producer().send('orders', { value: 'from inside' })
  expect(await broker.read('orders')).toHaveLength(2)
  const { address } = broker
  await broker.kill()
  await broker.restart()
  expect(broker.address).toBe(address)
  expect(await broker.read('orders')).toHaveLength(2)
})

test('a directory keeps the topics from one test broker to the next', async () => {
  const storage = mkdtempSync(join(tmpdir(), 'minikafka-test-broker-'))
  try {
    await using first = await TestBroker.start({ topics: { orders: 1 }, storage })
    await first.client().producer().send('orders', { value: 'kept' })
    expect(await first.close()).toEqual([])
    await using second = await TestBroker.start({ storage })
    expect(await second.read('orders')).toHaveLength(1)
    await expect(second.powerCut()).rejects.toThrow(`a power cut needs storage 'memory'`)
  } finally {
    rmSync(storage, { recursive: true })
  }
})

test('what was left open is named', async () => {
  const broker = await TestBroker.start({ topics: { orders: 1 } })
  broker.client().consumer({ topics: ['orders'], start: 'earliest' })
  broker.clock.timer(5000, () => undefined)
  const leftovers = await broker.close()
  expect(leftovers).toHaveLength(2)
  expect(leftovers[0]).toBe('client-0: a consumer')
  expect(leftovers[1]).toMatch(/^in 5000 ms {2}the test {2}timer .*test-broker\.test/)
})

test('the same seed gives the same run', async () => {
  const hashOf = async (seed: number) => {
    const broker = await TestBroker.start({ topics: { orders: 2 }, seed })
    const producer = broker.client().producer()
    await Promise.all(['a', 'b', 'c'].map((value) => producer.send('orders', { value })))
    await broker.powerCut()
    await broker.restart()
    await broker.close()
    return broker.world.hash()
  }
  expect(await hashOf(1)).toBe(await hashOf(1))
  expect(await hashOf(1)).not.toBe(await hashOf(2))
})

test('a start that failed leaves no process, and the next one is free to try', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  await broker.kill()
  broker.disk().fill()
  await expect(broker.restart()).rejects.toMatchObject({ name: 'StartError' })
  expect(broker.world.pid('broker-0')).toBeUndefined()
  broker.disk().heal()
  await broker.restart()
  expect(await broker.read('orders')).toEqual([])
})

test('a topic that is refused ends the start with the refusal', async () => {
  const began = TestBroker.start({ topics: { orders: 1, 'not a name': 1 } })
  await expect(began).rejects.toMatchObject({ name: 'INVALID_TOPIC_EXCEPTION' })
})

test('options that cannot work together are refused', async () => {
  await expect(TestBroker.start({ transport: 'tcp', clock: 'jumping' })).rejects.toThrow(
    `transport 'tcp' takes real time`,
  )
  await expect(TestBroker.start({ config: { 'log.segmnt.bytes': 1 } })).rejects.toMatchObject({
    name: 'InvalidConfig',
  })
})
