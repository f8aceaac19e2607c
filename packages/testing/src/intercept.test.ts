// Everything that may become of a request between a client and the broker.
import { createClient } from '@minikafka/client'
import { nodeEnv } from '@minikafka/platform'
import { expect, expectTypeOf, test } from 'vitest'
import { TestBroker } from './test-broker.ts'

const TOPICS = { orders: 2 }

test('an error refuses each item of a request, as the broker would: nothing is written', async () => {
  await using broker = await TestBroker.start({ topics: TOPICS, clock: 'jumping' })
  broker.intercept('Produce', () => ({ error: 'MESSAGE_TOO_LARGE', message: 'no room' }))
  const sending = broker.client().producer().send('orders', { value: 'x' })
  await expect(sending).rejects.toMatchObject({
    name: 'MESSAGE_TOO_LARGE',
    outcome: 'not-written',
    message: expect.stringContaining('no room'),
  })
  expect(await broker.read('orders')).toEqual([])
})

test('an error refuses the whole request where its answer has no items', async () => {
  await using broker = await TestBroker.start({ topics: TOPICS, clock: 'jumping' })
  broker.intercept('DescribeCluster', () => ({ error: 'CLUSTER_AUTHORIZATION_FAILED' }))
  const asking = broker.client().admin().cluster()
  await expect(asking).rejects.toMatchObject({ name: 'CLUSTER_AUTHORIZATION_FAILED' })
})

test('a request may be changed on its way, and so may its answer', async () => {
  await using broker = await TestBroker.start({ topics: TOPICS, clock: 'jumping' })
  broker.intercept('Metadata', async (request, next) => {
    const answer = await next({ ...request, names: ['orders'] })
    expectTypeOf(answer?.clusterId).toEqualTypeOf<string | undefined>()
    return answer && { ...answer, clusterId: 'another' }
  })
  expect(await broker.client().ping()).toMatchObject({ clusterId: 'another' })
})

test('a delay is on the broker’s clock', async () => {
  await using broker = await TestBroker.start({ topics: TOPICS })
  const producer = broker.client({ clientId: 'slow' }).producer()
  broker.intercept('Produce', async (request, next, { clientId, delay }) => {
    if (clientId === 'slow') await delay('2s')
    return next(request)
  })
  let acked = false
  const sending = producer.send('orders', { value: 'x' }).then(() => {
    acked = true
  })
  await broker.clock.advance('1999ms')
  expect(acked).toBe(false)
  await broker.clock.advance('1ms')
  await sending
})

test('who is dropped waits, who is disconnected connects again', async () => {
  await using broker = await TestBroker.start({ topics: TOPICS, clock: 'jumping' })
  let calls = 0
  broker.intercept('Produce', (request, next) => {
    calls++
    if (calls === 1) return { drop: true }
    if (calls === 2) return { disconnect: true }
    return next(request)
  })
  await broker.client({ requestTimeoutMs: 500 }).producer().send('orders', { value: 'x' })
  expect(calls).toBe(3)
  expect(await broker.read('orders')).toHaveLength(1)
})

test('the newest sees a request first; one that has ended sees none', async () => {
  await using broker = await TestBroker.start({ topics: TOPICS, clock: 'jumping' })
  const seen: string[] = []
  using _old = broker.intercept('Produce', (request, next) => {
    seen.push('old')
    return next(request)
  })
  const young = broker.intercept('Produce', (request, next) => {
    seen.push('young')
    return next(request)
  })
  const producer = broker.client().producer()
  await producer.send('orders', { value: 'one' })
  young.end()
  await producer.send('orders', { value: 'two' })
  expect(seen).toEqual(['young', 'old', 'old'])
})

test('a handler that throws is like a broker that does: the client is told, and the log says what', async () => {
  await using broker = await TestBroker.start({ topics: TOPICS, clock: 'jumping' })
  broker.intercept('Produce', () => {
    throw new Error('a mistake in the test')
  })
  const sending = broker.client().producer().send('orders', { value: 'x' })
  await expect(sending).rejects.toMatchObject({ name: 'UNKNOWN_SERVER_ERROR' })
  expect(broker.world.logs().some(({ text }) => text.includes('a mistake in the test'))).toBe(true)
})

test('requests of a connection keep their order through a handler that passes them on', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 }, seed: 1 })
  broker.intercept('Produce', (request, next) => next(request))
  const history = broker.record()
  const producer = broker.client().producer({ maxBatchBytes: 1024 })
  const sending = Array.from({ length: 200 }, (_, index) =>
    producer.send('orders', { value: `${index}`.padStart(100) }),
  )
  await broker.world.complete(Promise.all(sending))
  await broker.read('orders')
  expect(history.check()).toMatchObject({ acked: 200, anomalies: [] })
})

test('it holds through a restart of the broker', async () => {
  await using broker = await TestBroker.start({ topics: TOPICS, clock: 'jumping' })
  let calls = 0
  broker.intercept('Produce', (request, next) => {
    calls++
    return next(request)
  })
  await broker.kill()
  await broker.restart()
  await broker.client().producer().send('orders', { value: 'x' })
  expect(calls).toBe(1)
})

test('an API that is not there is refused, and the nearest one named', async () => {
  await using broker = await TestBroker.start()
  const intercept = broker.intercept.bind(broker) as (api: string, handler: () => never) => void
  const never = () => expect.fail('never called')
  expect(() => intercept('produce', never)).toThrow(`did you mean 'Produce'?`)
  expect(() => intercept('ApiVersions', never)).toThrow(`no API 'ApiVersions' to intercept`)
})

test('over tcp clients of other processes are intercepted, too', async () => {
  await using broker = await TestBroker.start({ topics: TOPICS, transport: 'tcp' })
  broker.intercept('Produce', () => ({ error: 'MESSAGE_TOO_LARGE' }))
  await using outside = createClient(nodeEnv(), { brokers: broker.address })
  const sending = outside.producer().send('orders', { value: 'x' })
  await expect(sending).rejects.toMatchObject({ name: 'MESSAGE_TOO_LARGE' })
})
