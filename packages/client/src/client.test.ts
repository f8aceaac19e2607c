// The client as a whole: connecting, closing, events. Against the broker twin.
import { nodeEnv } from '@minikafka/platform'
import { afterEach, expect, test } from 'vitest'
import { BrokerTwin } from '../test/broker-twin.ts'
import { Client, createClient } from './client.ts'
import type { ClientOptions } from './core/index.ts'

const open: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

async function twinAndClient(options: ClientOptions = {}) {
  const twin = await BrokerTwin.start({ topics: { orders: 1 } })
  open.push({ close: () => twin.crash() })
  const client = createClient(nodeEnv(), { brokers: twin.address, logger: false, ...options })
  open.push({ close: () => client.close({ timeoutMs: 0 }) })
  return { twin, client }
}

test('a new client connects to nothing', async () => {
  const { twin, client } = await twinAndClient()
  client.producer()
  await new Promise((resolve) => setImmediate(resolve))
  expect(twin.connections).toBe(0)
})

test('ping says who answered', async () => {
  const { client } = await twinAndClient()
  const answer = await client.ping()
  expect(answer).toMatchObject({ clusterId: 'twin-cluster', brokerId: 1 })
  expect(answer.roundTripMs).toBeGreaterThan(0)
})

test('ping fails fast where nobody listens, and says what was tried', async () => {
  const { twin, client } = await twinAndClient()
  await twin.crash()
  await expect(client.ping()).rejects.toMatchObject({
    name: 'BROKER_UNREACHABLE',
    message: expect.stringMatching(new RegExp(`${twin.address} \\(ECONNREFUSED\\)`)),
  })
})

test('of several brokers one that answers is enough', async () => {
  const { twin } = await twinAndClient()
  const client = createClient(nodeEnv(), { brokers: `127.0.0.1:1,${twin.address}`, logger: false })
  open.push(client)
  expect(await client.ping()).toMatchObject({ brokerId: 1 })
})

test('an advertised address that cannot be reached is named, with the cure', async () => {
  const { twin, client } = await twinAndClient({ retry: { minMs: 5 } })
  twin.others.push({ nodeId: 2, host: '127.0.0.1', port: 1, rack: null })
  twin.topic('orders').lead(0, 2)
  const producer = client.producer({ deliveryTimeoutMs: 100 })
  await expect(producer.send('orders', { value: 'a' })).rejects.toMatchObject({
    cause: {
      message: expect.stringMatching(
        /broker 2 advertises 127\.0\.0\.1:1, .*set --advertised there/,
      ),
    },
  })
})

test('a port that speaks something else is told apart from one where nobody listens', async () => {
  const env = nodeEnv()
  const listener = await env.network.listen({ host: '127.0.0.1', port: 0 }, (socket) => {
    socket.receive({ target: () => Buffer.alloc(1024), received() {}, ended() {}, closed() {} })
    socket.send([Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')])
    socket.end()
  })
  const client = createClient(env, { brokers: `127.0.0.1:${listener.address.port}`, logger: false })
  await expect(client.ping()).rejects.toMatchObject({
    name: 'PROTOCOL_VIOLATION',
    message: expect.stringContaining('HTTP'),
  })
  await client.close()
  await listener.close()
})

test('connect and disconnect are told, with the broker', async () => {
  const { twin, client } = await twinAndClient()
  const events: string[] = []
  client.on('connect', ({ broker }) => events.push(`connect ${broker}`))
  client.on('disconnect', ({ broker }) => events.push(`disconnect ${broker}`))
  await client.ping()
  twin.dropConnections()
  while (events.length < 2) await new Promise((resolve) => setImmediate(resolve))
  expect(events).toEqual([`connect ${twin.address}`, `disconnect ${twin.address}`])
})

test('22: close works before the first connection, and nothing connects after it', async () => {
  const { twin, client } = await twinAndClient()
  const producer = client.producer()
  await Promise.all([client.close(), client.close()])
  await expect(client.ping()).rejects.toMatchObject({ name: 'CLOSED' })
  await expect(producer.send('orders', { value: 'a' })).rejects.toMatchObject({ name: 'CLOSED' })
  expect(() => client.producer()).toThrow(expect.objectContaining({ name: 'CLOSED' }))
  expect(twin.connections).toBe(0)
})

test('22: what was connecting when close came does not stay connected', async () => {
  const { client } = await twinAndClient()
  const ping = client.ping()
  ping.catch(() => {})
  await client.close()
  await expect(ping).rejects.toMatchObject({ name: 'CLOSED' })
  expect(client.stats().connections).toEqual([])
})

test('21: close delivers what its producers hold', async () => {
  const { twin, client } = await twinAndClient()
  const producer = client.producer()
  for (let index = 0; index < 50; index++) producer.push('orders', { value: `${index}` })
  await client.close()
  expect(twin.records('orders')).toHaveLength(50)
})

test('21: close with a broker that is gone ends at its time-out and does not reject', async () => {
  const { twin, client } = await twinAndClient()
  const sent = client.producer().send('orders', { value: 'a' })
  sent.catch(() => {})
  await twin.crash()
  await client.close({ timeoutMs: 20 })
  await expect(sent).rejects.toMatchObject({ name: 'CLOSED' })
})

test('20: a client outlives the restart of its broker', async () => {
  const { twin, client } = await twinAndClient()
  await client.ping()
  await twin.crash()
  await twin.restart()
  expect(await client.ping()).toMatchObject({ brokerId: 1 })
})

test('stats count what is open and what was done', async () => {
  const { client } = await twinAndClient()
  await client.producer().send('orders', { value: 'a' })
  const stats = client.stats()
  expect(stats.producers).toEqual([
    { bufferedBytes: 0, inFlightBatches: 0, acked: 1, failed: 0, retries: 0 },
  ])
  expect(stats.connections).toHaveLength(2)
})

test('new Client() is a client of this process', async () => {
  const client = new Client({ brokers: '127.0.0.1:1', logger: false })
  await expect(client.ping()).rejects.toMatchObject({ name: 'BROKER_UNREACHABLE' })
  await client.close()
})

test('unknown options are refused, and the nearest is named', () => {
  expect(() => new Client({ broker: 'x' } as object)).toThrow(/did you mean 'brokers'/)
})
