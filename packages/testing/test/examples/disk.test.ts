// Examples: disks that are full, slow, broken or rotten.
import { TestBroker } from '@minikafka/testing'
import { expect, test } from 'vitest'

test('fill: a full disk refuses records, serves what is there, and takes records again', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  const producer = broker.client().producer()
  await producer.send('orders', { value: 'fits' })
  broker.disk().fill()
  const sending = producer.send('orders', { value: 'waits' })
  await broker.clock.advance('10s')
  expect(await broker.read('orders')).toHaveLength(1)
  broker.disk().heal()
  await broker.world.complete(sending)
  expect(await broker.read('orders')).toHaveLength(2)
})

test('stall: a disk that hangs holds acknowledgements back', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  const producer = broker.client().producer()
  broker.disk().stall('10s')
  let acked = false
  const sending = producer.send('orders', { value: 'x' }).then(() => {
    acked = true
  })
  await broker.clock.advance('9s')
  expect(acked).toBe(false)
  await broker.clock.advance('1s')
  await sending
})

test('failSync: nothing is acknowledged that may be lost; the broker stops rather than guess', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  const producer = broker.client().producer()
  broker.disk().failSync()
  const sending = producer.send('orders', { value: 'doubtful' })
  await broker.world.until(() => !broker.running, { what: 'the broker gone' })
  await broker.heal()
  await broker.world.complete(sending)
  expect(await broker.read('orders')).toHaveLength(1)
})

test('flipBit: what has rotted is named and never handed out', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  const client = broker.client()
  await client.producer().send('orders', { value: 'x'.repeat(1000) })
  await broker.restart()
  broker.disk().flipBit('orders', 0)
  const consumer = client.consumer({ topics: ['orders'], start: 'earliest' })
  await expect(broker.world.complete(consumer.poll({ maxWaitMs: 5000 }))).rejects.toThrow()
  await consumer.close()
})
