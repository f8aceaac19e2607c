// When the scrubber reads, and what comes of it: on a clock that the test holds. What it finds: src/log/scrub.test.ts.
import { TestBroker } from '@minikafka/testing'
import { expect, test } from 'vitest'

const LOG = '/var/lib/minikafka/orders-0/00000000000000000000.log'
const EVERY_HOUR = { 'log.scrub.interval.ms': '1h' }

async function filled(config: Readonly<Record<string, string>>): Promise<TestBroker> {
  const broker = await TestBroker.start({ topics: { orders: 1 }, config })
  const producer = broker.client().producer()
  for (let count = 0; count < 10; count++)
    await producer.send('orders', { value: `${count}`.padEnd(10_000, '.') })
  return broker
}

/** In the third record. */
function rot(broker: TestBroker): void {
  broker.world.disk('broker-0').flipBit(LOG, 25_000, 3)
}

/** Nobody naps: every timer is on time. */
async function aMinuteAfterTheOther(broker: TestBroker, count: number): Promise<void> {
  for (let minute = 0; minute < count; minute++) await broker.clock.advance('1m')
}

function damageLines(broker: TestBroker): Record<string, unknown>[] {
  const lines = broker.world.logs().map(({ text }) => JSON.parse(text) as Record<string, unknown>)
  return lines.filter(({ msg }) => String(msg).startsWith('a log is damaged'))
}

test('rot that no reader met is found within the interval, named once, and never served', async () => {
  await using broker = await filled(EVERY_HOUR)
  rot(broker)
  await broker.clock.advance('1h')
  const place = { topic: 'orders', partition: 0, path: LOG, fromOffset: 2, nextOffset: 3 }
  expect(damageLines(broker)).toEqual([
    expect.objectContaining({ ...place, reason: 'a wrong CRC' }),
  ])
  await broker.clock.advance('3h')
  expect(damageLines(broker)).toHaveLength(1)
  for (const _ of ['before', 'after a restart']) {
    await expect(broker.read('orders')).rejects.toMatchObject({
      name: 'KAFKA_STORAGE_ERROR',
      message: expect.stringContaining('offset 2 cannot be read'),
    })
    expect(await broker.read('orders', { from: 3 })).toHaveLength(7)
    await broker.restart()
  }
})

test('with an interval of 0 nothing is read', async () => {
  await using broker = await filled({ 'log.scrub.interval.ms': '0' })
  rot(broker)
  await broker.clock.advance('5h')
  expect(damageLines(broker)).toHaveLength(0)
})

test('a restart goes on where it was: what was read lately is not read again', async () => {
  await using broker = await filled(EVERY_HOUR)
  await broker.clock.advance('53m')
  rot(broker)
  await broker.restart()
  await broker.clock.advance('30m')
  expect(damageLines(broker)).toHaveLength(0)
  await broker.clock.advance('20m')
  expect(damageLines(broker)).toHaveLength(1)
})

test('it reads no faster than the bound', async () => {
  const slow = { 'log.scrub.io.max.bytes.per.second': '64KiB', 'log.level': 'debug' }
  await using broker = await filled({ ...EVERY_HOUR, ...slow })
  rot(broker)
  // Seen first after an eighth of the interval, due three quarters of it later.
  await aMinuteAfterTheOther(broker, 52)
  await broker.clock.advance(30_100)
  // 100 KB take a second and a half.
  await broker.clock.advance('1s')
  expect(damageLines(broker)).toHaveLength(0)
  await broker.clock.advance('1s')
  expect(damageLines(broker)).toHaveLength(1)
})
