// What a consumer says of itself while it lives, and how it ends.
import diagnostics from 'node:diagnostics_channel'
import { afterEach, expect, test } from 'vitest'
import { closeReadingStages, numbers, readingStage, take } from '../../test/reading-stage.ts'
import { batchOf, numbered } from '../../test/record-batches.ts'
import type { PartitionLag, Partitions, TopicPartition } from '../words.ts'
import type { Stall } from './types.ts'

afterEach(closeReadingStages)

const ORDERS = { topic: 'orders', partition: 0 }

type Stalled = TopicPartition & { sinceMs: number; waitingFor: Stall }

// --- stalls ----------------------------------------------------------------------------------------

test('10: a record that is in hand for too long is told once, and again after progress', async () => {
  const { cluster, consumer, pass, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 2))
  const reader = consumer()
  const stalls: Stalled[] = []
  reader.on('stalled', (stall) => stalls.push(stall))
  const iterator = reader[Symbol.asyncIterator]()
  await done(iterator.next())
  await pass(59_000)
  expect(stalls).toEqual([])
  await pass(121_000)
  expect(stalls).toMatchObject([{ ...ORDERS, waitingFor: 'handler' }])
  expect(stalls[0]?.sinceMs).toBeGreaterThanOrEqual(60_000)
  expect(stalls[0]?.sinceMs).toBeLessThan(80_000)
  // The last record there is: nothing waits behind it, but it is not finished.
  await done(iterator.next())
  await pass(200_000)
  expect(stalls).toHaveLength(2)
  await iterator.return?.()
})

test('10: a slow reader that makes progress is not stalled', async () => {
  const { cluster, consumer, pass, world } = await readingStage()
  cluster.append('orders', 0, numbered(0, 10))
  const reader = consumer()
  const stalls: Stalled[] = []
  reader.on('stalled', (stall) => stalls.push(stall))
  const reading = (async () => {
    for await (const { offset } of reader) {
      await new Promise<void>((resolve) => world.clock.timer(40_000, resolve))
      if (offset === 9) break
    }
  })()
  await pass(400_000)
  await world.complete(reading)
  expect(stalls).toEqual([])
})

test('10: data that comes after a long silence is no stall', async () => {
  const { cluster, consumer, pass, done } = await readingStage()
  const reader = consumer({ stalledAfterMs: 1000 })
  const stalls: Stalled[] = []
  reader.on('stalled', (stall) => stalls.push(stall))
  const reading = take(reader, 1)
  await pass(100_000)
  cluster.append('orders', 0, numbered(0, 2))
  await done(reading)
  expect(stalls).toEqual([])
})

test('10: a paused partition with data says that it is paused', async () => {
  const { cluster, consumer, pass, world, done } = await readingStage()
  const reader = consumer()
  const stalls: Stalled[] = []
  reader.on('stalled', (stall) => stalls.push(stall))
  const reading = take(reader, 1)
  await world.settled()
  reader.pause()
  cluster.append('orders', 0, numbered(0, 1))
  await pass(100_000)
  expect(stalls).toMatchObject([{ ...ORDERS, waitingFor: 'paused' }])
  expect(reader.health().partitions).toMatchObject([{ end: 1, waitingFor: 'paused' }])
  reader.resume()
  expect(await done(reading)).toEqual(['0'])
})

// --- lag, health, events -----------------------------------------------------------------------------

test('lag: in records, and in time since the first unread one was made', async () => {
  const { cluster, consumer, world, done } = await readingStage()
  const madeMs = world.clock.wallMs() - 5000
  cluster.append('orders', 0, batchOf([{ value: 'a', timestamp: madeMs - 1 }]))
  cluster.append(
    'orders',
    0,
    batchOf(
      [{ value: 'b' }, { value: 'c' }].map((one) => ({ ...one, timestamp: madeMs })),
      {
        baseOffset: 1,
        compression: 'gzip',
      },
    ),
  )
  const reader = consumer()
  await done(reader.seek(ORDERS, 2))
  expect(await done(reader.lag())).toEqual([
    { ...ORDERS, committed: undefined, end: 3, lag: 1, lagMs: 5000 },
  ])
  expect(await done(take(reader, 1))).toEqual(['c'])
  const caughtUp = consumer({ start: 'latest' })
  expect(await done(caughtUp.lag())).toEqual([
    { ...ORDERS, committed: undefined, end: 3, lag: 0, lagMs: undefined },
  ])
})

test('lag: an age that cannot be read is undefined', async () => {
  const { cluster, consumer, done, twin } = await readingStage()
  cluster.append('orders', 0, numbered(0, 3))
  const reader = consumer()
  twin.onFetch = ({ maxBytes }) => {
    if (maxBytes === 1) cluster.at('orders').script.push('KAFKA_STORAGE_ERROR')
  }
  reader.pause()
  expect(await done(reader.lag())).toMatchObject([{ lag: 3 }])
})

test('the event lag tells a few times per stalledAfterMs what the fetches said', async () => {
  const { cluster, consumer, pass, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 5))
  const reader = consumer({ stalledAfterMs: 4000 })
  const lags: PartitionLag[][] = []
  reader.on('lag', (lag) => lags.push(lag))
  await done(take(reader, 2))
  await pass(2000)
  expect(lags).toHaveLength(2)
  expect(lags[0]).toMatchObject([{ ...ORDERS, end: 5, lag: 4 }])
})

test('health: joining until it is known where partitions begin, then stable, then left', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 3))
  const reader = consumer()
  expect(reader.health()).toEqual({ state: 'joining', lastHeartbeatMsAgo: 0, partitions: [] })
  await done(take(reader, 1))
  expect(reader.health()).toMatchObject({
    state: 'stable',
    partitions: [{ ...ORDERS, nextOffset: 0, end: 3, waitingFor: 'handler' }],
  })
  await reader.close()
  expect(reader.health().state).toBe('left')
})

test('assigned comes when it is known where partitions begin', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.createTopic('two', 2)
  cluster.append('two', 1, numbered(0, 3))
  const reader = consumer({ topics: ['two'] })
  const assigned: Partitions[] = []
  reader.on('assigned', (places) => {
    assigned.push(places)
    expect(reader.nextOffset({ topic: 'two', partition: 1 })).toBe(0)
  })
  expect(reader.nextOffset({ topic: 'two', partition: 1 })).toBeUndefined()
  await done(take(reader, 1))
  expect(assigned).toEqual([reader.assignment()])
  expect(assigned[0]).toHaveLength(2)
})

test('19: a listener that throws does no harm', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 1))
  const reader = consumer()
  reader.on('assigned', () => {
    throw new Error('mine')
  })
  expect(await done(take(reader, 1))).toEqual(['0'])
})

test('stats count what was finished, and what is here and unread', async () => {
  const { cluster, client, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 10))
  const reader = consumer()
  const finished = () => client.stats().consumers[0]?.finished
  await done(take(reader, 3))
  expect(finished()).toBe(2)
  await done(reader.poll({ max: 2 }))
  // In hand until something is asked for again.
  expect(finished()).toBe(2)
  await done(
    (async () => {
      for await (const { records } of reader.batches({ maxRecords: 2 }))
        if (records[0]?.offset === 6) break
    })(),
  )
  expect(finished()).toBe(6)
  await done(reader.run(({ offset }) => offset === 8 && reader.stop()))
  expect(client.stats().consumers).toMatchObject([{ finished: 9, lagRecords: 1 }])
})

// --- diagnostics -------------------------------------------------------------------------------------

test('diagnostics: a fetch, a handler and the lag are told, while somebody listens', async () => {
  const { cluster, consumer, done, pass } = await readingStage()
  cluster.append('orders', 0, numbered(0, 2))
  const told: string[] = []
  const listen = (name: string, say: (data: never) => string) => {
    const listener = (data: unknown) => told.push(say(data as never))
    diagnostics.subscribe(name, listener)
    return () => diagnostics.unsubscribe(name, listener)
  }
  const stops = [
    listen('tracing:minikafka:fetch:asyncEnd', ({ sizeBytes, partitionCount }: never) =>
      sizeBytes > 0 ? `fetched ${partitionCount}` : 'empty',
    ),
    listen(
      'tracing:minikafka:process:start',
      ({ offset, attempt }: never) => `${offset}/${attempt}`,
    ),
    listen('tracing:minikafka:process:error', ({ error }: never) => (error as Error).message),
    listen('minikafka:lag', (lags: never) => `lag ${(lags as PartitionLag[])[0]?.lag}`),
  ]
  const reader = consumer({ onError: 'skip', stalledAfterMs: 400 })
  await done(
    reader.run(({ offset }) => {
      if (offset === 0) throw new Error('oh')
      reader.stop()
    }),
  )
  await pass(100)
  for (const stop of stops) stop()
  expect(told).toEqual(['fetched 1', '0/1', 'oh', '1/1', 'lag 0'])
})

// --- the end -----------------------------------------------------------------------------------------

test('21: close() waits for the record in hand of a loop, until the next is asked for', async () => {
  const { cluster, consumer, world, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 3))
  const reader = consumer()
  const iterator = reader[Symbol.asyncIterator]()
  await done(iterator.next())
  let isClosed = false
  const closing = reader.close().then(() => (isClosed = true))
  await world.settled()
  expect(isClosed).toBe(false)
  expect(await done(iterator.next())).toEqual({ done: true, value: undefined })
  await done(closing)
  expect(world.clock.monotonicMs()).toBe(0)
})

test('21: an acked record is not waited for: close() in the body of a loop', async () => {
  const { cluster, consumer, world, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 3))
  const reader = consumer()
  await done(
    (async () => {
      for await (const record of reader) {
        record.ack()
        await reader.close()
      }
    })(),
  )
  expect(world.clock.monotonicMs()).toBe(0)
})

test('21: close() in the body of a loop that does not ack is bounded', async () => {
  const { cluster, consumer, world, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 3))
  const reader = consumer()
  const seen: number[] = []
  await done(
    (async () => {
      for await (const { offset } of reader) {
        seen.push(offset)
        await reader.close({ timeoutMs: 700 })
      }
    })(),
  )
  expect([seen, world.clock.monotonicMs()]).toEqual([[0], 700])
})

test('21: close() is idempotent, ends what waits, and leaves nothing open', async () => {
  const { cluster, consumer, client, world, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 3))
  const reader = consumer()
  const record = await done(firstOf(reader))
  const reading = take(reader, 5)
  await world.settled()
  const seeking = reader.seek(ORDERS, 'latest')
  seeking.catch(() => {})
  await done(Promise.all([reader.close(), reader.close()]))
  expect(await done(reading)).toEqual(numbers(0, 3))
  expect(record.signal.aborted).toBe(true)
  await expect(reader.poll()).rejects.toMatchObject({ name: 'CLOSED' })
  await expect(reader.seek(ORDERS, 0)).rejects.toMatchObject({ name: 'CLOSED' })
  await expect(reader.lag()).rejects.toMatchObject({ name: 'CLOSED' })
  expect(() => reader[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ name: 'CLOSED' }))
  await done(client.close())
  await world.settled()
  expect(world.leftovers().filter((line) => /^client|ms {2}client/.test(line))).toEqual([])
})

test('21: close() with a broker that is gone ends at once and does not reject', async () => {
  const { cluster, consumer, world, twin, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 1))
  const reader = consumer()
  await done(take(reader, 1))
  await twin.crash()
  await world.settled()
  await done(reader.close())
  expect(world.clock.monotonicMs()).toBe(0)
})

test('22: close() works before the first connection, and nothing connects after it', async () => {
  const { consumer, twin, done, pass, world } = await readingStage()
  const reader = consumer()
  const reading = take(reader, 1)
  await done(reader.close())
  expect(await done(reading)).toEqual([])
  await world.settled()
  const calls = twin.calls.length
  await pass(400_000)
  expect(twin.calls.filter(({ api }) => api !== 'metadata')).toEqual([])
  expect(calls).toBeLessThan(3)
})

test('22: the client closes its consumers first', async () => {
  const { cluster, client, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 1))
  const reader = consumer()
  const reading = take(reader, 2)
  await done(client.close())
  expect((await done(reading)).length).toBeLessThan(2)
  expect(() => client.consumer({ topics: ['orders'] })).toThrow(
    expect.objectContaining({ name: 'CLOSED' }),
  )
})

test('34: a topic that is not there ends the loop in seconds, and the nearest is named', async () => {
  const { consumer, done, world } = await readingStage()
  await expect(done(take(consumer({ topics: ['ordres'] }), 1))).rejects.toMatchObject({
    name: 'UNKNOWN_TOPIC_OR_PARTITION',
    details: { nearest: 'orders' },
  })
  expect(world.clock.monotonicMs()).toBeLessThan(3000)
})

test('a partition that is not there is refused, and those there are named', async () => {
  const { client, done } = await readingStage()
  const reader = client.consumer({ assign: [{ topic: 'orders', partition: 4 }] })
  await expect(done(take(reader, 1))).rejects.toMatchObject({
    name: 'INVALID_OPTION',
    message: expect.stringContaining('0 to 0; there is no 4'),
  })
})

test('23: a day of silence, and nothing piles up', async () => {
  const { cluster, consumer, world, pass, done } = await readingStage()
  const reader = consumer({ fetchMaxWaitMs: 60_000 })
  const reading = take(reader, 1)
  await pass(600_000)
  const before = world.leftovers().length
  await pass(24 * 3_600_000)
  expect(world.leftovers()).toHaveLength(before)
  cluster.append('orders', 0, numbered(0, 1))
  expect(await done(reading)).toEqual(['0'])
})

async function firstOf<R>(records: AsyncIterable<R>): Promise<R> {
  for await (const record of records) return record
  throw new Error('there is none')
}
