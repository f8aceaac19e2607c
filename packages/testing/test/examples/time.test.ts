// Examples: a clock that the test holds.
import { TestBroker } from '@minikafka/testing'
import { expect, test } from 'vitest'

test('a week passes at once: what is older than its retention is gone', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  await broker.client().producer().send('orders', { value: 'old' })
  await broker.clock.advance('7d')
  expect(await broker.read('orders')).toHaveLength(1)
  await broker.clock.advance('1h')
  expect(await broker.read('orders')).toEqual([])
})

test('a reminder after three hours, and what waits for it', async () => {
  await using broker = await TestBroker.start({ topics: { reminders: 1 } })
  const producer = broker.client().producer()
  broker.clock.timer(3 * 3_600_000, () => producer.push('reminders', { value: 'pay!' }))
  expect(broker.clock.pending().join('\n')).toMatch('in 10800000 ms  the test  timer')
  expect(await broker.read('reminders')).toHaveLength(0)
  await broker.clock.advance('3h')
  expect(await broker.read('reminders')).toHaveLength(1)
})

test('jumping: retries and back-off cost no real time', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 }, clock: 'jumping' })
  await broker.kill()
  const sending = broker.client().producer().send('orders', { value: 'patience' })
  broker.clock.timer(60_000, () => void broker.restart())
  await sending
  expect(broker.clock.monotonicMs()).toBeGreaterThan(60_000)
})

test('clockOf: the wall clock of the broker’s machine jumps', async () => {
  await using broker = await TestBroker.start({
    topics: { log: { config: { 'message.timestamp.type': 'LogAppendTime' } } },
  })
  const producer = broker.client().producer()
  const before = await producer.send('log', { value: 'before' })
  broker.clockOf(0).jump('1h')
  const after = await producer.send('log', { value: 'after' })
  expect(after.timestamp - before.timestamp).toBe(3_600_000)
})
