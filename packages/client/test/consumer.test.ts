// What a consumer must do, by the numbers of the table of behaviours. The real broker, in a simulated world.
import {
  type Client,
  type Consumer,
  type ConsumerRecord,
  json,
  text,
  topic,
} from '@minikafka/client'
import { TestBroker } from '@minikafka/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'

let broker: TestBroker
let client: Client

beforeEach(async () => {
  broker = await TestBroker.start({ topics: { orders: 2, one: 1 }, clock: 'jumping', seed: 3 })
  client = broker.client()
})

afterEach(async () => {
  await broker.close()
})

async function produce(
  name: string,
  values: readonly (string | null)[],
  partition?: number,
): Promise<void> {
  await client.producer().sendMany(
    name,
    values.map((value) => ({
      value,
      key: null,
      ...(partition === undefined ? {} : { partition }),
    })),
  )
}

async function take(consumer: Consumer<string>, count: number): Promise<string[]> {
  const seen: string[] = []
  for await (const { value, ack } of consumer) {
    seen.push(String(value))
    if (seen.length === count) break
    void ack
  }
  return seen
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => String(from + index))

test('records come in order, from the earliest, and a loop waits for more', async () => {
  await produce('one', numbers(0, 5))
  await using consumer = client.consumer({ topics: ['one'], start: 'earliest' })
  const reading = take(consumer, 8)
  await produce('one', numbers(5, 8))
  expect(await reading).toEqual(numbers(0, 8))
})

test('1: leaving a loop does not finish the record in hand: the next loop starts there', async () => {
  await produce('one', numbers(0, 6))
  await using consumer = client.consumer({ topics: ['one'], start: 'earliest' })
  expect(await take(consumer, 3)).toEqual(['0', '1', '2'])
  expect(consumer.nextOffset({ topic: 'one', partition: 0 })).toBe(2)
  expect(await take(consumer, 2)).toEqual(['2', '3'])
})

test('1: a record that was acked before the loop was left is not handed out again', async () => {
  await produce('one', numbers(0, 4))
  await using consumer = client.consumer({ topics: ['one'], start: 'earliest' })
  for await (const record of consumer) {
    record.ack()
    if (record.offset === 1) break
  }
  expect(await take(consumer, 1)).toEqual(['2'])
})

test('1: a loop over batches that is left starts at that batch again', async () => {
  await produce('one', numbers(0, 4))
  await using consumer = client.consumer({ topics: ['one'], start: 'earliest' })
  const firsts: number[] = []
  for (let round = 0; round < 2; round++) {
    for await (const { records } of consumer.batches()) {
      firsts.push(records[0]?.offset ?? -1)
      break
    }
  }
  expect(firsts).toEqual([0, 0])
})

test('2: after a seek nothing fetched before is handed out', async () => {
  await produce('one', numbers(0, 100))
  await using consumer = client.consumer({ topics: ['one'], start: 'earliest' })
  const seen: string[] = []
  for await (const { value, offset } of consumer) {
    seen.push(String(value))
    if (offset === 3) await consumer.seek({ topic: 'one', partition: 0 }, 90)
    if (offset === 92) break
  }
  expect(seen).toEqual(['0', '1', '2', '3', '90', '91', '92'])
})

test('4: an offset that is gone stops the reader and says how many records are lost; onOutOfRange goes on', async () => {
  await produce('one', numbers(0, 10))
  await client.admin().deleteRecords('one', { 0: 6 })
  await using strict = client.consumer({ assign: [{ topic: 'one', partition: 0, start: 2 }] })
  await expect(take(strict, 1)).rejects.toMatchObject({
    name: 'OFFSET_OUT_OF_RANGE',
    message: expect.stringContaining('4 records were deleted'),
  })
  await using lenient = client.consumer({
    assign: [{ topic: 'one', partition: 0, start: 2 }],
    onOutOfRange: 'earliest',
  })
  expect(await take(lenient, 2)).toEqual(['6', '7'])
})

test('starts: latest, a time, the last n, an offset', async () => {
  await produce('one', numbers(0, 5))
  const at = { topic: 'one', partition: 0 } as const
  const startAt = async (start: number | 'latest' | { timestamp: number } | { last: number }) => {
    await using consumer = client.consumer({ assign: [{ ...at, start }] })
    const reading = take(consumer, 1)
    if (start === 'latest') {
      await broker.settled()
      await produce('one', ['new'])
    }
    return await reading
  }
  expect(await startAt(3)).toEqual(['3'])
  expect(await startAt({ last: 2 })).toEqual(['3'])
  expect(await startAt({ timestamp: 0 })).toEqual(['0'])
  expect(await startAt('latest')).toEqual(['new'])
})

test('11: a paused partition hands out nothing, resume hands out what was prefetched', async () => {
  await produce('orders', numbers(0, 4), 0)
  await produce('orders', numbers(100, 104), 1)
  await using consumer = client.consumer({ topics: ['orders'], start: 'earliest' })
  consumer.on('assigned', () => consumer.pause([{ topic: 'orders', partition: 0 }]))
  expect((await take(consumer, 4)).sort()).toEqual(numbers(100, 104))
  expect(consumer.paused()).toEqual([{ topic: 'orders', partition: 0 }])
  consumer.resume()
  const rest = await take(consumer, 5)
  expect(rest.filter((value) => Number(value) < 100)).toEqual(numbers(0, 4))
})

test('13, 16: with order key a handler that fails is tried again and holds back only its own key', async () => {
  const keyed = Array.from({ length: 12 }, (_, index) => ({
    key: `k${index % 3}`,
    value: String(index),
  }))
  await client.producer().sendMany('one', keyed)
  await using consumer = client.consumer({
    topics: ['one'],
    start: 'earliest',
    onError: { retries: 5, then: 'stop' },
  })
  const handled: string[] = []
  const failures = new Map<string, number>()
  await consumer.run(
    async ({ key, value }, { attempt }) => {
      if (String(key) === 'k0' && attempt < 3) {
        failures.set(String(value), attempt)
        throw new Error('not yet')
      }
      handled.push(String(value))
      if (handled.length === 12) consumer.stop()
    },
    { concurrency: 3, order: 'key' },
  )
  for (const key of [0, 1, 2]) {
    const mine = handled.map(Number).filter((value) => value % 3 === key)
    expect(mine).toEqual([...mine].sort((a, b) => a - b))
  }
  expect(failures.size).toBe(4)
  expect(handled).toHaveLength(12)
})

test('13: a handler that throws stops run() with HANDLER_FAILED, and the record is the next one', async () => {
  await produce('one', numbers(0, 3))
  await using consumer = client.consumer({ topics: ['one'], start: 'earliest' })
  const running = consumer.run(({ offset }) => {
    if (offset === 1) throw new Error('no')
  })
  await expect(running).rejects.toMatchObject({ name: 'HANDLER_FAILED', offset: 1, topic: 'one' })
  expect(await take(consumer, 1)).toEqual(['1'])
})

test('14: a record that cannot be decoded meets the policy, in its place', async () => {
  const typed = topic('one', { value: json<{ n: number }>() })
  await client
    .producer()
    .sendMany('one', [{ value: '{"n":1}' }, { value: 'broken' }, { value: '{"n":3}' }])
  await using strict = client.consumer({ topics: [typed], start: 'earliest' })
  const seen: number[] = []
  const reading = (async () => {
    for await (const { value } of strict) seen.push(value.n)
  })()
  await expect(reading).rejects.toMatchObject({
    name: 'DESERIALIZATION_FAILED',
    offset: 1,
    partition: 0,
  })
  expect(seen).toEqual([1])
  await using lenient = client.consumer({ topics: [typed], start: 'earliest', onError: 'skip' })
  const values: number[] = []
  for await (const { value } of lenient) {
    values.push(value.n)
    if (values.length === 2) break
  }
  expect(values).toEqual([1, 3])
})

test('15: a dead letter is the record unchanged, with where and why', async () => {
  await client.admin().createTopic('dead')
  await client.producer().send('one', { key: 'k', value: 'poison', headers: { a: '1' } })
  await produce('one', ['fine'])
  await using consumer = client.consumer({
    topics: ['one'],
    start: 'earliest',
    onError: 'dead-letter',
    deadLetter: 'dead',
  })
  await consumer.run(({ value }) => {
    if (String(value) === 'poison') throw new Error('cannot')
    consumer.stop()
  })
  const [dead] = await broker.read('dead')
  expect([String(dead?.key), String(dead?.value)]).toEqual(['k', 'poison'])
  const headers = new Map([...(dead?.headers ?? [])].map(([name, value]) => [name, String(value)]))
  expect(headers.get('a')).toBe('1')
  expect(headers.get('minikafka.dlq.topic')).toBe('one')
  expect(headers.get('minikafka.dlq.offset')).toBe('0')
  expect(headers.get('minikafka.dlq.error')).toContain('cannot')
})

test('15: a dead letter is made of the bytes that came, whatever a codec made of them', async () => {
  await client.admin().createTopic('dead')
  const typed = topic('one', { key: text(), value: json<{ n: number }>() })
  const values = ['{"n": 1}', 'not even JSON', '{"n": 3}']
  await client.producer().sendMany(
    'one',
    values.map((value) => ({ key: 'k', value })),
  )
  const onError = 'dead-letter' as const
  await using consumer = client.consumer({
    topics: [typed],
    start: 'earliest',
    onError,
    deadLetter: 'dead',
  })
  await consumer.run(({ value }) => {
    if (value.n === 3) consumer.stop()
    else throw new RangeError('one')
  })
  const dead = await broker.read('dead')
  expect(dead.map(({ key, value }) => [String(key), String(value)])).toEqual([
    ['k', '{"n": 1}'],
    ['k', 'not even JSON'],
  ])
  const errors = dead.map(({ headers }) => String(new Map(headers).get('minikafka.dlq.error')))
  expect(errors[0]).toBe('RangeError: one')
  expect(errors[1]).toMatch(/^DESERIALIZATION_FAILED: one-0 offset 1/)
})

test('15: a record is passed only when the dead-letter topic has it: else it stays the next one', async () => {
  await produce('one', ['poison', 'fine'])
  await using consumer = client.consumer({
    topics: ['one'],
    start: 'earliest',
    onError: 'dead-letter',
    deadLetter: 'not there',
  })
  const running = consumer.run(() => {
    throw new Error('cannot')
  })
  await expect(running).rejects.toMatchObject({ name: expect.stringMatching(/TOPIC/) })
  expect(consumer.nextOffset({ topic: 'one', partition: 0 })).toBe(0)
})

test('20: a broker that restarts needs no user code', async () => {
  await produce('one', numbers(0, 50))
  await using consumer = client.consumer({ topics: ['one'], start: 'earliest' })
  const reading = take(consumer, 100)
  await broker.kill()
  await broker.restart()
  await produce('one', numbers(50, 100))
  expect(await reading).toEqual(numbers(0, 100))
})

test('21: close() inside a handler does not wait for that handler, and is idempotent', async () => {
  await produce('one', numbers(0, 3))
  const consumer = client.consumer({ topics: ['one'], start: 'earliest' })
  let handled = 0
  await consumer.run(async () => {
    handled++
    await consumer.close()
  })
  expect(handled).toBe(1)
  await consumer.close()
  expect(consumer.health().state).toBe('left')
})

test('21, 22: close() works before the first connection, and a closed consumer says so', async () => {
  const consumer = client.consumer({ topics: ['one'] })
  await consumer.close()
  await expect(take(consumer, 1)).rejects.toMatchObject({ name: 'CLOSED' })
})

test('21: a loop that waits for records ends when the consumer is closed', async () => {
  const consumer = client.consumer({ topics: ['one'] })
  const reading = take(consumer, 1)
  await broker.settled()
  await consumer.close()
  expect(await reading).toEqual([])
})

test('one reading mode at a time', async () => {
  await produce('one', numbers(0, 3))
  await using consumer = client.consumer({ topics: ['one'], start: 'earliest' })
  for await (const _ of consumer) {
    await expect(consumer.poll()).rejects.toMatchObject({ name: 'BUSY' })
    break
  }
  expect(await consumer.poll({ max: 2 })).toHaveLength(2)
})

test('poll answers what is there, at most max, and nothing after maxWaitMs', async () => {
  await produce('one', numbers(0, 5))
  await using consumer = client.consumer({ topics: ['one'], start: 'earliest' })
  expect((await consumer.poll({ max: 3 })).map(({ value }) => String(value))).toEqual([
    '0',
    '1',
    '2',
  ])
  expect((await consumer.poll()).map(({ value }) => String(value))).toEqual(['3', '4'])
  expect(await consumer.poll({ maxWaitMs: 50 })).toEqual([])
})

test('readable() is a stream of records', async () => {
  await produce('one', numbers(0, 4))
  await using consumer = client.consumer({ topics: ['one'], start: 'earliest' })
  const seen: string[] = []
  for await (const record of consumer.readable() as AsyncIterable<ConsumerRecord<string>>) {
    seen.push(String(record.value))
    if (seen.length === 4) break
  }
  expect(seen).toEqual(numbers(0, 4))
})

test('new partitions are read from their beginning', async () => {
  await using consumer = client.consumer({ topics: ['one'], start: 'latest' })
  const reading = take(consumer, 1)
  await broker.settled()
  await client.admin().addPartitions('one', 2)
  await produce('one', ['in the new one'], 1)
  expect(await reading).toEqual(['in the new one'])
})

test('a topic that is not there ends the loop within seconds and names the nearest', async () => {
  await using consumer = client.consumer({ topics: ['ordres'] })
  await expect(take(consumer, 1)).rejects.toMatchObject({
    name: 'UNKNOWN_TOPIC_OR_PARTITION',
    details: { nearest: 'orders' },
  })
})

test('an aborted wait ends with the reason', async () => {
  await using consumer = client.consumer({ topics: ['one'] })
  const controller = new AbortController()
  const reading = consumer.batches({ signal: controller.signal })[Symbol.asyncIterator]().next()
  await broker.settled()
  controller.abort(new Error('enough'))
  await expect(reading).rejects.toThrow('enough')
})

test('lag in records and time', async () => {
  await produce('one', numbers(0, 5))
  await using consumer = client.consumer({ topics: ['one'], start: 'earliest' })
  await take(consumer, 2)
  const [lag] = await consumer.lag()
  expect(lag).toMatchObject({ topic: 'one', partition: 0, end: 5, lag: 4, committed: undefined })
  expect(lag?.lagMs).toBeGreaterThanOrEqual(0)
})

test('typed topics: a union narrows on the name of the topic', async () => {
  const orders = topic('orders', { key: text(), value: json<{ id: string }>() })
  const plain = topic('one', { value: text() })
  await client.producer().send(orders, { key: 'k', value: { id: 'o-1' } })
  await client.producer().send(plain, { value: 'hello' })
  await using consumer = client.consumer({ topics: [orders, plain], start: 'earliest' })
  const seen: string[] = []
  for await (const record of consumer) {
    seen.push(record.topic === 'orders' ? record.value.id : record.value)
    if (seen.length === 2) break
  }
  expect(seen.sort()).toEqual(['hello', 'o-1'])
})

test.each(['for await', 'poll', 'run', 'batches'])(
  '10: one batch that fills the share of its partition does not end the fetching (%s)',
  async (mode) => {
    await client.admin().createTopic('hot', { partitions: 17 })
    const value = Buffer.alloc(10_000)
    for (let round = 0; round < 4; round++) {
      await client.producer().sendMany(
        'hot',
        Array.from({ length: 104 }, () => ({ value, partition: 7 })),
      )
    }
    await using consumer = client.consumer({ topics: ['hot'], start: 'earliest' })
    const total = 4 * 104
    let seen = 0
    const count = (more: number) => {
      seen += more
      return seen >= total
    }
    if (mode === 'for await') for await (const _ of consumer) if (count(1)) break
    if (mode === 'poll') while (!count((await consumer.poll()).length));
    if (mode === 'batches')
      for await (const { records } of consumer.batches()) if (count(records.length)) break
    if (mode === 'run') await consumer.run(() => void (count(1) && consumer.stop()))
    expect(seen).toBe(total)
  },
)
