// What an admin makes of answers that a real broker seldom gives: lost ones, late ones, those of a former controller.
import { type AnyResponse, type ErrorName, errorCode, type ServerCall } from '@minikafka/protocol'
import { createWorld, type World } from '@minikafka/testing'
import { afterEach, expect, test } from 'vitest'
import { ScriptTwin, topicIdOf } from '../../test/script-twin.ts'
import { type Client, createClient } from '../client.ts'

const worlds: { world: World; client: Client }[] = []

afterEach(async () => {
  for (const { world, client } of worlds.splice(0)) {
    await world.complete(client.close())
    world.close()
  }
})

type Answer = AnyResponse | 'lose' | undefined

async function adminWith(answer: (call: ServerCall, twin: ScriptTwin) => Answer) {
  const world = createWorld({ seed: 1, clock: 'held', logLevel: 'silent' })
  const twin = await ScriptTwin.start(world.env('broker'), answer)
  const client = createClient(world.env('client'), { brokers: twin.address, logger: false })
  worlds.push({ world, client })
  const done = <T>(work: Promise<T>) => world.complete(work, { timeout: '10m' })
  return { admin: client.admin(), twin, world, done }
}

const failed = (name: ErrorName) => ({ errorCode: errorCode(name), errorMessage: `it is ${name}` })
const fine = { errorCode: 0, errorMessage: null }

function created(outcome: { errorCode: number; errorMessage: string | null }, partitions = 3) {
  const topicId = outcome.errorCode === 0 ? topicIdOf('orders') : null
  const result = { ...outcome, name: 'orders', topicId, partitions, replicationFactor: 1 }
  return { results: [result] }
}

/** One answer after the other to the calls of `api`. */
function script(api: ServerCall['api'], ...answers: ((twin: ScriptTwin) => Answer)[]) {
  return (call: ServerCall, twin: ScriptTwin) => {
    return call.api === api ? answers.shift()?.(twin) : undefined
  }
}

test('a topic that was made by an attempt whose answer was lost is made, not in the way', async () => {
  const { admin, done, twin } = await adminWith(
    script(
      'createTopics',
      ({ topics }) => {
        topics.set('orders', 3)
        return 'lose'
      },
      () => created(failed('TOPIC_ALREADY_EXISTS')),
    ),
  )
  const topic = await done(admin.createTopic('orders', { partitions: 3 }))
  expect(topic.partitions).toHaveLength(3)
  expect(twin.calls.filter(({ api }) => api === 'createTopics')).toHaveLength(2)
})

test('a topic that somebody else made is in the way', async () => {
  const first = await adminWith(
    script('createTopics', () => created(failed('TOPIC_ALREADY_EXISTS'))),
  )
  await expect(first.done(first.admin.createTopic('orders'))).rejects.toMatchObject({
    name: 'TOPIC_ALREADY_EXISTS',
    topic: 'orders',
  })
  const other = await adminWith(
    script(
      'createTopics',
      ({ topics }) => {
        topics.set('orders', 8)
        return 'lose'
      },
      () => created(failed('TOPIC_ALREADY_EXISTS')),
    ),
  )
  await expect(
    other.done(other.admin.createTopic('orders', { partitions: 3 })),
  ).rejects.toMatchObject({ name: 'TOPIC_ALREADY_EXISTS' })
})

test('18: createTopic resolves when this client knows a leader of every partition', async () => {
  const { admin, done, world } = await adminWith((call, { topics }) => {
    if (call.api !== 'createTopics') return undefined
    // Metadata is late: it shows one partition first.
    topics.set('orders', 0)
    worldOf()
      .env('broker')
      .clock.timer(3000, () => topics.set('orders', 3))
    return created(fine)
  })
  const worldOf = () => world
  const topic = await done(admin.createTopic('orders', { partitions: 3 }))
  expect(topic.partitions.map(({ leaderId }) => leaderId)).toEqual([1, 1, 1])
  expect(world.clock.monotonicMs()).toBeGreaterThanOrEqual(3000)
})

test('a topic that an attempt whose answer was lost has deleted is gone, as wanted', async () => {
  const gone = { ...failed('UNKNOWN_TOPIC_OR_PARTITION'), name: 'orders', topicId: null }
  const { admin, done } = await adminWith(
    script(
      'deleteTopics',
      () => 'lose',
      () => ({ results: [gone] }),
    ),
  )
  await done(admin.deleteTopic('orders'))
})

test('partitions that an attempt whose answer was lost has added are there, as wanted', async () => {
  const refused = { results: [{ ...failed('INVALID_PARTITIONS'), name: 'orders' }] }
  const grown = await adminWith(
    script(
      'createPartitions',
      ({ topics }) => {
        topics.set('orders', 6)
        return 'lose'
      },
      () => refused,
    ),
  )
  await grown.done(grown.admin.addPartitions('orders', 6))
  const wrong = await adminWith(
    script('createPartitions', ({ topics }) => {
      topics.set('orders', 6)
      return refused
    }),
  )
  await expect(wrong.done(wrong.admin.addPartitions('orders', 6))).rejects.toMatchObject({
    name: 'INVALID_PARTITIONS',
    message: 'it is INVALID_PARTITIONS',
  })
})

test('a former controller is asked again, as the next one', async () => {
  const { admin, done, twin } = await adminWith(
    script(
      'createTopics',
      () => created(failed('NOT_CONTROLLER')),
      ({ topics }) => {
        topics.set('orders', 3)
        return created(fine)
      },
    ),
  )
  expect((await done(admin.createTopic('orders'))).name).toBe('orders')
  expect(twin.calls.filter(({ api }) => api === 'metadata').length).toBeGreaterThan(1)
})

test('the deadline ends the repeating, with the last error as its cause', async () => {
  const { admin, done, world } = await adminWith((call) => {
    return call.api === 'createTopics' ? created(failed('NOT_CONTROLLER')) : undefined
  })
  const creating = admin.createTopic('orders', {}, { timeoutMs: 2000 })
  await expect(done(creating)).rejects.toMatchObject({
    name: 'TIMED_OUT',
    message: expect.stringContaining(`creating topic 'orders'`),
    cause: { name: 'NOT_CONTROLLER' },
  })
  expect(world.clock.monotonicMs()).toBe(2000)
})

test('a signal ends the wait with its reason', async () => {
  const { admin, done, world } = await adminWith((call) => {
    return call.api === 'createTopics' ? created(failed('NOT_CONTROLLER')) : undefined
  })
  const controller = new AbortController()
  const creating = admin.createTopic('orders', {}, { signal: controller.signal })
  creating.catch(() => {})
  await world.settled()
  controller.abort(new Error('enough'))
  await expect(done(creating)).rejects.toThrow('enough')
})

test('an admin that is closed says so', async () => {
  const { admin } = await adminWith(() => undefined)
  await admin.close()
  await expect(admin.listTopics()).rejects.toMatchObject({ name: 'CLOSED' })
})
