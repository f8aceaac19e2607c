// What time does to topics, on a clock that the test holds; and what a failing disk does, simulated.
import { TestBroker } from '@minikafka/testing'
import { expect, test } from 'vitest'

test('retention removes what is old, and readers go on from what is left', async () => {
  await using broker = await TestBroker.start({
    topics: { news: { partitions: 1, config: { 'retention.ms': '1d', 'segment.ms': '1h' } } },
  })
  const producer = broker.client().producer()
  await producer.send('news', { value: 'old' })
  await broker.clock.advance('2h')
  await producer.send('news', { value: 'newer' })
  await broker.clock.advance('23h')
  expect((await broker.read('news')).map(({ value }) => String(value))).toEqual(['newer'])
  await broker.clock.advance('3d')
  expect(await broker.read('news')).toEqual([])
})

test('retention by size leaves at least what it says', async () => {
  await using broker = await TestBroker.start({
    topics: {
      news: { partitions: 1, config: { 'retention.bytes': '8KiB', 'segment.bytes': '4KiB' } },
    },
  })
  const producer = broker.client().producer()
  for (let index = 0; index < 20; index++)
    await producer.send('news', { value: `${index}:`.padEnd(1024, 'x') })
  await broker.clock.advance('10m')
  const left = await broker.read('news')
  expect(left.length).toBeGreaterThanOrEqual(8)
  expect(left.length).toBeLessThan(20)
  expect(left.at(-1)?.offset).toBe(19)
})

test('a full disk refuses records with STORAGE_FULL, reads go on, and it takes them again when there is space', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  const client = broker.client()
  const producer = client.producer({ deliveryTimeoutMs: 5_000 })
  await producer.send('orders', { value: 'before' })
  broker.disk().fill()
  await broker.clock.advance('15s')
  const refused = producer.send('orders', { value: 'refused' }).catch((error: unknown) => error)
  await broker.clock.advance('10s')
  expect(await refused).toMatchObject({
    name: 'DELIVERY_TIMED_OUT',
    outcome: 'not-written',
    cause: { name: 'STORAGE_FULL' },
  })
  expect(await broker.read('orders')).toHaveLength(1)
  broker.disk().heal()
  await broker.clock.advance('2s')
  await producer.send('orders', { value: 'after' })
  expect((await broker.read('orders')).map(({ value }) => String(value))).toEqual([
    'before',
    'after',
  ])
})

test('what was acknowledged survives a power cut', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 3 }, seed: 11 })
  const producer = broker.client().producer()
  const sent = Array.from({ length: 200 }, (_, index) => ({
    key: `k${index % 9}`,
    value: String(index),
  }))
  await Promise.all(sent.map((record) => producer.send('orders', record)))
  await broker.powerCut()
  await broker.restart()
  const values = (await broker.read('orders'))
    .map(({ value }) => Number(value))
    .sort((a, b) => a - b)
  expect(values).toEqual(sent.map((_, index) => index))
})

test('concurrent sends of an idempotent producer keep order per key and are written once', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 2 }, clock: 'jumping', seed: 5 })
  const producer = broker.client().producer({ maxBatchBytes: 2_048 })
  const workers = Array.from({ length: 20 }, async (_, worker) => {
    for (let index = 0; index < 25; index++)
      await producer.send('orders', { key: `k${worker}`, value: `${worker}:${index}` })
  })
  await broker.disconnectAll()
  await Promise.all(workers)
  const all = await broker.read('orders')
  expect(all).toHaveLength(500)
  for (let worker = 0; worker < 20; worker++) {
    const mine = all
      .map(({ value }) => String(value))
      .filter((value) => value.startsWith(`${worker}:`))
    expect(mine).toEqual(Array.from({ length: 25 }, (_, index) => `${worker}:${index}`))
  }
})

test('after a failed fsync and a restart, what is acknowledged then survives a power cut', async () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    await using broker = await TestBroker.start({ topics: { orders: 1 }, seed })
    const producer = broker.client().producer()
    await producer.send('orders', { value: 'before' })
    broker.disk().failSync()
    const sending = producer.send('orders', { value: 'after' })
    await broker.world.until(() => !broker.running)
    await broker.restart()
    await broker.world.complete(sending)
    await broker.powerCut()
    await broker.restart()
    const values = (await broker.read('orders')).map(({ value }) => String(value))
    expect(values, `seed ${seed}`).toEqual(['before', 'after'])
  }
})
