// A recorded client behaves as the client does, and what it did can be checked.
import { createClient, json, text, topic } from '@minikafka/client'
import { nodeEnv } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { TestBroker } from '../test-broker.ts'

const TOPICS = { orders: 2 }

test('sends and polls of every kind are recorded, and no promise was broken', async () => {
  await using broker = await TestBroker.start({ topics: TOPICS })
  const history = broker.record()
  const client = broker.client()
  const producer = client.producer()
  await producer.send('orders', { key: 'c-1', value: 'one' })
  await producer.sendMany('orders', [{ value: 'two' }, { value: 'three' }])
  producer.push('orders', { value: 'four' })
  await producer.flush()
  const loop = client.consumer({ topics: ['orders'], start: 'earliest' })
  let read = 0
  for await (const _record of loop) if (++read === 4) break
  await loop.close()
  expect(history.check()).toMatchObject({ acked: 4, read: 4, polled: 4, anomalies: [] })
})

test('every reading mode is recorded once and in order', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  const history = broker.record()
  const client = broker.client()
  const values = ['a', 'b', 'c', 'd', 'e']
  await client.producer().sendMany(
    'orders',
    values.map((value) => ({ value })),
  )
  const consumer = client.consumer({ topics: ['orders'], start: 'earliest' })
  expect(await consumer.poll({ max: 1 })).toHaveLength(1)
  for await (const _record of consumer) break
  for await (const { records } of consumer.batches({ maxRecords: 2 })) {
    expect(records.map(({ value }) => String(value))).toEqual(['b', 'c'])
    break
  }
  await consumer.seek({ topic: 'orders', partition: 0 }, 3)
  for await (const record of consumer.readable()) {
    expect(String(record.value)).toBe('d')
    break
  }
  const handled: string[] = []
  await consumer.run((record) => {
    handled.push(String(record.value))
    if (handled.length === 2) consumer.stop()
  })
  await consumer.close()
  const report = history.check()
  expect(report).toMatchObject({ acked: 5, anomalies: [] })
  expect(report.polled).toBe(1 + 1 + 2 + 1 + handled.length)
})

test('typed topics are told apart by their bytes', async () => {
  await using broker = await TestBroker.start({ topics: TOPICS })
  const orders = topic('orders', { key: text(), value: json<{ cents: number }>() })
  const history = broker.record()
  const client = broker.client()
  await client.producer().send(orders, { key: 'c-1', value: { cents: 1999 } })
  const consumer = client.consumer({ topics: [orders], start: 'earliest' })
  const [record] = await broker.world.complete(consumer.poll())
  expect(record?.value).toEqual({ cents: 1999 })
  expect(history.check()).toMatchObject({ acked: 1, read: 1, anomalies: [] })
  expect(JSON.stringify(history.operations())).toContain('c-1: {\\"cents\\":1999}')
  await consumer.close()
})

test('values need not be unique', async () => {
  await using broker = await TestBroker.start({ topics: TOPICS })
  const history = broker.record()
  const producer = broker.client().producer()
  await Promise.all(Array.from({ length: 20 }, () => producer.send('orders', { value: 'same' })))
  await broker.read('orders')
  expect(history.check()).toMatchObject({ acked: 20, read: 20, anomalies: [] })
})

test('an acknowledged record that the log lost is found, also at its end', async () => {
  await using broker = await TestBroker.start({
    topics: { orders: { partitions: 1, config: { flush: 'os' } } },
    seed: 1,
  })
  const history = broker.record()
  const producer = broker.client().producer()
  for (const value of ['a', 'b', 'c']) await producer.send('orders', { value })
  await broker.powerCut()
  await broker.restart()
  const left = await broker.read('orders')
  expect(left.length).toBeLessThan(3)
  const { anomalyCounts } = history.check()
  expect(anomalyCounts).toEqual({ 'lost-write': 3 - left.length })
})

test('a record that nobody sent is found', async () => {
  await using broker = await TestBroker.start({ topics: TOPICS, transport: 'tcp' })
  const history = broker.record()
  await broker.client().producer().send('orders', { value: 'known' })
  await using stranger = createClient(nodeEnv(), { brokers: broker.address })
  await stranger.producer().send('orders', { value: 'unknown', partition: 0 })
  await broker.read('orders')
  expect(history.check().anomalies.map(({ kind, value }) => `${kind} ${value}`)).toEqual([
    'phantom unknown',
  ])
})

test('acknowledged and never read: unseen, until somebody reads', async () => {
  await using broker = await TestBroker.start({ topics: TOPICS })
  const history = broker.record()
  await broker.client().producer().send('orders', { value: 'a' })
  expect(history.check().anomalyCounts).toEqual({ unseen: 1 })
  await broker.read('orders')
  expect(history.check().anomalies).toEqual([])
})

test('a record that was refused counts as refused, and is not missed', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  const history = broker.record()
  const producer = broker.client().producer({ deliveryTimeoutMs: 1000 })
  await producer.send('orders', { value: 'fits' })
  broker.disk().fill()
  await broker.clock.advance('10s')
  const refused = producer.send('orders', { value: 'refused' })
  await expect(broker.world.complete(refused)).rejects.toMatchObject({ outcome: 'not-written' })
  broker.disk().heal()
  await broker.read('orders')
  expect(history.check()).toMatchObject({ acked: 1, refused: 1, read: 1, anomalies: [] })
})

test('record() after the first client is refused: what that one sent is not known', async () => {
  await using broker = await TestBroker.start()
  broker.client()
  expect(() => broker.record()).toThrow('record() comes before the first client()')
})
