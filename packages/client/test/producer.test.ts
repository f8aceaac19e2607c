// The producer against the real broker, in a simulated world. Each test has the number and the name of a behaviour
// that must hold (CLIENT 3); the finer points are tested against the twin, beside the code.
import { pipeline } from 'node:stream/promises'
import { type Client, type Producer, sticky } from '@minikafka/client'
import { TestBroker, type TestBrokerOptions } from '@minikafka/testing'
import { afterEach, expect, test } from 'vitest'
import { times } from './stage.ts'

const brokers: TestBroker[] = []

afterEach(async () => {
  for (const broker of brokers.splice(0)) await broker.close()
})

type Options = TestBrokerOptions & { readonly producer?: Parameters<Client['producer']>[0] }

async function start({ producer: settings, ...options }: Options = {}) {
  const broker = await TestBroker.start({ topics: { orders: 1 }, seed: 1, ...options })
  brokers.push(broker)
  const client = broker.client()
  const producer = client.producer(settings)
  const done = <T>(work: Promise<T>) => broker.world.complete(work, { timeout: '10m' })
  return { broker, client, producer, done }
}

/** Values of a partition, in the order of the log. */
async function values(broker: TestBroker, partition = 0): Promise<string[]> {
  const records = await broker.read('orders')
  return records
    .filter((record) => record.partition === partition)
    .map(({ value }) => String(value))
}

async function warm(producer: Producer): Promise<void> {
  await producer.send('orders', { value: 'warm', partition: 0 })
}

test('17: trouble with one topic never fails traffic of another', async () => {
  const { broker, producer, done } = await start()
  const missing = producer.send('missing', { value: 'a' })
  missing.catch(() => {})
  expect(await producer.send('orders', { value: 'a' })).toMatchObject({ offset: 0 })
  expect(broker.clock.monotonicMs()).toBe(0)
  await expect(done(missing)).rejects.toMatchObject({ name: 'UNKNOWN_TOPIC_OR_PARTITION' })
})

test('18: after createTopic resolves, the first send needs no retry', async () => {
  const { client, producer } = await start({ topics: {} })
  await client.admin().createTopic('fresh', { partitions: 6 })
  expect(await producer.send('fresh', { value: 'a', partition: 5 })).toMatchObject({ offset: 0 })
  expect(client.stats().producers).toMatchObject([{ retries: 0, acked: 1 }])
})

test('20: a broker that restarts needs no user code: no loss, no duplicate, no error', async () => {
  const { broker, producer, done } = await start({ producer: { maxBatchBytes: 2048 } })
  const sent: Promise<unknown>[] = []
  const send = async (from: number, to: number) => {
    for (let index = from; index < to; index++) {
      sent.push(producer.send('orders', { value: `${index}`.padEnd(100) }))
      if (index % 50 === 0) await broker.clock.advance('2ms')
    }
  }
  await send(0, 500)
  await broker.kill()
  await send(500, 700)
  await broker.restart()
  await send(700, 1000)
  await broker.restart()
  await send(1000, 1200)
  await done(Promise.all(sent))
  expect((await values(broker)).map(Number)).toEqual(times(1200, (index) => index))
})

test('20: a broker that starts after the client is found', async () => {
  const { broker, producer, done } = await start()
  await broker.kill()
  const sent = producer.send('orders', { value: 'early' })
  await broker.clock.advance('20s')
  await broker.restart()
  expect(await done(sent)).toMatchObject({ offset: 0 })
})

test('21: close delivers what was pushed, is idempotent, and leaves no handle open', async () => {
  const { broker, producer } = await start()
  for (const value of times(100, String)) producer.push('orders', { value })
  await Promise.all([producer.close(), producer.close()])
  expect(await values(broker)).toEqual(times(100, String))
  brokers.splice(0)
  expect(await broker.close()).toEqual([])
})

test('21: close is bounded by its timeout', async () => {
  const { broker, producer, done } = await start()
  await warm(producer)
  await broker.kill()
  const sent = producer.send('orders', { value: 'a' })
  sent.catch(() => {})
  await done(producer.close({ timeoutMs: 1000 }))
  expect(broker.clock.monotonicMs()).toBe(1000)
  await expect(sent).rejects.toMatchObject({ name: 'CLOSED' })
})

test('22: close works before the first connection; nothing connects after it', async () => {
  const { client, producer } = await start()
  await client.close()
  await expect(producer.send('orders', { value: 'a' })).rejects.toMatchObject({ name: 'CLOSED' })
  expect(client.stats().connections).toEqual([])
})

test('24: a lone send leaves in the same turn: for … await send() costs one round trip each', async () => {
  const { broker, producer } = await start({ producer: { lingerMs: 1000 } })
  for (const value of ['a', 'b', 'c']) await producer.send('orders', { value })
  expect(broker.clock.monotonicMs()).toBe(0)
})

test('25: concurrent sends share batches with no setting', async () => {
  const { client, producer } = await start()
  await warm(producer)
  const sent = times(2000, (index) => producer.send('orders', { value: `${index}` }))
  const offsets = (await Promise.all(sent)).map(({ offset }) => offset)
  expect(offsets).toEqual(times(2000, (index) => index + 1))
  // As separate batches they would take 61 bytes more each.
  const [directory] = await client.admin().logDirs()
  const orders = directory?.topics.find(({ name }) => name === 'orders')
  expect(orders?.partitions[0]?.sizeBytes).toBeLessThan(2000 * 20)
})

test('26: same key, same partition, as Kafka puts it', async () => {
  const { producer } = await start({ topics: { orders: 6 } })
  for (const [key, hash] of [
    ['21', -973932308],
    ['foobar', -790332482],
  ] as const) {
    const partition = (hash & 0x7fffffff) % 6
    expect(await producer.send('orders', { key, value: 'a' })).toMatchObject({ partition })
  }
})

test('27: without keys, 600 records over 6 partitions are 100 each, across batches and retries', async () => {
  const { broker, producer, done } = await start({
    topics: { orders: 6 },
    producer: { maxBatchBytes: 1024 },
  })
  const sent = times(300, (index) => producer.send('orders', { value: `${index}`.padEnd(90) }))
  await broker.disconnectAll()
  sent.push(...times(300, (index) => producer.send('orders', { value: `${index}`.padEnd(90) })))
  await done(Promise.all(sent))
  for (const partition of times(6, (index) => index)) {
    expect(await values(broker, partition)).toHaveLength(100)
  }
})

test('27: sticky keeps a partition until its batch is sealed', async () => {
  const { broker, producer } = await start({
    topics: { orders: 20 },
    producer: { partitioner: sticky() },
  })
  await Promise.all(times(100, () => producer.send('orders', { value: 'a' })))
  const used = new Set((await broker.read('orders')).map(({ partition }) => partition))
  expect(used.size).toBe(1)
})

test.each(times(10, (seed) => seed))(
  '28: order holds with 5 batches in flight and is written once, whatever happens to connections (seed %i)',
  async (seed) => {
    const { broker, producer, done } = await start({
      seed,
      topics: { orders: 2 },
      producer: { maxBatchBytes: 1024 },
    })
    const { random } = broker.world.env('dice')
    const sent: Promise<unknown>[] = []
    for (let index = 0; index < 1000; index++) {
      const value = `${index}`.padEnd(80)
      sent.push(producer.send('orders', { value, partition: index % 2 }))
      if (index % 40 === 0) await broker.clock.advance(`${random.below(8)}ms`)
      if (random.below(60) === 0) await broker.disconnectAll()
      if (random.below(300) === 0) {
        await broker.kill()
        await broker.restart()
      }
    }
    await done(Promise.all(sent))
    for (const partition of [0, 1]) {
      const numbers = (await values(broker, partition)).map(Number)
      expect(numbers).toEqual(times(500, (index) => index * 2 + partition))
    }
  },
)

test('28: a power cut loses nothing that was acknowledged, and the rest is written once', async () => {
  const { broker, producer, done } = await start({ producer: { maxBatchBytes: 1024 } })
  const sent: Promise<unknown>[] = []
  for (let index = 0; index < 300; index++) {
    sent.push(producer.send('orders', { value: `${index}`.padEnd(80) }))
    if (index % 30 === 0) await broker.clock.advance('1ms')
    if (index === 150) {
      await broker.powerCut()
      await broker.restart()
    }
  }
  await done(Promise.all(sent))
  expect((await values(broker)).map(Number)).toEqual(times(300, (index) => index))
})

test('29: pipeline into writable() to a stalled broker keeps memory flat', async () => {
  const maxBufferedBytes = 64 * 1024
  const { broker, client, producer, done } = await start({ producer: { maxBufferedBytes } })
  await warm(producer)
  broker.disk().stall('60s')
  let taken = 0
  async function* source() {
    for (; taken < 2000; taken++) yield { value: `${taken}`.padEnd(500) }
  }
  const flowing = pipeline(source, producer.writable('orders'))
  await broker.clock.advance('20s')
  expect(taken).toBeLessThan(200)
  expect(client.stats().producers[0]?.bufferedBytes).toBeLessThan(2 * maxBufferedBytes)
  await done(flowing)
  expect(await values(broker)).toHaveLength(2001)
})

test('30: null, empty and absent stay three things in keys, values and headers', async () => {
  const { broker, producer } = await start()
  await producer.send('orders', { key: null, value: null })
  await producer.send('orders', { value: '', headers: {} })
  await producer.send('orders', { key: '', value: 'a', headers: { none: null, empty: '' } })
  const records = await broker.read('orders')
  expect(records.map(({ key, value }) => [key?.length, value?.length])).toEqual([
    [undefined, undefined],
    [undefined, 0],
    [0, 1],
  ])
  expect(
    records.map(({ headers }) => headers.map(([name, value]) => [name, value?.length])),
  ).toEqual([
    [],
    [],
    [
      ['none', undefined],
      ['empty', 0],
    ],
  ])
})

test('33: a broker that advertises nothing is reached where the client dialled', async () => {
  const { broker, client, producer } = await start()
  const told: string[] = []
  client.on('connect', ({ broker: address }) => told.push(address))
  await producer.send('orders', { value: 'a' })
  expect(new Set(told)).toEqual(new Set([broker.address]))
})

test('34: an unknown topic fails within seconds, and names the nearest one', async () => {
  const { broker, producer, done } = await start()
  await expect(done(producer.send('ordres', { value: 'a' }))).rejects.toMatchObject({
    name: 'UNKNOWN_TOPIC_OR_PARTITION',
    message: expect.stringContaining(`did you mean 'orders'`),
  })
  expect(broker.clock.monotonicMs()).toBeLessThan(3000)
})

test('a record too large is refused at once, with the limit of the topic', async () => {
  const config = { 'max.message.bytes': 4096 }
  const { producer } = await start({ topics: { orders: { partitions: 1, config } } })
  await warm(producer)
  await expect(producer.send('orders', { value: 'x'.repeat(5000) })).rejects.toMatchObject({
    name: 'MESSAGE_TOO_LARGE',
    details: { max: 4096 },
    outcome: 'not-written',
  })
})

test('a timestamp that the topic does not accept fails its batch, and only that', async () => {
  const { broker, producer, done } = await start()
  const timestamp = broker.clock.wallMs() + 24 * 3_600_000
  await expect(done(producer.send('orders', { value: 'a', timestamp }))).rejects.toMatchObject({
    name: 'INVALID_TIMESTAMP',
    outcome: 'not-written',
  })
  for (const value of ['b', 'c']) await done(producer.send('orders', { value }))
  expect(await values(broker)).toEqual(['b', 'c'])
})

test('records for a deleted topic never reach its successor', async () => {
  const { broker, producer, done } = await start()
  await warm(producer)
  // Of another client: this one has not heard of it.
  const admin = broker.client().admin()
  await done(admin.deleteTopic('orders'))
  await done(admin.createTopic('orders'))
  await expect(done(producer.send('orders', { value: 'old' }))).rejects.toMatchObject({
    name: 'UNKNOWN_TOPIC_ID',
    outcome: 'not-written',
  })
  await done(producer.send('orders', { value: 'new' }))
  expect(await values(broker)).toEqual(['new'])
})

test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
  '%s: what was compressed is read back',
  async (compression) => {
    const { broker, producer, done } = await start({ producer: { compression } })
    const all = times(1000, (index) => `value ${index}`)
    await done(
      producer.sendMany(
        'orders',
        all.map((value) => ({ value })),
      ),
    )
    expect(await values(broker)).toEqual(all)
  },
)

test.each(['all', 'leader', 'none'] as const)('acks %s: records arrive', async (acks) => {
  const { broker, producer, done } = await start({ producer: { acks } })
  const sent = await done(
    producer.sendMany(
      'orders',
      times(100, (index) => ({ value: `${index}` })),
    ),
  )
  expect(sent.at(-1)?.offset).toBe(acks === 'none' ? undefined : 99)
  await broker.settled()
  expect(await values(broker)).toEqual(times(100, String))
})
