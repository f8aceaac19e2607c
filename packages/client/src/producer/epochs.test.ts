// Idempotence against the broker twin (REPLICATION 2.10): epochs, sequences, and what is lost with them.
import type { Socket } from '@minikafka/platform'
import { readBatchHeader } from '@minikafka/protocol'
import { afterEach, expect, test } from 'vitest'
import { closeStages, type Stage, stage, times } from '../../test/stage.ts'
import { createClient } from '../client.ts'

afterEach(closeStages)

const OWN_BATCH = 900

/** So large that each is a batch of its own. */
function sendEach(producer: Stage['producer'], values: readonly string[], partition = 0) {
  return values.map((value) =>
    producer.send('orders', { value: value.padEnd(OWN_BATCH), partition }),
  )
}

function valuesOf({ twin }: Stage, partition = 0): string[] {
  const records = twin.records('orders').filter((record) => record.partition === partition)
  return records.map(({ value }) => value?.toString().trim() ?? '')
}

function stampsOf({ twin }: Stage, partition = 0): string[] {
  const batches = twin.topic('orders').partitions[partition]?.batches ?? []
  return batches.map(({ bytes }) => {
    const { producerId, producerEpoch, baseSequence } = readBatchHeader(bytes)
    return `${producerId}/${producerEpoch}/${baseSequence}`
  })
}

async function warmStage(partitions = 1, more: Parameters<typeof stage>[0] = {}): Promise<Stage> {
  const set = await stage({
    twin: { topics: { orders: partitions } },
    producer: { maxBatchBytes: 1024 },
    ...more,
  })
  for (const partition of times(partitions, (at) => at)) {
    await set.done(set.producer.send('orders', { value: 'warm', partition }))
  }
  return set
}

test('where the broker forgot the producer with five batches in flight, each is written once, in order', async () => {
  const set = await warmStage()
  set.twin.forgetProducers('orders')
  await set.done(Promise.all(sendEach(set.producer, times(7, String))))
  expect(valuesOf(set)).toEqual(['warm', ...times(7, String)])
  expect(stampsOf(set)).toEqual(['1000/0/0', ...times(7, (at) => `1000/1/${at}`)])
})

test('one that the broker does not know the producer of waits for the one before it, and both are written', async () => {
  const set = await warmStage()
  set.twin.forgetProducers('orders')
  // The first is late: the second is refused while nobody knows what becomes of the first.
  set.twin.next({ lateMs: 1000 })
  const [first, second] = sendEach(set.producer, ['0', '1'])
  await set.world.clock.advance('900ms')
  expect(valuesOf(set)).toEqual(['warm'])
  expect(set.twin.produces()).toHaveLength(3)
  await set.done(Promise.all([first, second]))
  expect(valuesOf(set)).toEqual(['warm', '0', '1'])
})

test('what may be written fails as unknown where the broker forgot the producer, and is not sent again', async () => {
  const set = await warmStage()
  set.twin.next('lose answer')
  const [ghost, behind] = sendEach(set.producer, ['ghost', 'behind'])
  ghost?.catch(() => undefined)
  await set.world.settled()
  set.twin.forgetProducers('orders')
  await expect(set.done(ghost as Promise<unknown>)).rejects.toMatchObject({
    name: 'UNKNOWN_PRODUCER_ID',
    outcome: 'unknown',
  })
  await set.done(Promise.allSettled([behind]))
  await set.done(Promise.all(sendEach(set.producer, ['later'])))
  expect(valuesOf(set).filter((value) => value === 'ghost')).toEqual(['ghost'])
  expect(stampsOf(set).at(-1)).toMatch(/^1000\/1\//)
})

test('a new epoch waits for what is in flight in the old one, so that order holds', async () => {
  const set = await warmStage()
  // The second is refused for the lack of the first, and that is heard late; two have not left.
  set.twin.next({ refuse: 'INVALID_RECORD' }, { slowMs: 1000 })
  const outcomes = await set.done(Promise.allSettled(sendEach(set.producer, times(7, String))))
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', ...times(6, () => 'fulfilled')])
  expect(valuesOf(set)).toEqual(['warm', ...times(6, (at) => `${at + 1}`)])
  expect(stampsOf(set).slice(1)).toEqual(times(6, (at) => `1000/1/${at}`))
})

test('a partition that needs a new epoch leaves the others in theirs, and they move on when they need one', async () => {
  const set = await warmStage(2)
  set.twin.next({ refuse: 'INVALID_RECORD', only: [0] })
  const [refused] = sendEach(set.producer, ['bad'])
  await expect(set.done(refused as Promise<unknown>)).rejects.toMatchObject({
    outcome: 'not-written',
  })
  await set.done(Promise.all(sendEach(set.producer, ['a'], 0)))
  await set.done(Promise.all(sendEach(set.producer, ['b'], 1)))
  expect(stampsOf(set, 0)).toEqual(['1000/0/0', '1000/1/0'])
  expect(stampsOf(set, 1)).toEqual(['1000/0/0', '1000/0/1'])
  const asked = () => set.twin.requests.filter(({ api }) => api === 'initProducerId').length
  const before = asked()
  set.twin.next({ refuse: 'INVALID_RECORD', only: [1] })
  await set.done(Promise.allSettled(sendEach(set.producer, ['bad'], 1)))
  await set.done(Promise.all(sendEach(set.producer, ['c'], 1)))
  // The epoch that partition 0 asked for will do.
  expect(stampsOf(set, 1)).toEqual(['1000/0/0', '1000/0/1', '1000/1/0'])
  expect(asked()).toBe(before)
})

test('an epoch that is refused fails what needs it, and nothing else; the next record asks again', async () => {
  const set = await warmStage(2)
  // Five of these are on their way, and two wait for them, when the other partition fails.
  set.twin.next(...times(5, () => ({ slowMs: 2000 })))
  const others = sendEach(set.producer, times(7, String), 1)
  await set.world.clock.advance('1s')
  set.twin.next({ refuse: 'INVALID_RECORD' })
  set.twin.nextIds({ refuse: 'INVALID_REQUEST' }, { refuse: 'INVALID_REQUEST' })
  const [bad, behind] = sendEach(set.producer, ['bad', 'behind'], 0)
  const failing = Promise.allSettled([bad, behind])
  expect(await set.done(failing)).toMatchObject([
    { reason: { name: 'INVALID_RECORD', outcome: 'not-written' } },
    { reason: { name: 'INVALID_REQUEST', outcome: 'not-written' } },
  ])
  await set.done(Promise.all(others))
  await set.done(Promise.all(sendEach(set.producer, ['again'], 0)))
  expect(valuesOf(set, 0)).toEqual(['warm', 'again'])
  expect(valuesOf(set, 1)).toEqual(['warm', ...times(7, String)])
})

test('a producer id that does not come costs the delivery time-out, and nothing is written', async () => {
  const set = await stage({
    client: { requestTimeoutMs: 5000 },
    producer: { deliveryTimeoutMs: 4000 },
  })
  set.twin.nextIds('never answer')
  await expect(
    set.done(set.producer.send('orders', { value: 'a', partition: 0 })),
  ).rejects.toMatchObject({
    name: 'DELIVERY_TIMED_OUT',
    outcome: 'not-written',
    message: expect.stringMatching(/within 4000 ms: a producer id was asked for 4000 ms ago/),
    cause: { name: 'TIMED_OUT', message: expect.stringMatching(/no answer yet$/) },
  })
  expect(set.twin.produces()).toEqual([])
  await set.done(set.producer.send('orders', { value: 'b', partition: 0 }))
  expect(valuesOf(set)).toEqual(['b'])
})

test('a producer id that is refused again and again: the cause says with what', async () => {
  const set = await stage({ producer: { deliveryTimeoutMs: 4000 } })
  set.twin.nextIds(...times(50, () => ({ refuse: 'COORDINATOR_NOT_AVAILABLE' }) as const))
  await expect(
    set.done(set.producer.send('orders', { value: 'a', partition: 0 })),
  ).rejects.toMatchObject({
    name: 'DELIVERY_TIMED_OUT',
    outcome: 'not-written',
    cause: { name: 'TIMED_OUT', cause: { name: 'COORDINATOR_NOT_AVAILABLE' } },
  })
})

test('an epoch that does not come is the cause for what waits for it', async () => {
  const set = await warmStage(1, { producer: { maxBatchBytes: 1024, deliveryTimeoutMs: 4000 } })
  set.twin.next({ refuse: 'INVALID_RECORD' })
  set.twin.nextIds(...times(50, () => ({ refuse: 'COORDINATOR_NOT_AVAILABLE' }) as const))
  const [bad] = sendEach(set.producer, ['bad'])
  await expect(set.done(bad as Promise<unknown>)).rejects.toMatchObject({ name: 'INVALID_RECORD' })
  const [behind] = sendEach(set.producer, ['behind'])
  await expect(set.done(behind as Promise<unknown>)).rejects.toMatchObject({
    name: 'DELIVERY_TIMED_OUT',
    outcome: 'not-written',
    cause: { name: 'TIMED_OUT', cause: { name: 'COORDINATOR_NOT_AVAILABLE' } },
  })
  expect(valuesOf(set)).toEqual(['warm'])
})

test('an epoch that is not a new one is not taken: a new producer id is asked for', async () => {
  const set = await warmStage()
  set.twin.forgetProducers('orders')
  set.twin.nextIds({ give: { producerId: 1000, producerEpoch: 0 } })
  await set.done(Promise.all(sendEach(set.producer, ['a', 'b'])))
  expect(valuesOf(set)).toEqual(['warm', 'a', 'b'])
  expect(stampsOf(set)).toEqual(['1000/0/0', '1001/0/0', '1001/0/1'])
})

test('five in flight when the leader moves: each is written once, in order', async () => {
  const set = await warmStage()
  const second = await set.anotherTwin(2)
  second.topics.set('orders', set.twin.topic('orders'))
  set.twin.others.push({ nodeId: 2, host: second.host, port: second.port, rack: null })
  second.others.push({ nodeId: 1, host: set.twin.host, port: set.twin.port, rack: null })
  set.twin.hold()
  const sending = sendEach(set.producer, times(12, String))
  await set.world.settled()
  // Five are appended and not answered when the leader crashes; it comes back as a follower.
  set.twin.topic('orders').lead(0, 2)
  await set.twin.crash()
  await set.twin.restart()
  await set.done(Promise.all(sending))
  expect(valuesOf(set)).toEqual(['warm', ...times(12, String)])
})

test('a batch that expires unsent behind one in flight costs no epoch', async () => {
  const set = await warmStage(1, { producer: { maxBatchBytes: 1024, deliveryTimeoutMs: 5000 } })
  set.twin.next({ slowMs: 4000 }, { slowMs: 4000 })
  const first = sendEach(set.producer, times(5, String))
  await set.world.clock.advance('2s')
  const expiring = sendEach(set.producer, ['expires'])
  set.twin.next(...times(200, () => ({ refuse: 'NOT_ENOUGH_REPLICAS' }) as const))
  await set.done(Promise.all(first))
  const [outcome] = await set.done(Promise.allSettled(expiring))
  expect(outcome).toMatchObject({
    reason: { name: 'DELIVERY_TIMED_OUT', outcome: 'not-written' },
  })
  set.twin.forgetPlans()
  await set.done(Promise.all(sendEach(set.producer, ['later'])))
  expect(valuesOf(set)).toEqual(['warm', ...times(5, String), 'later'])
})

test('a topic made anew while batches are in flight: theirs fail, and the new one begins at sequence 0', async () => {
  const set = await warmStage()
  set.twin.hold()
  const sending = Promise.allSettled(sendEach(set.producer, times(7, String)))
  await set.world.settled()
  set.twin.topics.delete('orders')
  set.twin.createTopic('orders')
  await set.twin.crash()
  await set.twin.restart()
  const outcomes = await set.done(sending)
  // Five were on their way, two had not left.
  const told = (outcome: string) => ({ reason: { name: 'UNKNOWN_TOPIC_ID', outcome } })
  expect(outcomes).toMatchObject([
    ...times(5, () => told('unknown')),
    ...times(2, () => told('not-written')),
  ])
  await set.done(Promise.all(sendEach(set.producer, ['new'])))
  expect(valuesOf(set)).toEqual(['new'])
  expect(stampsOf(set)).toEqual(['1000/0/0'])
})

test('a batch that cannot be compressed fails alone, and what comes behind it goes on', async () => {
  const set = await stage()
  const { compress } = set.env
  let fails = 1
  const broken = {
    ...compress,
    prepare: (name: 'gzip') => compress.prepare(name),
    compress: (...given: Parameters<typeof compress.compress>) => {
      if (fails-- > 0) throw new Error('no memory')
      return compress.compress(...given)
    },
  }
  const client = createClient(
    { ...set.env, compress: broken },
    {
      brokers: set.twin.address,
      logger: false,
    },
  )
  const producer = client.producer({ compression: 'gzip', maxBatchBytes: 1024 })
  const outcomes = await set.done(Promise.allSettled(sendEach(producer, ['0', '1', '2'])))
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
  expect(outcomes[0]).toMatchObject({
    reason: { outcome: 'not-written', message: expect.stringContaining('no memory') },
  })
  expect(valuesOf(set)).toEqual(['1', '2'])
  // A new epoch was asked for before the hole in the old one was met.
  expect(client.stats().producers).toMatchObject([{ retries: 0 }])
  await client.close()
})

test('bytes that are still lent are not stamped anew; when they come back, the batch goes on', async () => {
  const set = await warmStage()
  const { network } = set.env
  // Who writes is told of it only when the test says so.
  const told: (() => void)[] = []
  const slow: typeof network = {
    listen: (...given) => network.listen(...given),
    connect: async (...given) => lateTelling(await network.connect(...given), told),
  }
  const client = createClient(
    { ...set.env, network: slow },
    { brokers: set.twin.address, logger: false },
  )
  const producer = client.producer({ maxBatchBytes: 1024 })
  await set.done(Promise.all(sendEach(producer, ['first'])))
  set.twin.forgetProducers('orders')
  const sending = Promise.all(sendEach(producer, ['second']))
  await set.world.clock.advance('1s')
  expect(valuesOf(set)).toEqual(['warm', 'first'])
  for (const tell of told.splice(0)) tell()
  await set.done(sending)
  expect(set.world.clock.monotonicMs()).toBe(1000)
  expect(valuesOf(set)).toEqual(['warm', 'first', 'second'])
  for (const tell of told.splice(0)) tell()
  await client.close()
})

/** The same socket, whose write callbacks go to `told` instead of being called. */
function lateTelling(socket: Socket, told: (() => void)[]): Socket {
  const later = (written: ((error?: Error) => void) | undefined) => (error?: Error) => {
    told.push(() => written?.(error))
  }
  return {
    local: socket.local,
    remote: socket.remote,
    receive: (receiver) => socket.receive(receiver),
    send: (list, written) => socket.send(list, later(written)),
    queuedBytes: () => socket.queuedBytes(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    end: () => socket.end(),
    destroy: () => socket.destroy(),
  }
}
