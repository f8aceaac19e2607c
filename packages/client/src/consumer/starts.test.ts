// A broker that cannot read where a partition begins: it is asked again and told of meanwhile, but the reader does
// not wait for it for ever; its policy decides.
import { afterEach, expect, test } from 'vitest'
import { closeReadingStages, readingStage, take } from '../../test/reading-stage.ts'
import { numbered } from '../../test/record-batches.ts'

afterEach(closeReadingStages)

const ORDERS = { topic: 'orders', partition: 0 }
const UNREADABLE = { ...ORDERS, name: 'KAFKA_STORAGE_ERROR' }

async function unreadableStage(requestTimeoutMs = 30_000) {
  const set = await readingStage({ requestTimeoutMs })
  set.cluster.append('orders', 0, numbered(0, 2))
  set.cluster.at('orders').unlisted = 'KAFKA_STORAGE_ERROR'
  return set
}

function errorsOf(reader: ReturnType<Awaited<ReturnType<typeof unreadableStage>>['consumer']>) {
  const errors: unknown[] = []
  reader.on('error', (error) => errors.push(error))
  return errors
}

test('by default the reader stops once a request would have timed out, and says what was asked for', async () => {
  const set = await unreadableStage()
  const reader = set.consumer()
  const errors = errorsOf(reader)
  await expect(set.done(take(reader, 1))).rejects.toMatchObject({
    ...UNREADABLE,
    message: expect.stringMatching(
      /^orders-0: where to begin \("earliest"\) could not be read for/,
    ),
    cause: { name: 'KAFKA_STORAGE_ERROR' },
  })
  const tookMs = set.world.clock.monotonicMs()
  expect(tookMs).toBeGreaterThan(20_000)
  expect(tookMs).toBeLessThan(30_000)
  // Told at once, then every ten seconds.
  expect(errors).toMatchObject([UNREADABLE, UNREADABLE, UNREADABLE])
  // Asked again the consumer asks again.
  delete set.cluster.at('orders').unlisted
  expect(await set.done(take(reader, 2))).toEqual(['0', '1'])
})

test('one that is readable again in time costs a while, and nothing else', async () => {
  const set = await unreadableStage()
  const reader = set.consumer()
  const errors = errorsOf(reader)
  const reading = take(reader, 2)
  await set.pass(5000)
  delete set.cluster.at('orders').unlisted
  expect(await set.done(reading)).toEqual(['0', '1'])
  expect(errors).toMatchObject([UNREADABLE])
})

test('trouble that comes back later has all of its time', async () => {
  const set = await unreadableStage()
  const reader = set.consumer()
  const reading = take(reader, 2)
  await set.pass(25_000)
  set.cluster.at('orders').unlisted = 'LEADER_NOT_AVAILABLE'
  await set.pass(6000)
  set.cluster.at('orders').unlisted = 'KAFKA_STORAGE_ERROR'
  await set.pass(20_000)
  delete set.cluster.at('orders').unlisted
  expect(await set.done(reading)).toEqual(['0', '1'])
})

test('a policy that skips goes on asking and holds up no other partition', async () => {
  const set = await unreadableStage(1000)
  set.cluster.addPartition('orders')
  set.cluster.append('orders', 1, numbered(5, 7))
  set.cluster.at('orders', 1).logStartOffset = 5
  const reader = set.consumer({ onError: 'skip' })
  expect(await set.done(take(reader, 2))).toEqual(['5', '6'])
  // The one in hand is next again.
  const reading = take(reader, 3)
  await set.pass(60_000)
  const asked = set.twin.calls.filter(({ api }) => api === 'listOffsets').length
  // With a delay between two of them, however short the patience is.
  expect(asked).toBeLessThan(40)
  delete set.cluster.at('orders').unlisted
  expect(await set.done(reading)).toEqual(['6', '0', '1'])
})

test('a policy that tries again so many times ends in what it says then', async () => {
  const set = await unreadableStage(1000)
  const attempts: unknown[] = []
  const asking = set.consumer({
    onError(error, { offset }, attempt) {
      attempts.push([(error as { name: string }).name, offset, attempt])
      return attempt < 3 ? { retryAfterMs: 100 } : 'stop'
    },
  })
  await expect(set.done(take(asking, 1))).rejects.toMatchObject(UNREADABLE)
  expect(attempts).toEqual([1, 2, 3].map((attempt) => ['KAFKA_STORAGE_ERROR', undefined, attempt]))
})

test('a seek to a place that cannot be read fails with what the broker says, not with its own time-out', async () => {
  const set = await unreadableStage()
  const reader = set.consumer()
  await expect(set.done(reader.seek(ORDERS, { timestamp: 1 }))).rejects.toMatchObject({
    ...UNREADABLE,
    message: expect.stringContaining('{"timestamp":1}'),
  })
})
