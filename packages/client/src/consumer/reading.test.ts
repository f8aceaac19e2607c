// The reading modes: loops, batches, poll, readable; and what they share.
import { afterEach, expect, test } from 'vitest'
import {
  closeReadingStages,
  numbers,
  readingStage,
  take,
  textOf,
} from '../../test/reading-stage.ts'
import { batchOf, damaged, markerOf, numbered } from '../../test/record-batches.ts'
import { json, text, topic } from '../topic/index.ts'
import type { Batch, Consumer, ConsumerRecord } from './types.ts'

afterEach(closeReadingStages)

const ORDERS = { topic: 'orders', partition: 0 }

async function nextBatch(batches: AsyncIterable<Batch<string>>): Promise<string[]> {
  for await (const { records } of batches) return records.map(textOf)
  return []
}

// --- loops ---------------------------------------------------------------------------------------

test('records of several partitions take turns, batch by batch', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.createTopic('two', 2)
  cluster.append('two', 0, numbered(0, 2), numbered(2, 4))
  cluster.append('two', 1, batchOf([{ value: 'a' }]), batchOf([{ value: 'b' }], { baseOffset: 1 }))
  expect(await done(take(consumer({ topics: ['two'] }), 6))).toEqual(['0', '1', 'a', '2', '3', 'b'])
})

test('1: a loop that is left by a throw starts at the record in hand', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 3), numbered(3, 5))
  const reader = consumer()
  const failing = (async () => {
    for await (const { offset } of reader) if (offset === 3) throw new Error('mine')
  })()
  await expect(done(failing)).rejects.toThrow('mine')
  expect(reader.nextOffset(ORDERS)).toBe(3)
  expect(await done(take(reader, 2))).toEqual(['3', '4'])
})

test('callers of next() who do not wait get records in order', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 2), numbered(2, 5))
  const iterator = consumer()[Symbol.asyncIterator]()
  const results = await done(Promise.all(Array.from({ length: 5 }, () => iterator.next())))
  expect(results.map(({ value }) => String(value?.value))).toEqual(numbers(0, 5))
})

test('stop() hands out nothing more, in the middle of a batch, and for good', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 5))
  const reader = consumer()
  const seen: string[] = []
  await done(
    (async () => {
      for await (const record of reader) {
        seen.push(textOf(record))
        if (record.offset === 1) reader.stop()
      }
    })(),
  )
  expect(seen).toEqual(['0', '1'])
  expect(await done(take(reader, 1))).toEqual([])
  expect(await done(reader.poll())).toEqual([])
  await done(reader.run(() => expect.unreachable()))
  expect(reader.nextOffset(ORDERS)).toBe(2)
})

test('stop() ends a mode that waits for a broker that is not there', async () => {
  const { consumer, done, twin, world } = await readingStage()
  await twin.crash()
  const reader = consumer()
  const running = reader.run(() => {})
  await world.settled()
  reader.stop()
  await done(running)
  expect(world.clock.monotonicMs()).toBe(0)
})

test('20: a broker that starts after the consumer needs no user code', async () => {
  const { cluster, consumer, done, twin, pass } = await readingStage()
  cluster.append('orders', 0, numbered(0, 1))
  await twin.crash()
  const reading = take(consumer(), 1)
  await pass(120_000)
  await twin.restart()
  expect(await done(reading)).toEqual(['0'])
})

test('11: pause ends what is being handed out, resume goes on there without a fetch', async () => {
  const { cluster, consumer, done, twin, world } = await readingStage()
  cluster.append('orders', 0, numbered(0, 4))
  const reader = consumer()
  const seen: string[] = []
  const reading = (async () => {
    for await (const record of reader) {
      seen.push(textOf(record))
      if (record.offset === 1) reader.pause([ORDERS])
      if (record.offset === 3) break
    }
  })()
  await world.settled()
  expect([seen, reader.paused()]).toEqual([['0', '1'], [ORDERS]])
  const fetches = twin.fetches().length
  reader.resume()
  await done(reading)
  expect([seen, reader.paused()]).toEqual([numbers(0, 4), []])
  expect(twin.fetches()).toHaveLength(fetches)
})

test('2: a seek in a loop: nothing fetched before is handed out, breaking starts at the new place', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 9))
  const reader = consumer()
  const reading = (async () => {
    for await (const { offset } of reader) {
      if (offset !== 1) continue
      await reader.seek(ORDERS, 6)
      break
    }
  })()
  await done(reading)
  expect(reader.nextOffset(ORDERS)).toBe(6)
  expect(await done(take(reader, 2))).toEqual(['6', '7'])
})

test('2: an assigned partition can be sent elsewhere before anything was read of it', async () => {
  const { cluster, client, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 5))
  const reader = client.consumer({ assign: [{ ...ORDERS, start: 'latest' }] })
  await done(reader.seek(ORDERS, 3))
  expect(await done(take(reader, 2))).toEqual(['3', '4'])
})

test('2: a seek does not wait for the poll of the time before, and drops its answer', async () => {
  const { cluster, consumer, done, world } = await readingStage()
  cluster.append('orders', 0, numbered(0, 3))
  const reader = consumer()
  const reading = take(reader, 4)
  await world.settled()
  await reader.seek(ORDERS, 1)
  expect(await done(reading)).toEqual(['0', '1', '2', '1'])
  expect(world.clock.monotonicMs()).toBe(0)
})

test('2: a seek to a point does not wait for the poll of the other partitions', async () => {
  const { cluster, consumer, done, world } = await readingStage()
  cluster.createTopic('two', 2)
  cluster.append('two', 1, numbered(0, 3))
  const reader = consumer({ topics: ['two'], start: 'latest' })
  const reading = take(reader, 1)
  await world.settled()
  await done(reader.seek({ topic: 'two', partition: 1 }, { last: 2 }))
  expect(await done(reading)).toEqual(['1'])
  expect(world.clock.monotonicMs()).toBe(0)
})

test('seek takes points, and what it cannot take is refused by name', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 9))
  const reader = consumer({ start: 'latest' })
  await done(reader.seek(ORDERS, 'earliest'))
  expect(reader.nextOffset(ORDERS)).toBe(0)
  await done(reader.seek(ORDERS, { last: 2 }))
  expect(await done(take(reader, 1))).toEqual(['7'])
  await done(reader.seek(ORDERS, { timestamp: 10 ** 15 }))
  expect(reader.nextOffset(ORDERS)).toBe(9)
  await expect(done(reader.seek({ topic: 'orders', partition: 7 }, 0))).rejects.toMatchObject({
    name: 'INVALID_OPTION',
    message: expect.stringContaining('orders-7 is not assigned'),
  })
  for (const point of [-1, 1.5, 'start', {}, { last: -1 }, { last: 1, timestamp: 1 }, null])
    await expect(reader.seek(ORDERS, point as never)).rejects.toMatchObject({
      name: 'INVALID_OPTION',
    })
})

test('seek is bounded by its time-out and its signal', async () => {
  const { cluster, consumer, done, world } = await readingStage()
  cluster.append('orders', 0, numbered(0, 1))
  const reader = consumer()
  await done(take(reader, 1))
  cluster.at('orders').leaderId = -1
  const late = reader.seek(ORDERS, 'latest', { timeoutMs: 700 })
  const before = world.clock.monotonicMs()
  // The leader as it was known answers; only a fetch tells that there is none.
  await done(late.catch(() => undefined))
  expect(world.clock.monotonicMs() - before).toBeLessThanOrEqual(700)
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(reader.seek(ORDERS, 'latest', { signal })).rejects.toThrow('enough')
})

// --- batches -------------------------------------------------------------------------------------

test('batches: as they were fetched, small ones joined, of one partition each', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.createTopic('two', 2)
  for (let offset = 0; offset < 20; offset++) cluster.append('two', 0, numbered(offset, offset + 1))
  cluster.append('two', 1, numbered(0, 3))
  const sizes: string[] = []
  await done(
    (async () => {
      for await (const { partition, records } of consumer({ topics: ['two'] }).batches()) {
        sizes.push(`${partition}:${records.length}`)
        if (sizes.length === 2) break
      }
    })(),
  )
  expect(sizes).toEqual(['0:20', '1:3'])
})

test('batches: at most maxRecords, and the rest afterwards', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 5), numbered(5, 8))
  const sizes: number[] = []
  await done(
    (async () => {
      for await (const { records } of consumer().batches({ maxRecords: 3 })) {
        sizes.push(records.length)
        if (records.at(-1)?.offset === 7) break
      }
    })(),
  )
  expect(sizes).toEqual([3, 3, 2])
})

test('batches: maxWaitMs waits for maxRecords, and gives what there is when time is up', async () => {
  const { cluster, consumer, world, done, pass } = await readingStage()
  cluster.append('orders', 0, numbered(0, 2))
  const reader = consumer()
  const full = nextBatch(reader.batches({ maxRecords: 4, maxWaitMs: 1000 }))
  await pass(400)
  cluster.append('orders', 0, numbered(2, 5))
  expect(await done(full)).toEqual(numbers(0, 4))
  expect(world.clock.monotonicMs()).toBe(400)
  await reader.seek(ORDERS, 3)
  const partial = nextBatch(reader.batches({ maxRecords: 4, maxWaitMs: 1000 }))
  await done(partial)
  expect(await partial).toEqual(['3', '4'])
  expect(world.clock.monotonicMs()).toBeGreaterThanOrEqual(1400)
})

test('1: a batch that is left is next again, but for what was acked', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 5))
  const reader = consumer()
  await done(
    (async () => {
      for await (const { records } of reader.batches()) {
        for (const record of records) if (record.offset !== 1 && record.offset < 3) record.ack()
        break
      }
    })(),
  )
  expect(reader.nextOffset(ORDERS)).toBe(1)
  expect(await done(nextBatch(reader.batches()))).toEqual(['1', '3', '4'])
})

test('a signal ends a loop over batches with its reason, while it waits and between two', async () => {
  const { cluster, consumer, world, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 1), numbered(1, 2))
  const reader = consumer()
  const controller = new AbortController()
  const { signal } = controller
  const loop = (abortAt: number) =>
    (async () => {
      for await (const { records } of reader.batches({ maxRecords: 1, signal }))
        if (records[0]?.offset === abortAt) controller.abort(new Error('enough'))
    })()
  await expect(done(loop(0))).rejects.toThrow('enough')
  await expect(done(loop(0))).rejects.toThrow('enough')
  const waits = new AbortController()
  await done(take(reader, 1))
  const batches = reader.batches({ maxRecords: 9, signal: waits.signal })
  const iterator = batches[Symbol.asyncIterator]()
  await done(iterator.next())
  const waiting = iterator.next()
  await world.settled()
  waits.abort(new Error('no more'))
  await expect(done(waiting)).rejects.toThrow('no more')
})

// --- poll ----------------------------------------------------------------------------------------

test('poll: at most max, over partitions; nothing after maxWaitMs', async () => {
  const { cluster, consumer, world, done } = await readingStage()
  cluster.createTopic('two', 2)
  cluster.append('two', 0, numbered(0, 3))
  cluster.append('two', 1, numbered(0, 3))
  const reader = consumer({ topics: ['two'] })
  expect(await done(reader.poll({ max: 4 }))).toHaveLength(4)
  expect(await done(reader.poll({ max: 4 }))).toHaveLength(2)
  const before = world.clock.monotonicMs()
  expect(await done(reader.poll({ maxWaitMs: 300 }))).toEqual([])
  expect(world.clock.monotonicMs() - before).toBe(300)
})

test('poll: what stops the reader comes after the records before it, none of them is lost', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 2), damaged(numbered(2, 4)), numbered(4, 5))
  const reader = consumer()
  expect((await done(reader.poll())).map(textOf)).toEqual(['0', '1'])
  await expect(done(reader.poll())).rejects.toMatchObject({ name: 'CORRUPT_MESSAGE', offset: 2 })
  await expect(done(reader.poll())).rejects.toMatchObject({ name: 'CORRUPT_MESSAGE', offset: 2 })
  await done(reader.seek(ORDERS, 4))
  expect((await done(reader.poll())).map(textOf)).toEqual(['4'])
})

test('poll: a signal rejects with its reason', async () => {
  const { consumer, world, done } = await readingStage()
  const controller = new AbortController()
  const polling = consumer().poll({ maxWaitMs: 10_000, signal: controller.signal })
  polling.catch(() => {})
  await world.settled()
  controller.abort(new Error('enough'))
  await expect(done(polling)).rejects.toThrow('enough')
})

// --- readable ------------------------------------------------------------------------------------

test('1: readable() asks for a record when somebody wants it, for asking finishes the one before', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 5))
  const reader = consumer()
  const positions: (number | undefined)[] = []
  await done(
    (async () => {
      for await (const record of reader.readable() as AsyncIterable<ConsumerRecord<string>>) {
        positions.push(reader.nextOffset(ORDERS))
        if (record.offset === 2) break
      }
    })(),
  )
  expect(positions).toEqual([1, 2, 3])
  expect(reader.nextOffset(ORDERS)).toBe(2)
})

test('readable() ends with stop(), and fails with what stops the reader', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 2), damaged(numbered(2, 3)))
  const reader = consumer()
  const all = (until: number) =>
    (async () => {
      const seen: string[] = []
      for await (const record of reader.readable() as AsyncIterable<ConsumerRecord<string>>) {
        seen.push(textOf(record))
        if (record.offset === until) reader.stop()
      }
      return seen
    })()
  await expect(done(all(9))).rejects.toMatchObject({ name: 'CORRUPT_MESSAGE' })
  await done(reader.seek(ORDERS, 0))
  expect(await done(all(1))).toEqual(['0', '1'])
})

// --- one at a time ---------------------------------------------------------------------------------

test('one reading mode at a time, else BUSY with the name of the other', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 2))
  const reader = consumer()
  const others: ((reader: Consumer<string>) => unknown)[] = [
    (busy) => busy.poll(),
    (busy) => busy.run(() => {}),
    (busy) => busy.readable(),
    (busy) => busy[Symbol.asyncIterator](),
    (busy) => busy.batches()[Symbol.asyncIterator](),
  ]
  await done(
    (async () => {
      for await (const _ of reader) {
        for (const other of others)
          await expect((async () => await other(reader))()).rejects.toMatchObject({
            name: 'BUSY',
            message: expect.stringContaining('a loop over records'),
          })
        break
      }
    })(),
  )
  expect(await done(reader.poll())).toHaveLength(2)
})

test.each([
  ['batches', { maxRecord: 1 }, /maxRecords/],
  ['batches', { maxRecords: 0 }, /at least 1/],
  ['poll', { maxWait: 1 }, /maxWaitMs/],
  ['run', { concurrency: 0 }, /from 1 to/],
  ['run', { order: 'keys' }, /did you mean 'key'/],
] as const)('%s(%j) is INVALID_OPTION', async (method, options, message) => {
  const { consumer } = await readingStage()
  const call = async () => {
    const reader = consumer()
    if (method === 'run') return await reader.run(() => {}, options as never)
    return await reader[method](options as never)
  }
  await expect(call()).rejects.toMatchObject({
    name: 'INVALID_OPTION',
    message: expect.stringMatching(message),
  })
})

test('commit and committed say that they need a group, and what to do without', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 1))
  const reader = consumer()
  const refusal = {
    name: 'INVALID_OPTION',
    message: expect.stringMatching(/needs a group.*assign/),
  }
  await expect(reader.commit()).rejects.toMatchObject(refusal)
  await expect(reader.committed()).rejects.toMatchObject(refusal)
  await done(
    (async () => {
      for await (const batch of reader.batches()) {
        await expect(batch.commit()).rejects.toMatchObject(refusal)
        break
      }
    })(),
  )
})

// --- what cannot be decoded ------------------------------------------------------------------------

const strict = topic('orders', { key: text(), value: json<{ n: number }>() })

test('14: a record that cannot be decoded meets the policy in its place, and the rest of its batch goes on', async () => {
  const { cluster, client, done } = await readingStage()
  const values = ['{"n":0}', 'broken', '{"n":2}', 'broken, too', '{"n":4}']
  cluster.append('orders', 0, batchOf(values.map((value) => ({ value }))))
  const stops = client.consumer({ topics: [strict], start: 'earliest' })
  const seen: number[] = []
  const reading = (async () => {
    for await (const { value } of stops) seen.push(value.n)
  })()
  await expect(done(reading)).rejects.toMatchObject({
    name: 'DESERIALIZATION_FAILED',
    topic: 'orders',
    partition: 0,
    offset: 1,
  })
  expect(seen).toEqual([0])
  const skips = client.consumer({ topics: [strict], start: 'earliest', onError: 'skip' })
  const rest: number[] = []
  await done(
    (async () => {
      for await (const { value } of skips) {
        rest.push(value.n)
        if (value.n === 4) break
      }
    })(),
  )
  expect(rest).toEqual([0, 2, 4])
})

test('14: retries decode again after the back-off, and the other partitions go on meanwhile', async () => {
  const { cluster, client, world, done, pass } = await readingStage()
  cluster.createTopic('two', 2)
  cluster.append('two', 0, numbered(0, 3))
  cluster.append('two', 1, batchOf([{ value: 'a' }, { value: 'b' }]))
  let failures = 0
  const decode = (view: Buffer) => {
    if (view.toString() === '1' && failures < 2) {
      failures++
      throw new Error('the registry is away')
    }
    return view.toString()
  }
  const two = topic('two', { value: { name: 'registry', encode: String, decode } })
  const onError = () => ({ retryAfterMs: 1000 })
  const reader = client.consumer({ topics: [two], start: 'earliest', onError })
  const seen: string[] = []
  const reading = (async () => {
    for await (const { value } of reader) {
      seen.push(value)
      if (value === '2') break
    }
  })()
  await world.settled()
  expect(seen).toEqual(['0', 'a', 'b'])
  await pass(1000)
  expect(seen).toHaveLength(3)
  await pass(1000)
  await done(reading)
  expect(seen).toEqual(['0', 'a', 'b', '1', '2'])
})

test('14: a policy of your own gets the broken record as bytes, how often it was tried, and the error', async () => {
  const { cluster, client, done } = await readingStage()
  cluster.append('orders', 0, batchOf([{ key: 'k', value: 'broken' }, { value: '{"n":1}' }]))
  const asked: unknown[] = []
  const reader = client.consumer({
    topics: [strict],
    start: 'earliest',
    onError(error, { key, value, offset }, attempt) {
      asked.push([error.name, String(key), String(value), offset, attempt])
      return attempt === 1 ? { retryAfterMs: 1 } : 'skip'
    },
  })
  const reading = (async () => {
    for await (const { value } of reader) return value
    return undefined
  })()
  expect(await done(reading)).toEqual({ n: 1 })
  expect(asked).toEqual(
    [1, 2].map((attempt) => ['DESERIALIZATION_FAILED', 'k', 'broken', 0, attempt]),
  )
})

test('14: a corrupt batch is named and goes on at its header’s end, under the policy', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 2), damaged(numbered(2, 5)), numbered(5, 7))
  await expect(done(take(consumer(), 3))).rejects.toMatchObject({
    name: 'CORRUPT_MESSAGE',
    topic: 'orders',
    partition: 0,
    offset: 2,
  })
  expect(await done(take(consumer({ onError: 'skip' }), 4))).toEqual(['0', '1', '5', '6'])
  const places: unknown[] = []
  const asks = consumer({
    onError(_error, { topic: name, partition, offset, value }) {
      places.push([name, partition, offset, value])
      return 'skip'
    },
  })
  expect(await done(take(asks, 4))).toEqual(['0', '1', '5', '6'])
  expect(places).toEqual([['orders', 0, 2, null]])
})

test('14: what has no bytes to keep cannot become a dead letter: it stops the reader', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, damaged(numbered(0, 2)))
  const reader = consumer({ onError: 'dead-letter', deadLetter: 'dead' })
  await expect(done(take(reader, 1))).rejects.toMatchObject({ name: 'CORRUPT_MESSAGE' })
})

test('the compressed come out as they went in', async () => {
  const { cluster, consumer, done } = await readingStage()
  const codecs = ['gzip', 'snappy', 'lz4', 'zstd', 'none'] as const
  for (const [index, compression] of codecs.entries()) {
    const { compress } = await import('../../test/record-batches.ts')
    await compress.prepare(compression)
    cluster.append('orders', 0, numbered(index * 2, index * 2 + 2, { compression }))
  }
  expect(await done(take(consumer(), 10))).toEqual(numbers(0, 10))
})

// --- transactions ------------------------------------------------------------------------------------

test('32: read_committed skips what was aborted and all markers, read_uncommitted only the markers', async () => {
  const { cluster, consumer, done } = await readingStage()
  const of = (producerId: number, baseOffset: number) => ({
    producerId,
    baseOffset,
    transactional: true,
  })
  cluster.append(
    'orders',
    0,
    batchOf([{ value: 'aborted 1' }], of(1, 0)),
    batchOf([{ value: 'kept 2' }], of(2, 1)),
    batchOf([{ value: 'aborted 1' }], of(1, 2)),
    markerOf('abort', of(1, 3)),
    batchOf([{ value: 'kept 1' }], of(1, 4)),
    markerOf('commit', of(2, 5)),
    batchOf([{ value: 'aborted 2' }], of(2, 6)),
    markerOf('commit', of(1, 7)),
    markerOf('abort', of(2, 8)),
    batchOf([{ value: 'plain' }], { baseOffset: 9 }),
  )
  cluster.at('orders').aborted = [
    { producerId: 2, firstOffset: 6 },
    { producerId: 1, firstOffset: 0 },
  ]
  const committed = consumer()
  expect(await done(take(committed, 3))).toEqual(['kept 2', 'kept 1', 'plain'])
  const all = consumer({ isolation: 'read_uncommitted' })
  expect(await done(take(all, 6))).toEqual([
    'aborted 1',
    'kept 2',
    'aborted 1',
    'kept 1',
    'aborted 2',
    'plain',
  ])
})

test('32: read_committed reads up to the last stable offset, and its lag counts up to there', async () => {
  const { cluster, consumer, world, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 2), numbered(2, 4))
  cluster.at('orders').lastStableOffset = 2
  const reader = consumer()
  const reading = take(reader, 3)
  await world.settled()
  expect(reader.health().partitions).toMatchObject([{ nextOffset: 2, end: 2 }])
  delete cluster.at('orders').lastStableOffset
  cluster.wake()
  expect(await done(reading)).toEqual(['0', '1', '2'])
})
