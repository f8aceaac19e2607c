import { afterEach, expect, test } from 'vitest'
import { closeReadingStages, numbers, readingStage, take } from '../../test/reading-stage.ts'
import { batchOf, numbered } from '../../test/record-batches.ts'
import { json, topic } from '../topic/index.ts'
import type { ConsumerRecord } from './types.ts'

afterEach(closeReadingStages)

const ORDERS = { topic: 'orders', partition: 0 }

/** Handlers that wait until the test lets them go. */
function gate() {
  const waiting: { readonly name: string; readonly open: (error?: Error) => void }[] = []
  const pass = (name: string) =>
    new Promise<void>((resolve, reject) => {
      waiting.push({ name, open: (error) => (error ? reject(error) : resolve()) })
    })
  const open = (name: string, error?: Error) => {
    const at = waiting.findIndex((one) => one.name === name)
    if (at === -1) throw new Error(`nobody waits at ${name}`)
    waiting.splice(at, 1)[0]?.open(error)
  }
  return { pass, open, names: () => waiting.map(({ name }) => name) }
}

/** Records of these keys, in this order, each the first of its key or a later one: k:0, l:0, k:1 … */
function keyed(keys: readonly string[]): Buffer {
  const counts = new Map<string, number>()
  return batchOf(
    keys.map((key) => {
      const count = counts.get(key) ?? 0
      counts.set(key, count + 1)
      return { key, value: `${key}:${count}` }
    }),
  )
}

const nameOf = ({ value }: ConsumerRecord<string>) => String(value)

test('by default one record at a time, in order; run() ends with stop() when the handler is done', async () => {
  const { cluster, consumer, world } = await readingStage()
  cluster.append('orders', 0, numbered(0, 5))
  const reader = consumer()
  const { pass, open, names } = gate()
  const handled: string[] = []
  const running = reader.run(async (record, { attempt }) => {
    handled.push(`${nameOf(record)}/${attempt}`)
    await pass(nameOf(record))
  })
  await world.settled()
  expect(names()).toEqual(['0'])
  open('0')
  await world.settled()
  expect(names()).toEqual(['1'])
  reader.stop()
  await world.settled()
  let isOver = false
  running.then(
    () => (isOver = true),
    () => {},
  )
  await world.settled()
  expect(isOver).toBe(false)
  open('1')
  await world.complete(running)
  expect(handled).toEqual(['0/1', '1/1'])
  expect(reader.nextOffset(ORDERS)).toBe(2)
})

test('order partition: one of a partition at a time, partitions side by side', async () => {
  const { cluster, consumer, world, done } = await readingStage()
  cluster.createTopic('three', 3)
  for (const partition of [0, 1, 2]) {
    cluster.append(
      'three',
      partition,
      batchOf([{ value: `${partition}a` }, { value: `${partition}b` }]),
    )
  }
  const reader = consumer({ topics: ['three'] })
  const { pass, open, names } = gate()
  const running = reader.run((record) => pass(nameOf(record)), { concurrency: 2 })
  await world.settled()
  expect(names()).toEqual(['0a', '1a'])
  open('1a')
  await world.settled()
  expect(names()).toEqual(['0a', '2a'])
  open('2a')
  await world.settled()
  expect(names()).toEqual(['0a', '1b'])
  for (const name of ['0a', '1b', '0b', '2b']) {
    open(name)
    await world.settled()
  }
  reader.stop()
  await done(running)
})

test('16: order key: records of a key never overlap, and a slow one holds back only its own', async () => {
  const { cluster, consumer, world, done } = await readingStage()
  cluster.append('orders', 0, keyed(['k', 'k', 'l', 'k', 'm', 'l']))
  const reader = consumer()
  const { pass, open, names } = gate()
  const running = reader.run((record) => pass(nameOf(record)), { concurrency: 3, order: 'key' })
  await world.settled()
  expect(names()).toEqual(['k:0', 'l:0', 'm:0'])
  open('l:0')
  open('m:0')
  await world.settled()
  expect(names()).toEqual(['k:0', 'l:1'])
  open('l:1')
  await world.settled()
  expect(names()).toEqual(['k:0'])
  open('k:0')
  await world.settled()
  expect(names()).toEqual(['k:1'])
  open('k:1')
  await world.settled()
  open('k:2')
  reader.stop()
  await done(running)
})

test('16: keys of different types and bytes are told apart, equal ones are not', async () => {
  const { cluster, client, world, done } = await readingStage()
  const keys = ['{"a":1}', '{"a":2}', '{"a":1}', 'null', '"x"']
  cluster.append('orders', 0, batchOf(keys.map((key, index) => ({ key, value: `${index}` }))))
  const orders = topic('orders', { key: json<unknown>() })
  const reader = client.consumer({ topics: [orders], start: 'earliest' })
  const { pass, open, names } = gate()
  const running = reader.run(({ value }) => pass(String(value)), { concurrency: 9, order: 'key' })
  await world.settled()
  expect(names()).toEqual(['0', '1', '3', '4'])
  for (const name of ['0', '1', '3', '4']) open(name)
  await world.settled()
  expect(names()).toEqual(['2'])
  open('2')
  reader.stop()
  await done(running)
})

test('16: a poisoned key does not stop its partition, even far behind it', async () => {
  const { cluster, consumer, done, world } = await readingStage()
  cluster.append('orders', 0, keyed(['bad', ...numbers(0, 6000)]))
  const reader = consumer()
  let handled = 0
  const running = reader.run(
    async ({ key }) => {
      if (String(key) === 'bad') await new Promise(() => {})
      if (++handled === 6000) reader.stop()
    },
    { concurrency: 4, order: 'key' },
  )
  running.catch(() => {})
  await world.until(() => handled === 6000)
  await done(reader.close({ timeoutMs: 0 }))
})

test('order none: as many as there are workers', async () => {
  const { cluster, consumer, world, done } = await readingStage()
  cluster.append('orders', 0, keyed(['k', 'k', 'k', 'k']))
  const reader = consumer()
  const { pass, open, names } = gate()
  const running = reader.run((record) => pass(nameOf(record)), { concurrency: 3, order: 'none' })
  await world.settled()
  expect(names()).toEqual(['k:0', 'k:1', 'k:2'])
  open('k:1')
  await world.settled()
  expect(names()).toEqual(['k:0', 'k:2', 'k:3'])
  for (const name of ['k:0', 'k:2', 'k:3']) open(name)
  reader.stop()
  await done(running)
})

test('as many handlers as there are workers may listen to the signal of one partition: that is no leak', async () => {
  const { cluster, consumer, world, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 16))
  const reader = consumer()
  const warnings: Error[] = []
  const hear = (warning: Error) => warnings.push(warning)
  process.on('warning', hear)
  let listening = 0
  const handler = ({ signal }: ConsumerRecord<string>) => {
    listening++
    return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
  }
  const running = reader.run(handler, { concurrency: 16, order: 'none' })
  await world.settled()
  await done(reader.close({ timeoutMs: 1 }))
  await done(running)
  process.off('warning', hear)
  expect(listening).toBe(16)
  expect(warnings).toEqual([])
})

test('13: retries back off and hold back their partition, while its worker does something else', async () => {
  const { cluster, consumer, world, done, pass } = await readingStage()
  cluster.createTopic('two', 2)
  cluster.append('two', 0, batchOf([{ value: 'bad' }, { value: 'behind it' }]))
  cluster.append('two', 1, batchOf([{ value: 'a' }, { value: 'b' }]))
  const reader = consumer({ topics: ['two'], onError: retries(3, 'stop') })
  const handled: string[] = []
  const running = reader.run((record, { attempt }) => {
    handled.push(`${nameOf(record)}/${attempt}`)
    if (nameOf(record) === 'bad' && attempt < 3) throw new Error('not yet')
  })
  await world.settled()
  expect(handled).toEqual(['bad/1', 'a/1', 'b/1'])
  await pass(130)
  expect(handled.slice(3)).toEqual(['bad/2'])
  await pass(250)
  expect(handled.slice(4)).toEqual(['bad/3', 'behind it/1'])
  reader.stop()
  await done(running)
})

test('13: a policy of retries stops in the end, with the error of the handler as its cause', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 3))
  const reader = consumer({ onError: retries(2, 'stop') })
  const attempts: number[] = []
  const cause = new Error('never')
  const running = reader.run(({ offset }, { attempt }) => {
    if (offset === 1) attempts.push(attempt)
    if (offset === 1) throw cause
  })
  await expect(done(running)).rejects.toMatchObject({
    name: 'HANDLER_FAILED',
    topic: 'orders',
    partition: 0,
    offset: 1,
    cause,
  })
  expect(attempts).toEqual([1, 2, 3])
  expect(await done(take(reader, 1))).toEqual(['1'])
})

test('13: skip passes by what failed', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 4))
  const reader = consumer({ onError: 'skip' })
  const handled: number[] = []
  await done(
    reader.run(async ({ offset }) => {
      if (offset === 3) reader.stop()
      if (offset % 2 === 0) throw new Error('even')
      handled.push(offset)
    }),
  )
  expect(handled).toEqual([1, 3])
  expect(reader.nextOffset(ORDERS)).toBe(4)
})

test('13: a policy of your own gets your own error and the record as bytes, whatever its codec', async () => {
  const { cluster, client, done } = await readingStage()
  cluster.append('orders', 0, batchOf([{ key: 'k', value: '{"n": 1}' }]))
  const asked: unknown[] = []
  const orders = topic('orders', { value: json<{ n: number }>() })
  const mine = new RangeError('mine')
  const reader = client.consumer({
    topics: [orders],
    start: 'earliest',
    onError(error, { key, value }, attempt) {
      asked.push([error, String(key), String(value), attempt])
      return attempt < 3 ? { retryAfterMs: 50 } : 'skip'
    },
  })
  await done(
    reader.run(({ value }, { attempt }) => {
      if (attempt === 3) reader.stop()
      if (value.n === 1) throw mine
    }),
  )
  expect(asked).toEqual([1, 2, 3].map((attempt) => [mine, 'k', '{"n": 1}', attempt]))
})

test('13: a policy that throws, or answers nonsense, stops the run', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 1))
  const failing = () => {
    throw new Error('handler')
  }
  const throws = consumer({
    onError: () => {
      throw new Error('policy')
    },
  })
  await expect(done(throws.run(failing))).rejects.toThrow('policy')
  const nonsense = consumer({ onError: (() => 'ignore') as never })
  await expect(done(nonsense.run(failing))).rejects.toMatchObject({
    name: 'INVALID_OPTION',
    path: 'onError',
  })
})

test('13: an error of the SDK inside a handler is the handler’s', async () => {
  const { cluster, client, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 1))
  const running = consumer().run(async () => {
    await client.consumer({ topics: ['no such topic'] }).poll({ maxWaitMs: 60_000 })
  })
  await expect(done(running)).rejects.toMatchObject({
    name: 'HANDLER_FAILED',
    cause: { name: expect.stringMatching(/TOPIC/) },
  })
})

test('stop() between two attempts ends the run; the record is the next one', async () => {
  const { cluster, consumer, world, done } = await readingStage({ retry: { minMs: 5000 } })
  cluster.append('orders', 0, numbered(0, 3))
  const reader = consumer({ onError: retries(9, 'stop') })
  const running = reader.run(({ offset }) => {
    if (offset === 1) throw new Error('no')
  })
  await world.settled()
  reader.stop()
  await done(running)
  expect(world.clock.monotonicMs()).toBe(0)
  expect(reader.nextOffset(ORDERS)).toBe(1)
})

test('1: what is not finished when a run ends is next, whatever finished behind it', async () => {
  const { cluster, consumer, world, done } = await readingStage()
  cluster.append('orders', 0, keyed(['k', 'l', 'm', 'k', 'n']))
  const reader = consumer()
  const { pass, open } = gate()
  const running = reader.run((record) => pass(nameOf(record)), { concurrency: 4, order: 'key' })
  running.catch(() => {})
  await world.settled()
  open('l:0')
  open('m:0')
  await world.settled()
  open('k:0', new Error('no'))
  await world.settled()
  open('n:0')
  await expect(done(running)).rejects.toMatchObject({ name: 'HANDLER_FAILED', offset: 0 })
  expect(reader.nextOffset(ORDERS)).toBe(0)
})

test('1: stop() ends with no gap: what waits for its key in front of a finished record is handled, no more', async () => {
  const { cluster, consumer, world, done } = await readingStage()
  cluster.append('orders', 0, keyed(['k', 'l', 'k', 'm', 'l']))
  const reader = consumer()
  const { pass, open, names } = gate()
  const running = reader.run((record) => pass(nameOf(record)), { concurrency: 3, order: 'key' })
  await world.settled()
  open('m:0')
  reader.stop()
  open('k:0')
  await world.settled()
  expect(names()).toEqual(['l:0', 'k:1'])
  open('l:0')
  open('k:1')
  await done(running)
  expect(reader.nextOffset(ORDERS)).toBe(4)
})

test('1: stop() does not wait for a gap that is tried again after a while', async () => {
  const { cluster, consumer, world, done } = await readingStage({ retry: { minMs: 5000 } })
  cluster.append('orders', 0, keyed(['k', 'l', 'k', 'm']))
  const reader = consumer({ onError: retries(9, 'stop') })
  const running = reader.run(
    (record) => {
      if (nameOf(record) === 'k:0') throw new Error('no')
    },
    { concurrency: 3, order: 'key' },
  )
  await world.settled()
  reader.stop()
  await done(running)
  expect(world.clock.monotonicMs()).toBe(0)
  expect(reader.nextOffset(ORDERS)).toBe(0)
})

test('1: a record that was acked is finished, even if its handler throws', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 3))
  const reader = consumer()
  const running = reader.run((record) => {
    record.ack()
    if (record.offset === 1) throw new Error('late')
  })
  await expect(done(running)).rejects.toMatchObject({ offset: 1 })
  expect(await done(take(reader, 1))).toEqual(['2'])
})

test('2: after a seek nothing fetched before it is handed out, waiting or to be tried again', async () => {
  const { cluster, consumer, world, done } = await readingStage()
  cluster.append('orders', 0, keyed(['k', 'k', 'l', 'bad', 'k']))
  const reader = consumer({ onError: retries(9, 'stop') })
  const { pass, open } = gate()
  const handled: string[] = []
  const running = reader.run(
    async (record) => {
      handled.push(nameOf(record))
      if (handled.length === 1) await pass('first')
      if (nameOf(record) === 'bad:0') throw new Error('no')
    },
    { concurrency: 2, order: 'key' },
  )
  await world.settled()
  expect(handled).toEqual(['k:0', 'l:0', 'bad:0'])
  await reader.seek(ORDERS, 4)
  open('first')
  await world.settled()
  expect(handled.slice(3)).toEqual(['k:2'])
  await world.clock.advance('10s')
  expect(handled).toHaveLength(4)
  reader.stop()
  await done(running)
})

test('11: a paused partition hands out nothing more, waiting or to be tried again, until it is resumed', async () => {
  const { cluster, consumer, world, done, pass } = await readingStage()
  cluster.append('orders', 0, keyed(['k', 'k', 'bad', 'l']))
  const reader = consumer({ onError: retries(9, 'stop') })
  const handled: string[] = []
  const { pass: wait, open } = gate()
  const running = reader.run(
    async (record, { attempt }) => {
      handled.push(`${nameOf(record)}/${attempt}`)
      if (nameOf(record) === 'k:0') await wait('k')
      if (nameOf(record) === 'bad:0' && attempt === 1) throw new Error('no')
    },
    { concurrency: 2, order: 'key' },
  )
  await world.settled()
  expect(handled).toEqual(['k:0/1', 'bad:0/1', 'l:0/1'])
  reader.pause()
  open('k')
  await pass(10_000)
  expect(handled).toHaveLength(3)
  reader.resume()
  await world.settled()
  expect(handled.slice(3).sort()).toEqual(['bad:0/2', 'k:1/1'])
  reader.stop()
  await done(running)
})

test('a signal ends the run with its reason, after the handlers at work', async () => {
  const { cluster, consumer, world, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 3))
  const controller = new AbortController()
  const { pass, open } = gate()
  const reader = consumer()
  const running = reader.run((record) => pass(nameOf(record)), { signal: controller.signal })
  running.catch(() => {})
  await world.settled()
  controller.abort(new Error('enough'))
  await world.settled()
  await expect(reader.poll()).rejects.toMatchObject({ name: 'BUSY' })
  open('0')
  await expect(done(running)).rejects.toThrow('enough')
  expect(await done(take(reader, 1))).toEqual(['1'])
})

test('21: close() inside a handler waits for the others, not for itself', async () => {
  const { cluster, consumer, world, done } = await readingStage()
  cluster.append('orders', 0, keyed(['k', 'l']))
  const reader = consumer()
  const { pass, open } = gate()
  const ended: string[] = []
  const running = reader.run(
    async (record) => {
      if (nameOf(record) === 'k:0') {
        await pass('k')
        await reader.close()
        ended.push('close')
      } else {
        await pass('l')
        ended.push('l')
      }
    },
    { concurrency: 2, order: 'key' },
  )
  await world.settled()
  open('k')
  await world.settled()
  expect(ended).toEqual([])
  open('l')
  await done(running)
  expect(ended).toEqual(['l', 'close'])
  expect(world.clock.monotonicMs()).toBe(0)
})

test('21: close() from outside and from the handler it waits for is no deadlock', async () => {
  const { cluster, consumer, world, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 1))
  const reader = consumer()
  const { pass, open } = gate()
  const running = reader.run(async () => {
    await pass('handler')
    await reader.close()
  })
  await world.settled()
  const closing = reader.close()
  open('handler')
  await done(closing)
  await done(running)
  expect(world.clock.monotonicMs()).toBe(0)
})

test('21: close() waits for handlers no longer than its time-out, then their records’ signals abort', async () => {
  const { cluster, consumer, world, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 2))
  const reader = consumer()
  const running = reader.run(
    ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      }),
  )
  await world.settled()
  await done(reader.close({ timeoutMs: 1000 }))
  expect(world.clock.monotonicMs()).toBe(1000)
  // It was told to let go, and did: no error of the handler's.
  await done(running)
})

test('handlers that need no promise do not keep the event loop to themselves', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 2000))
  const reader = consumer()
  let handled = 0
  let handledAtTimer = 0
  const timer = setImmediate(() => (handledAtTimer = handled))
  await done(
    reader.run(() => {
      if (++handled === 2000) reader.stop()
    }),
  )
  clearImmediate(timer)
  expect(handledAtTimer).toBeLessThan(2000)
})

function retries(count: number, outcome: 'stop' | 'skip') {
  return { retries: count, then: outcome }
}

test('an answer that only looks like a promise is none; a thenable that throws has failed', async () => {
  const { cluster, consumer, done } = await readingStage()
  cluster.append('orders', 0, numbered(0, 3))
  const reader = consumer({ onError: 'skip' })
  const answers: unknown[] = [
    { then: 5 },
    {
      get then() {
        throw new Error('no')
      },
    },
  ]
  const handled: string[] = []
  await done(
    reader.run((record) => {
      handled.push(nameOf(record))
      if (handled.length === 3) reader.stop()
      return answers.shift()
    }),
  )
  expect(handled).toEqual(['0', '1', '2'])
})
