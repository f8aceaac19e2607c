// The client as a whole: connecting, closing, events. Against the broker twin, in a simulated world.
import diagnostics from 'node:diagnostics_channel'
import { afterEach, expect, test } from 'vitest'
import { closeStages, stage, times } from '../test/stage.ts'
import { Client, createClient } from './client.ts'
import { toPrometheus } from './prometheus.ts'

afterEach(closeStages)

test('a new client connects to nothing', async () => {
  const { world, twin } = await stage()
  await world.settled()
  expect(twin.connections).toBe(0)
})

test('ping says who answered', async () => {
  const { client } = await stage()
  expect(await client.ping()).toEqual({ clusterId: 'twin-cluster', brokerId: 1, roundTripMs: 0 })
})

test('ping fails fast where nobody listens, and says what was tried', async () => {
  const { world, twin, client } = await stage()
  await twin.crash()
  await expect(client.ping()).rejects.toMatchObject({
    name: 'BROKER_UNREACHABLE',
    message: expect.stringContaining(`${twin.address} (ECONNREFUSED)`),
  })
  expect(world.clock.monotonicMs()).toBe(0)
})

test('of several brokers one that answers is enough', async () => {
  const { twin, env, done } = await stage()
  const client = createClient(env, {
    brokers: ['broker:1', 'nowhere', twin.address],
    logger: false,
  })
  expect(await done(client.ping())).toMatchObject({ brokerId: 1 })
  await client.close()
})

test('an advertised address that cannot be reached is named, with the cure', async () => {
  const { twin, producer, done } = await stage()
  twin.others.push({ nodeId: 2, host: 'broker', port: 1, rack: null })
  twin.topic('orders').lead(0, 2)
  await expect(done(producer.send('orders', { value: 'a' }))).rejects.toMatchObject({
    cause: { message: expect.stringMatching(/broker 2 advertises broker:1, .*set --advertised/) },
  })
})

test('a port that speaks something else is told apart from one where nobody listens', async () => {
  const { world, env, done } = await stage()
  const receiver = { target: () => Buffer.alloc(1024), received() {}, ended() {}, closed() {} }
  const listener = await world.env('web').network.listen({ host: 'web', port: 80 }, (socket) => {
    socket.receive(receiver)
    socket.send([Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')])
  })
  const client = createClient(env, { brokers: 'web:80', logger: false })
  await expect(done(client.ping())).rejects.toMatchObject({
    name: 'PROTOCOL_VIOLATION',
    message: expect.stringContaining('HTTP'),
  })
  await client.close()
  await listener.close()
})

test('connect and disconnect are told, with the broker', async () => {
  const { world, twin, client } = await stage()
  const events: string[] = []
  client.on('connect', ({ broker }) => events.push(`connect ${broker}`))
  client.on('disconnect', ({ broker }) => events.push(`disconnect ${broker}`))
  await client.ping()
  twin.dropConnections()
  await world.settled()
  expect(events).toEqual([`connect ${twin.address}`, `disconnect ${twin.address}`])
})

test('22: close works before the first connection, and nothing connects after it', async () => {
  const { twin, client, producer } = await stage()
  await Promise.all([client.close(), client.close()])
  await expect(client.ping()).rejects.toMatchObject({ name: 'CLOSED' })
  await expect(producer.send('orders', { value: 'a' })).rejects.toMatchObject({ name: 'CLOSED' })
  expect(() => client.producer()).toThrow(expect.objectContaining({ name: 'CLOSED' }))
  expect(() => client.admin()).toThrow(expect.objectContaining({ name: 'CLOSED' }))
  expect(twin.connections).toBe(0)
})

test('22: what was connecting when close came does not stay connected', async () => {
  const { world, client } = await stage()
  const ping = client.ping()
  ping.catch(() => {})
  await client.close()
  await expect(ping).rejects.toMatchObject({ name: 'CLOSED' })
  await world.settled()
  expect(client.stats().connections).toEqual([])
})

test('21: close delivers what its producers hold, and leaves nothing open', async () => {
  const { world, twin, client, producer } = await stage()
  for (const value of times(50, String)) producer.push('orders', { value })
  await client.close()
  expect(twin.records('orders')).toHaveLength(50)
  await world.settled()
  expect(world.leftovers().filter((line) => line.includes('client'))).toEqual([])
})

test('21: close with a broker that is gone ends at its time-out and does not reject', async () => {
  const { world, twin, client, producer, done } = await stage()
  const sent = producer.send('orders', { value: 'a' })
  sent.catch(() => {})
  await twin.crash()
  await done(client.close({ timeoutMs: 20 }))
  await expect(sent).rejects.toMatchObject({ name: 'CLOSED' })
  expect(world.clock.monotonicMs()).toBe(20)
})

test('21: close with an aborted signal does not reject; what is left fails, and no timer stays', async () => {
  const { world, twin, client, producer } = await stage()
  const sent = producer.send('orders', { value: 'a' })
  sent.catch(() => {})
  await twin.crash()
  await client.close({ signal: AbortSignal.abort() })
  await expect(sent).rejects.toMatchObject({ name: 'CLOSED' })
  await world.settled()
  expect(world.leftovers().filter((line) => line.includes('client'))).toEqual([])
  expect(world.clock.monotonicMs()).toBe(0)
})

test('21: close ends in its time where a producer was closing already, and takes longer', async () => {
  const { world, twin, client, producer, done } = await stage()
  const sent = producer.send('orders', { value: 'a' })
  sent.catch(() => {})
  await twin.crash()
  const closing = producer.close()
  await done(client.close({ timeoutMs: 20 }))
  await expect(sent).rejects.toMatchObject({ name: 'CLOSED' })
  expect(world.clock.monotonicMs()).toBe(20)
  await closing
})

test('20: a client outlives the restart of its broker', async () => {
  const { twin, client } = await stage()
  await client.ping()
  await twin.crash()
  await twin.restart()
  expect(await client.ping()).toMatchObject({ brokerId: 1 })
})

test('stats count what is open and what was done', async () => {
  const { client, producer } = await stage()
  await producer.send('orders', { value: 'a' })
  const stats = client.stats()
  expect(stats.producers).toEqual([
    { bufferedBytes: 0, inFlightBatches: 0, acked: 1, failed: 0, retries: 0 },
  ])
  expect(stats.connections).toHaveLength(2)
  for (const connection of stats.connections) {
    expect(connection).toMatchObject({ inFlight: 0, roundTripMs: 0 })
    expect(Math.min(connection.bytesIn, connection.bytesOut)).toBeGreaterThan(50)
  }
  expect(toPrometheus(stats)).toContain('minikafka_client_producer_acked_total{index="0"} 1')
  await producer.close()
  expect(client.stats().producers).toEqual([])
})

test('new Client() is a client of this process', async () => {
  const client = new Client({ brokers: '127.0.0.1:1', logger: false })
  await expect(client.ping()).rejects.toMatchObject({ name: 'BROKER_UNREACHABLE' })
  await client.close()
})

test('unknown options are refused, and the nearest is named', () => {
  expect(() => new Client({ broker: 'x' } as object)).toThrow(/did you mean 'brokers'/)
})

test('minikafka:connect and minikafka:request tell of each connection and request', async () => {
  const { client } = await stage()
  const seen: unknown[] = []
  const channels = ['connect', 'request'].map((name) => {
    const channel = diagnostics.tracingChannel(`minikafka:${name}`)
    const note = (step: string) => (message: object) => seen.push([name, step, { ...message }])
    const subscriber = {
      start: note('start'),
      end() {},
      asyncStart() {},
      asyncEnd: note('end'),
      error() {},
    }
    channel.subscribe(subscriber)
    return () => channel.unsubscribe(subscriber)
  })
  await client.ping()
  for (const unsubscribe of channels) unsubscribe()
  expect(seen).toMatchObject([
    ['connect', 'start', { host: 'broker' }],
    ['connect', 'end', { host: 'broker' }],
    ['request', 'start', { api: 'metadata', brokerId: 1, host: 'broker' }],
    ['request', 'end', { api: 'metadata', brokerId: 1 }],
  ])
})
