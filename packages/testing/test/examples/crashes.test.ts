// Examples: processes and machines that die, pause, and come back.
import { TestBroker } from '@minikafka/testing'
import { expect, test } from 'vitest'

test('kill: what was acknowledged is there when the broker is back', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  await broker.client().producer().send('orders', { value: 'paid' })
  await broker.kill()
  await broker.restart()
  expect(await broker.read('orders')).toHaveLength(1)
})

test('powerCut: so it is where the disk loses what was not synced', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  await broker.client().producer().send('orders', { value: 'paid' })
  await broker.powerCut()
  await broker.restart()
  expect(await broker.read('orders')).toHaveLength(1)
})

test('restart: a client that was there before goes on by itself', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  const producer = broker.client().producer()
  await producer.send('orders', { value: 'before' })
  await broker.restart()
  await broker.world.complete(producer.send('orders', { value: 'after' }))
  expect(await broker.read('orders')).toHaveLength(2)
})

test('pause, resume: who is paused misses nothing that waits for it', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  const producer = broker.client().producer()
  await producer.send('orders', { value: 'before' })
  broker.pause()
  const sending = producer.send('orders', { value: 'meanwhile' })
  await broker.clock.advance('20s')
  broker.resume()
  await sending
  expect(await broker.read('orders')).toHaveLength(2)
})

test('disconnectAll: the client connects again and nothing is written twice', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  const producer = broker.client().producer()
  await producer.send('orders', { value: 'one' })
  const sending = producer.send('orders', { value: 'two' })
  await broker.disconnectAll()
  await broker.world.complete(sending)
  expect(await broker.read('orders')).toHaveLength(2)
})
