// A reader that got a wrong CRC says so with its next fetch: the broker looks at its disk before it answers.
import { isMinikafkaError } from '@minikafka/client'
import { TestBroker } from '@minikafka/testing'
import { expect, test } from 'vitest'

const LOG = '/var/lib/minikafka/orders-0/00000000000000000000.log'

/** Ten records of 10 kB, none in memory, the scrubber off. */
async function filled(): Promise<TestBroker> {
  const config = { 'log.scrub.interval.ms': '0' }
  const broker = await TestBroker.start({ topics: { orders: 1 }, config })
  const producer = broker.client().producer()
  for (let count = 0; count < 10; count++)
    await producer.send('orders', { value: `${count}`.padEnd(10_000, '.') })
  await broker.restart()
  return broker
}

test('rot that a reader meets is marked on its word, and named with its range from then on', async () => {
  await using broker = await filled()
  broker.world.disk('broker-0').flipBit(LOG, 25_000, 3)
  await using consumer = broker.client().consumer({ topics: ['orders'], start: 'earliest' })
  const seen: number[] = []
  const read = async () => {
    try {
      for await (const { offset } of consumer) seen.push(offset)
    } catch (error) {
      if (isMinikafkaError(error)) return error
      throw error
    }
    return undefined
  }
  expect(await read()).toMatchObject({ name: 'CORRUPT_MESSAGE', offset: 2 })
  expect(await read()).toMatchObject({
    name: 'KAFKA_STORAGE_ERROR',
    offset: 2,
    details: { fromOffset: 2, nextOffset: 3 },
  })
  expect(seen).toEqual([0, 1])
  const lines = broker.world.logs().map(({ text }) => JSON.parse(text) as Record<string, unknown>)
  expect(lines.filter(({ msg }) => String(msg).startsWith('a log is damaged'))).toEqual([
    expect.objectContaining({ path: LOG, fromOffset: 2, nextOffset: 3, reason: 'a wrong CRC' }),
  ])
  expect(await broker.read('orders', { from: 3 })).toHaveLength(7)
})
