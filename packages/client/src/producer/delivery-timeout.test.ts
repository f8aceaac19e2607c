// One deadline from the call to the acknowledgement, whatever a record waits for on the way: its schema, room in the
// buffer, its topic, a broker that takes it.
import { afterEach, expect, test } from 'vitest'
import { closeStages, type StageOptions, stage, times } from '../../test/stage.ts'
import { type Codec, topic } from '../topic/index.ts'

afterEach(closeStages)

const TIMED_OUT = { name: 'DELIVERY_TIMED_OUT', outcome: 'not-written' }
const refusals = times(500, () => ({ refuse: 'NOT_ENOUGH_REPLICAS' }) as const)

/** A delivery time-out of 10 s, and when a promise was rejected, and with what. */
async function hurried(options: StageOptions = {}) {
  const set = await stage({
    ...options,
    producer: { deliveryTimeoutMs: 10_000, ...options.producer },
  })
  const { world } = set
  const failure = async (sent: Promise<unknown>) =>
    await sent.then(
      () => undefined,
      (error: unknown) => ({ atMs: world.clock.monotonicMs(), error }),
    )
  return { ...set, failure }
}

/** Answers after so long; -1: never. */
function slowCodec(afterMs: number, sleep: (ms: number) => Promise<void>): Codec<string> {
  const encode = (value: string) =>
    (afterMs < 0 ? new Promise(() => {}) : sleep(afterMs).then(() => value)) as never
  return { name: 'slow', encode, decode: String }
}

test('a record that waited for room fails when its own time is over, not a second one', async () => {
  const { world, twin, producer, done, failure } = await hurried({
    producer: { maxBufferedBytes: 65_536, deliveryTimeoutMs: 10_000 },
  })
  twin.next(...refusals)
  const first = failure(producer.send('orders', { value: Buffer.alloc(66_000) }))
  await world.clock.advance('4s')
  const lined = failure(producer.send('orders', { value: 'b' }))
  const [one, other] = await done(Promise.all([first, lined]))
  expect(one).toMatchObject({ atMs: 10_000, error: TIMED_OUT })
  expect(other).toMatchObject({ atMs: 14_000, error: TIMED_OUT })
})

test('one that waited for room and comes behind younger ones does not wait for them', async () => {
  const { world, twin, producer, done, failure } = await hurried({
    producer: { maxBufferedBytes: 65_536, maxBatchBytes: 1024, deliveryTimeoutMs: 10_000 },
  })
  const failed: number[] = []
  producer.on('failed', () => failed.push(world.clock.monotonicMs()))
  twin.next(...refusals)
  const first = failure(producer.send('orders', { value: Buffer.alloc(66_000) }))
  await world.clock.advance('4s')
  const lined = failure(producer.send('orders', { value: 'b'.padEnd(900) }))
  await world.clock.advance('5s')
  producer.push('orders', { value: 'c'.padEnd(900) })
  expect(await done(first)).toMatchObject({ atMs: 10_000 })
  expect(await done(lined)).toMatchObject({ atMs: 14_000, error: TIMED_OUT })
  await done(producer.flush().catch(() => {}))
  expect(failed).toEqual([19_000])
})

test('a record that waited for its topic', async () => {
  const { world, twin, producer, done, failure } = await hurried()
  await twin.crash()
  const sent = failure(producer.send('orders', { value: 'a' }))
  await world.clock.advance('6s')
  twin.next(...refusals)
  await twin.restart()
  await world.clock.advance('2s')
  const later = failure(producer.send('orders', { value: 'b' }))
  expect(await done(sent)).toMatchObject({ atMs: 10_000, error: TIMED_OUT })
  // It joined the same batch, which is as old as its oldest record.
  expect((await done(later))?.atMs).toBeLessThanOrEqual(18_000)
  expect(twin.produces().length).toBeGreaterThan(0)
})

test('a record whose schema took its time, and that nobody answers', async () => {
  const { env, producer, twin, done, failure } = await hurried()
  await producer.send('orders', { value: 'warm' })
  twin.next('never answer')
  const value = slowCodec(6000, (ms) => new Promise((wake) => void env.clock.timer(ms, wake)))
  const sent = failure(producer.send(topic('orders', { value }), { value: 'a' }))
  expect(await done(sent)).toMatchObject({
    atMs: 10_000,
    error: { name: 'DELIVERY_TIMED_OUT', outcome: 'unknown' },
  })
})

test('a schema that never answers holds up neither its record nor those behind it for ever', async () => {
  const { twin, env, producer, done, failure } = await hurried()
  const sleep = (ms: number) => new Promise<void>((wake) => void env.clock.timer(ms, wake))
  const stuck = topic('orders', { value: slowCodec(-1, sleep) })
  const first = failure(producer.send(stuck, { value: 'a' }))
  await sleepUntil(env, 1000, done)
  const second = producer.send(topic('orders', { value: slowCodec(1, sleep) }), { value: 'b' })
  expect(await done(first)).toMatchObject({
    atMs: 10_000,
    error: { ...TIMED_OUT, message: expect.stringContaining("schema of 'orders'") },
  })
  await done(second)
  expect(twin.values('orders')).toEqual(['b'])
  const many = failure(producer.sendMany(stuck, [{ value: 'c' }]))
  expect(await done(many)).toMatchObject({ error: { name: 'PARTIAL_FAILURE' } })
})

test('in sendMany the time of a record begins when it is read in, and goes on while it waits for room', async () => {
  const { twin, producer, done, failure } = await hurried({
    producer: { maxBufferedBytes: 65_536, deliveryTimeoutMs: 10_000 },
  })
  await producer.send('orders', { value: 'warm' })
  twin.next(...refusals)
  const records = times(2, () => ({ value: Buffer.alloc(66_000) }))
  expect(await done(failure(producer.sendMany('orders', records)))).toMatchObject({
    atMs: 10_000,
    error: { results: [{ reason: TIMED_OUT }, { reason: TIMED_OUT }] },
  })
})

async function sleepUntil(
  env: { clock: { timer(ms: number, wake: () => void): unknown } },
  ms: number,
  done: (work: Promise<void>) => Promise<void>,
): Promise<void> {
  await done(new Promise<void>((wake) => void env.clock.timer(ms, wake)))
}
