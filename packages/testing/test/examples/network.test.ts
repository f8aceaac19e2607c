// Examples: links that are cut or slow, and requests that meet something else than the broker.
import { TestBroker } from '@minikafka/testing'
import { expect, test } from 'vitest'

test('partition, heal: a send waits until the clients reach the broker again', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  const producer = broker.client().producer()
  await producer.send('orders', { value: 'before' })
  broker.partition('clients', 0)
  const sending = producer.send('orders', { value: 'after' })
  await broker.clock.advance('20s')
  expect(await broker.read('orders')).toHaveLength(1)
  await broker.heal()
  await broker.world.complete(sending)
  expect(await broker.read('orders')).toHaveLength(2)
})

test('partition one way: lost answers are asked for again, and nothing is written twice', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  const producer = broker.client({ requestTimeoutMs: 1000 }).producer()
  await producer.send('orders', { value: 'before' })
  broker.partition(0, 'clients', { oneWay: true })
  const sending = producer.send('orders', { value: 'after' })
  await broker.clock.advance('5s')
  expect(await broker.read('orders')).toHaveLength(2)
  await broker.heal()
  await broker.world.complete(sending)
  expect(await broker.read('orders')).toHaveLength(2)
})

test('slow: an acknowledgement takes as long as the link', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  const producer = broker.client().producer()
  await producer.send('orders', { value: 'fast' })
  broker.slow('clients', 0, '200ms')
  const beganMs = broker.clock.monotonicMs()
  await broker.world.complete(producer.send('orders', { value: 'slow' }))
  expect(broker.clock.monotonicMs() - beganMs).toBeGreaterThanOrEqual(400)
})

test('intercept: the producer retries a lost leader', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 }, clock: 'jumping' })
  let calls = 0
  broker.intercept('Produce', (request, next) =>
    calls++ === 0 ? { error: 'NOT_LEADER_OR_FOLLOWER' } : next(request),
  )
  await broker.client().producer().send('orders', { value: 'x' })
  expect(calls).toBe(2)
})

test('intercept: an answer that never comes is asked for again; the record is there once', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 }, clock: 'jumping' })
  const lost = broker.intercept('Produce', async (request, next) => {
    await next(request)
    return { drop: true }
  })
  const sending = broker
    .client({ requestTimeoutMs: 1000 })
    .producer()
    .send('orders', { value: 'x' })
  broker.clock.timer(3000, () => lost.end())
  await sending
  expect(await broker.read('orders')).toHaveLength(1)
})
