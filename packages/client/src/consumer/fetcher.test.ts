import diagnostics from 'node:diagnostics_channel'
import { MinikafkaError } from '@minikafka/protocol'
import { afterEach, expect, test } from 'vitest'
import { closeReadingStages, numbers, readingStage, take } from '../../test/reading-stage.ts'
import { batchOf, numbered } from '../../test/record-batches.ts'
import { topic } from '../topic/index.ts'

afterEach(closeReadingStages)

const KIBIBYTE = 1024

/** `count` records of a KiB each. */
function large(from: number, count: number): Buffer {
  const value = Buffer.alloc(KIBIBYTE, 'x')
  return batchOf(
    Array.from({ length: count }, () => ({ value })),
    { baseOffset: from },
  )
}

test('one fetch ahead: the next one is on its way before the first batch is decoded', async () => {
  const { cluster, client, twin, world } = await readingStage()
  cluster.append('orders', 0, numbered(0, 2))
  const inFlight: number[] = []
  const decode = (view: Buffer) => {
    inFlight.push(client.stats().connections.reduce((sum, each) => sum + each.inFlight, 0))
    return view.toString()
  }
  const orders = topic('orders', { value: { name: 'spy', encode: String, decode } })
  const consumer = client.consumer({ topics: [orders], start: 'earliest' })
  for await (const { offset } of consumer) if (offset === 1) break
  expect(inFlight).toEqual([1, 1])
  await world.settled()
  expect(twin.fetches().map(({ partitions }) => partitions[0]?.fetchOffset)).toEqual([0, 2])
})

test('per broker there is one request outstanding, whatever is asked of the consumer', async () => {
  const { cluster, client, twin, world, consumer } = await readingStage()
  cluster.createTopic('others', 5)
  const reader = consumer({ topics: ['orders', 'others'] })
  const reading = take(reader, 1)
  await world.settled()
  reader.pause()
  reader.resume()
  await world.settled()
  expect(twin.fetches()).toHaveLength(1)
  expect(client.stats().connections).toHaveLength(2)
  cluster.append('orders', 0, numbered(0, 1))
  await world.complete(reading)
})

test('where a fetch begins rotates', async () => {
  const { cluster, twin, world, consumer } = await readingStage()
  cluster.createTopic('many', 3)
  const reading = take(consumer({ topics: ['many'] }), 6)
  for (let offset = 0; offset < 6; offset++) {
    await world.settled()
    cluster.append('many', 0, numbered(offset, offset + 1))
  }
  await world.complete(reading)
  const firsts = twin.fetches().map(({ partitions }) => partitions[0]?.partition)
  expect(firsts.slice(0, 6)).toEqual([0, 1, 2, 0, 1, 2])
})

test('what was fetched ahead stays within prefetchBytes, and reading makes room', async () => {
  const { cluster, client, world, consumer } = await readingStage()
  for (let batch = 0; batch < 50; batch++) cluster.append('orders', 0, large(batch * 8, 8))
  const reader = consumer({ prefetchBytes: 32 * KIBIBYTE, fetchMaxBytes: 8 * KIBIBYTE })
  expect(await take(reader, 1)).toHaveLength(1)
  await world.settled()
  const ahead = client.stats().consumers[0]?.prefetchedBytes ?? 0
  expect(ahead).toBeGreaterThan(24 * KIBIBYTE)
  expect(ahead).toBeLessThan(48 * KIBIBYTE)
  let most = 0
  let count = 0
  for await (const _ of reader) {
    most = Math.max(most, client.stats().consumers[0]?.prefetchedBytes ?? 0)
    if (++count === 400) break
  }
  expect(most).toBeLessThan(48 * KIBIBYTE)
})

test('12: a partition that is paused or has its share leaves the fetches, the others go on', async () => {
  const { cluster, twin, world, consumer, done } = await readingStage()
  cluster.createTopic('two', 2)
  for (let batch = 0; batch < 20; batch++) cluster.append('two', 0, large(batch * 8, 8))
  const reader = consumer({ topics: ['two'], prefetchBytes: 32 * KIBIBYTE })
  const seen: string[] = []
  const running = reader.run(
    async ({ partition, offset }) => {
      seen.push(`${partition}:${offset}`)
      if (partition === 0) await new Promise(() => {})
    },
    { concurrency: 2 },
  )
  running.catch(() => {})
  await world.settled()
  cluster.append('two', 1, numbered(0, 3))
  await world.settled()
  expect(seen).toEqual(['0:0', '1:0', '1:1', '1:2'])
  const last = twin.fetches().at(-1)
  expect(last?.partitions.map(({ partition }) => partition)).toEqual([1])
  await done(reader.close({ timeoutMs: 0 }))
})

test('12: a long poll of idle partitions does not hold up one that was emptied meanwhile', async () => {
  const { cluster, world, consumer } = await readingStage()
  cluster.createTopic('two', 2)
  for (let batch = 0; batch < 40; batch++) cluster.append('two', 0, large(batch * 8, 8))
  const reader = consumer({ topics: ['two'], prefetchBytes: 32 * KIBIBYTE, fetchMaxWaitMs: 500 })
  await world.complete(take(reader, 320), { timeout: '1s' })
  // A poll of 500 ms for each 16 KiB would take ten seconds.
  expect(world.clock.monotonicMs()).toBeLessThan(500)
})

test('12: a partition that is resumed waits no longer than it was paused', async () => {
  const { cluster, world, consumer, done, pass } = await readingStage()
  cluster.createTopic('two', 2)
  const reader = consumer({ topics: ['two'] })
  const reading = take(reader, 1)
  await world.settled()
  reader.pause([{ topic: 'two', partition: 1 }])
  await pass(500)
  cluster.append('two', 1, numbered(0, 1))
  await pass(20)
  const before = world.clock.monotonicMs()
  reader.resume()
  expect(await done(reading)).toEqual(['0'])
  expect(world.clock.monotonicMs() - before).toBeLessThanOrEqual(40)
})

test('seeking all the time piles up no polls', async () => {
  const { cluster, twin, world, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 3))
  const reader = consumer()
  await done(take(reader, 1))
  await world.settled()
  const before = twin.fetches().length
  for (let round = 0; round < 100; round++) {
    await reader.seek({ topic: 'orders', partition: 0 }, 3)
    await world.settled()
  }
  expect(twin.fetches().length - before).toBeLessThan(12)
  await reader.seek({ topic: 'orders', partition: 0 }, 1)
  expect(await done(take(reader, 2))).toEqual(['1', '2'])
})

test('12: a slow leader does not delay the others', async () => {
  const { cluster, consumer, anotherTwin, world } = await readingStage()
  const slow = await anotherTwin(2)
  slow.onFetch = () => new Promise(() => {})
  cluster.createTopic('spread', 2)
  cluster.at('spread', 1).leaderId = 2
  cluster.append('spread', 1, numbered(0, 5))
  cluster.append('spread', 0, numbered(10, 15))
  cluster.at('spread', 0).logStartOffset = 10
  expect(await world.complete(take(consumer({ topics: ['spread'] }), 5))).toEqual(numbers(10, 15))
  expect(world.clock.monotonicMs()).toBe(0)
})

test('12: a partition without a leader does not delay the others, and joins when it has one', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.createTopic('spread', 2)
  cluster.at('spread', 1).leaderId = -1
  cluster.append('spread', 0, numbered(0, 1))
  cluster.append('spread', 1, numbered(0, 1))
  const reader = consumer({ topics: ['spread'] })
  const places: number[] = []
  await done(
    (async () => {
      for await (const { partition } of reader) {
        places.push(partition)
        if (partition === 0) {
          cluster.at('spread', 1).leaderId = 1
          cluster.at('spread', 1).leaderEpoch++
        } else break
      }
    })(),
  )
  expect(places).toEqual([0, 1])
})

test('20: a partition whose leader moves is read on from there', async () => {
  const { cluster, consumer, anotherTwin, done, world } = await readingStage()
  await anotherTwin(2)
  cluster.append('orders', 0, numbered(0, 3))
  const reading = take(consumer(), 6)
  await world.settled()
  cluster.at('orders').leaderId = 2
  cluster.at('orders').leaderEpoch = 1
  cluster.append('orders', 0, numbered(3, 6, { leaderEpoch: 1 }))
  expect(await done(reading)).toEqual(numbers(0, 6))
})

test('a refusal that fresh metadata may cure asks for it', async () => {
  const { cluster, twin, consumer, world } = await readingStage()
  cluster.at('orders').script.push('NOT_LEADER_OR_FOLLOWER', 'UNKNOWN_LEADER_EPOCH')
  cluster.append('orders', 0, numbered(0, 1))
  expect(await world.complete(take(consumer(), 1))).toEqual(['0'])
  const asked = twin.calls.filter(({ api }) => api === 'metadata')
  expect(asked.length).toBeGreaterThan(1)
})

test('what passes is tried again for ever, later each time, and told to nobody', async () => {
  const { cluster, twin, consumer, done, world } = await readingStage()
  for (let count = 0; count < 10; count++)
    cluster.at('orders').script.push('THROTTLING_QUOTA_EXCEEDED')
  cluster.append('orders', 0, numbered(0, 1))
  const reader = consumer()
  const errors: unknown[] = []
  reader.on('error', (error) => errors.push(error))
  expect(await done(take(reader, 1))).toEqual(['0'])
  expect(errors).toEqual([])
  expect(twin.fetches().length).toBeGreaterThanOrEqual(11)
  // 100 ms, 200, 400 … 5 s: the sum of ten is about 26 s.
  expect(world.clock.monotonicMs()).toBeGreaterThan(20_000)
})

test('what needs the user stops the loop, and names the place', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.at('orders').script.push('TOPIC_AUTHORIZATION_FAILED')
  const reader = consumer()
  await expect(done(take(reader, 1))).rejects.toMatchObject({
    name: 'TOPIC_AUTHORIZATION_FAILED',
    topic: 'orders',
    partition: 0,
  })
  cluster.append('orders', 0, numbered(0, 1))
  expect(await done(take(reader, 1))).toEqual(['0'])
})

test('20: a broker that dies in the middle is waited for, nothing is lost or doubled', async () => {
  const { cluster, twin, consumer, done, world, pass } = await readingStage()
  cluster.append('orders', 0, numbered(0, 3))
  const reading = take(consumer(), 6)
  await world.settled()
  await twin.crash()
  await pass(60_000)
  cluster.append('orders', 0, numbered(3, 6))
  await twin.restart()
  expect(await done(reading)).toEqual(numbers(0, 6))
})

test('4: an offset below the log start says how many records are lost, behind those that were fetched', async () => {
  const { cluster, consumer, done, world, pass } = await readingStage()
  cluster.append('orders', 0, numbered(0, 3))
  const reader = consumer()
  expect(await done(take(reader, 1))).toEqual(['0'])
  await world.settled()
  const partition = cluster.at('orders')
  partition.batches = [numbered(10, 12)]
  partition.logStartOffset = 10
  await pass(500)
  const seen: string[] = []
  const reading = (async () => {
    for await (const { value } of reader) seen.push(String(value))
  })()
  await expect(done(reading)).rejects.toMatchObject({
    name: 'OFFSET_OUT_OF_RANGE',
    topic: 'orders',
    partition: 0,
    offset: 3,
    details: { lostRecords: 7, logStartOffset: 10, logEndOffset: 12 },
    message: expect.stringContaining('7 records were deleted'),
  })
  expect(seen).toEqual(['0', '1', '2'])
  await reader.seek({ topic: 'orders', partition: 0 }, 'earliest')
  expect(await done(take(reader, 2))).toEqual(['10', '11'])
})

test.each([
  ['earliest', ['10', '11', '12']],
  ['latest', ['12']],
] as const)('onOutOfRange %s goes on there', async (onOutOfRange, expected) => {
  const { cluster, client, world, done } = await readingStage()
  const partition = cluster.at('orders')
  partition.batches = [numbered(10, 12)]
  partition.logStartOffset = 10
  const assign = [{ topic: 'orders', partition: 0, start: 3 }] as const
  const reading = take(client.consumer({ assign, onOutOfRange }), expected.length)
  await world.settled()
  cluster.append('orders', 0, numbered(12, 13))
  expect(await done(reading)).toEqual(expected)
})

test('an offset above the log end is out of range, too, and nothing is called lost', async () => {
  const { cluster, client, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 2))
  const consumer = client.consumer({ assign: [{ topic: 'orders', partition: 0, start: 7 }] })
  await expect(done(take(consumer, 1))).rejects.toMatchObject({
    name: 'OFFSET_OUT_OF_RANGE',
    message: expect.stringContaining('the log ends at 2'),
  })
})

test('a log that was cut behind the reader is no trouble, one that was cut before it is told', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 4))
  const reader = consumer()
  expect(await done(take(reader, 2))).toEqual(['0', '1'])
  cluster.at('orders').diverging = { epoch: 0, endOffset: 3 }
  cluster.wake()
  expect(await done(take(reader, 2))).toEqual(['1', '2'])
  cluster.at('orders').diverging = { epoch: 0, endOffset: 1 }
  const reading = (async () => {
    for await (const _ of reader);
  })()
  await expect(done(reading)).rejects.toMatchObject({
    name: 'OFFSET_OUT_OF_RANGE',
    message: expect.stringContaining('the log was cut at 1'),
  })
})

test('an answer that is no row of batches stops the partition, and ends', async () => {
  const { cluster, consumer, done } = await readingStage()
  const cut = numbered(0, 3)
  cut.writeInt32BE(-30, 8)
  cluster.append('orders', 0, cut)
  await expect(done(take(consumer(), 1))).rejects.toMatchObject({
    name: 'CORRUPT_MESSAGE',
    topic: 'orders',
    partition: 0,
    offset: 0,
  })
})

test('partitions that a topic gains are read from their beginning, whatever the start', async () => {
  const { cluster, consumer, world, done, pass } = await readingStage({ metadataMaxAgeMs: 1000 })
  cluster.append('orders', 0, numbered(0, 3))
  const reader = consumer({ start: 'latest' })
  const assigned: number[][] = []
  reader.on('assigned', (places) => assigned.push(places.map(({ partition }) => partition)))
  const reading = take(reader, 2)
  await world.settled()
  cluster.addPartition('orders')
  cluster.append('orders', 1, numbered(0, 2))
  await pass(1000)
  expect(await done(reading)).toEqual(['0', '1'])
  expect(assigned).toEqual([[0], [1]])
})

test('a topic that was made anew is read from its start', async () => {
  const { cluster, consumer, world, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 3))
  const reader = consumer()
  const reading = take(reader, 5)
  await world.settled()
  cluster.createTopic('orders')
  cluster.append('orders', 0, numbered(0, 2))
  expect(await done(reading)).toEqual(['0', '1', '2', '0', '1'])
})

test('17: a topic that is deleted is told once, and does not stop the other', async () => {
  const { cluster, consumer, world, done, pass } = await readingStage()
  cluster.createTopic('others')
  const reader = consumer({ topics: ['orders', 'others'] })
  const errors: string[] = []
  reader.on('error', ({ name, topic: about }) => errors.push(`${name} ${about}`))
  const reading = take(reader, 2)
  await world.settled()
  cluster.topics.delete('orders')
  await pass(30_000)
  cluster.append('others', 0, numbered(0, 2))
  expect(await done(reading)).toEqual(['0', '1'])
  expect(errors).toEqual(['UNKNOWN_TOPIC_OR_PARTITION orders'])
})

test('a poll that fails after its partition was sent elsewhere does not fail it', async () => {
  const { cluster, consumer, twin, world, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 20))
  const reader = consumer()
  const refusals: (() => void)[] = []
  twin.onFetch = () =>
    new Promise<void>((_, reject) => {
      refusals.push(() => reject(new MinikafkaError('INVALID_REQUEST')))
    })
  // Each seek abandons a poll; the tenth finds too many abandoned, and waits for the one that is out.
  for (let offset = 0; offset < 12; offset++) {
    await done(reader.seek({ topic: 'orders', partition: 0 }, offset))
    await world.settled()
  }
  expect(refusals.length).toBeLessThan(12)
  twin.onFetch = undefined
  const reading = take(reader, 2)
  for (const refuse of refusals) refuse()
  expect(await done(reading)).toEqual(['11', '12'])
})

test('the trace of a fetch that a seek makes vain ends with the seek', async () => {
  const { cluster, consumer, twin, world, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 20))
  const reader = consumer()
  twin.onFetch = () => new Promise<void>(() => undefined)
  const begun: unknown[] = []
  const vain: unknown[] = []
  const onStart = (trace: unknown) => begun.push(trace)
  const onError = (trace: unknown) => vain.push((trace as { error: unknown }).error)
  const { start, error } = diagnostics.tracingChannel('minikafka:fetch')
  start.subscribe(onStart)
  error.subscribe(onError)
  for (const offset of [1, 2, 3]) {
    await done(reader.seek({ topic: 'orders', partition: 0 }, offset))
    await world.settled()
  }
  start.unsubscribe(onStart)
  error.unsubscribe(onError)
  expect(begun.length).toBeGreaterThan(3)
  // All but the one that is out now.
  const closed = expect.objectContaining({ name: 'CLOSED' })
  expect(vain).toEqual(Array(begun.length - 1).fill(closed))
})

test('nothing is dialled for a consumer that was closed while metadata was asked for its leader', async () => {
  const { cluster, consumer, client, twin, world, anotherTwin, pass } = await readingStage()
  const rounds = () => twin.calls.filter(({ api }) => api === 'metadata').length
  cluster.at('orders').leaderId = 2
  world.network.slow('client', 'broker', '50ms')
  const at = { topic: 'orders', partition: 0, start: 0 }
  const reader = consumer({ topics: undefined, start: undefined, assign: [at] } as object)
  const reading = take(reader, 1)
  while (rounds() < 1) await world.clock.advance('10ms')
  await anotherTwin(2)
  while (rounds() < 2) await world.clock.advance('10ms')
  await world.complete(reader.close())
  await reading
  await pass(60_000)
  expect(client.stats().connections).toHaveLength(1)
})
