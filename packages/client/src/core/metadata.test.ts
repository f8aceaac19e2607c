// Metadata against the broker twin, on a clock that stands still unless a test moves it.
import { afterEach, expect, test } from 'vitest'
import { closeStages, type StageOptions, stage } from '../../test/stage.ts'
import { resolveClientOptions } from './client-options.ts'
import { Core } from './core.ts'

afterEach(closeStages)

async function coreOnStage(options: StageOptions = {}) {
  const set = await stage(options)
  const settings = resolveClientOptions({ brokers: set.twin.address })
  const core = new Core(set.env, settings, set.env.logger)
  const asked = () => set.twin.requests.filter(({ api }) => api === 'metadata').length
  return { ...set, core, metadata: core.metadata, asked, close: () => core.close() }
}

test('a topic is asked for once, however many want it', async () => {
  const { metadata, asked, close } = await coreOnStage()
  const all = await Promise.all([1, 2, 3].map(() => metadata.topic('orders')))
  expect(all[0]).toMatchObject({ name: 'orders', partitions: [{ partition: 0, leaderId: 1 }] })
  expect(asked()).toBe(1)
  expect(await metadata.topic('orders')).toBe(metadata.topicNow('orders'))
  expect(metadata.topicById(all[0]?.topicId ?? '')).toBe(all[0])
  expect(asked()).toBe(1)
  close()
})

test('refreshes are coalesced, and a topic is not asked for again at once', async () => {
  const { world, metadata, asked, done, close } = await coreOnStage()
  await metadata.topic('orders')
  await done(Promise.all([metadata.refresh('a'), metadata.refresh('b'), metadata.refresh('c')]))
  expect(asked()).toBe(2)
  expect(world.clock.monotonicMs()).toBe(100)
  close()
})

test('listeners hear of what changed, and only of that', async () => {
  const { twin, metadata, done, close } = await coreOnStage({ twin: { topics: { a: 1, b: 1 } } })
  const heard: unknown[] = []
  metadata.onChange((name, info) => heard.push([name, info?.partitions[0]?.leaderEpoch]))
  await Promise.all([metadata.topic('a'), metadata.topic('b')])
  twin.topic('b').lead(0, -1)
  await done(metadata.refresh('test'))
  twin.topics.delete('a')
  await done(metadata.refresh('test'))
  expect(heard).toEqual([
    ['a', 0],
    ['b', 0],
    ['b', 1],
    ['a', undefined],
  ])
  close()
})

test('a leader never goes back to an older epoch of the same topic', async () => {
  const { twin, metadata, done, close } = await coreOnStage()
  const topic = twin.topic('orders')
  topic.lead(0, 1)
  const { topicId } = await metadata.topic('orders')
  const partition = topic.partitions[0]
  if (partition !== undefined) Object.assign(partition, { leaderEpoch: 0, leaderId: -1 })
  await done(metadata.refresh('a broker that is behind'))
  expect(metadata.topicNow('orders')?.partitions[0]).toMatchObject({ leaderId: 1, leaderEpoch: 1 })
  expect(metadata.leaderHint(topicId, 0, 1, 0)).toBe(true)
  expect(metadata.leaderHint(topicId, 0, 1, 5)).toBe(true)
  expect(metadata.topicNow('orders')?.partitions[0]?.leaderEpoch).toBe(5)
  expect(metadata.leaderHint(topicId, 0, 77, 9)).toBe(false)
  close()
})

test('metadata older than its age is asked for again', async () => {
  const { world, twin, metadata, close } = await coreOnStage()
  await metadata.topic('orders')
  twin.topic('orders').addPartition(1)
  await world.clock.advance('299s')
  expect(metadata.topicNow('orders')?.partitions).toHaveLength(1)
  await world.clock.advance('2s')
  await world.settled()
  expect(metadata.topicNow('orders')?.partitions).toHaveLength(2)
  close()
})

test('34: an unknown topic fails within 2 s, naming the nearest; a name unlike any says so', async () => {
  const { world, metadata, done, close } = await coreOnStage()
  await expect(done(metadata.topic('order'))).rejects.toMatchObject({
    name: 'UNKNOWN_TOPIC_OR_PARTITION',
    topic: 'order',
    message: `there is no topic 'order'; did you mean 'orders'?`,
    details: { nearest: 'orders' },
  })
  expect(world.clock.monotonicMs()).toBeLessThan(2000)
  await expect(done(metadata.topic('zebra-crossing'))).rejects.toMatchObject({
    message: `there is no topic 'zebra-crossing'; create it first`,
  })
  close()
})

test('a broker that creates topics does so only where that is wanted', async () => {
  const { twin, metadata, done, close } = await coreOnStage({ twin: { autoCreate: true } })
  await expect(done(metadata.topic('new', { create: false }))).rejects.toMatchObject({
    name: 'UNKNOWN_TOPIC_OR_PARTITION',
  })
  expect(twin.topics.has('new')).toBe(false)
  expect(await done(metadata.topic('new'))).toMatchObject({ name: 'new' })
  close()
})

test('without a broker the wait ends at its deadline, with the cause', async () => {
  const { world, twin, metadata, done, close } = await coreOnStage()
  await twin.crash()
  await expect(done(metadata.topic('orders', { timeoutMs: 10_000 }))).rejects.toMatchObject({
    name: 'TIMED_OUT',
    message: `topic 'orders' took longer than 10000 ms`,
  })
  expect(world.clock.monotonicMs()).toBe(10_000)
  expect(metadata.troubleOf('orders')).toMatchObject({ name: 'BROKER_UNREACHABLE' })
  close()
})

test('an aborted wait rejects with the reason of its signal', async () => {
  const { twin, metadata, close } = await coreOnStage()
  await twin.crash()
  const controller = new AbortController()
  const waiting = metadata.topic('orders', { signal: controller.signal })
  const reason = new Error('enough')
  controller.abort(reason)
  await expect(waiting).rejects.toBe(reason)
  close()
})

test('closing ends every wait', async () => {
  const { twin, metadata, done, close } = await coreOnStage()
  await twin.crash()
  const waiting = metadata.topic('orders')
  waiting.catch(() => {})
  close()
  await expect(done(waiting)).rejects.toMatchObject({ name: 'CLOSED' })
})

test('a listener that throws ends one round, and no later one', async () => {
  const { world, twin, metadata, done, close } = await coreOnStage({
    twin: { topics: { a: 1, b: 1 } },
  })
  const stop = metadata.onChange(() => {
    throw new TypeError('a bug')
  })
  expect(await done(metadata.refresh('test', ['a']))).toMatchObject({
    name: 'UNKNOWN_SERVER_ERROR',
    cause: { message: 'a bug' },
  })
  stop()
  expect(await done(metadata.topic('b'))).toMatchObject({ name: 'b' })
  twin.topic('b').addPartition(1)
  await world.clock.advance('301s')
  expect(metadata.topicNow('b')?.partitions).toHaveLength(2)
  close()
})

test('what was said of names that nobody asks for any more is not kept for ever', async () => {
  const { metadata, done, close } = await coreOnStage()
  const names = Array.from({ length: 1500 }, (_, index) => `unknown-${index}`)
  await done(metadata.refresh('test', names))
  expect(metadata.troubleOf('unknown-0')).toMatchObject({ name: 'UNKNOWN_TOPIC_OR_PARTITION' })
  await done(metadata.refresh('test', ['unknown-1']))
  expect(metadata.troubleOf('unknown-0')).toBeUndefined()
  expect(metadata.troubleOf('unknown-1')).toMatchObject({ name: 'UNKNOWN_TOPIC_OR_PARTITION' })
  close()
})

test('33: an empty host and port 0 mean the address that was dialled', async () => {
  const { twin, metadata, close } = await coreOnStage()
  await metadata.topic('orders')
  expect(metadata.broker(1)).toMatchObject({ host: 'broker', port: twin.port })
  close()
})
