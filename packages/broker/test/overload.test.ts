// Clients without manners beside one that behaves, in a simulated world: what is counted is who was served, and how much
// virtual time the good one needed. Nothing here depends on how fast this machine is.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from '@minikafka/platform'
import { BatchWriter } from '@minikafka/protocol'
import { TestBroker } from '@minikafka/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodeRequest } from '../../protocol/src/codec/index.ts'

const MIB = 1024 * 1024
const FRAME_BYTES = 16 * MIB
/** Its floods have as many connections. */
const MANY = 20

/** Requests answered, by client id. */
let served: Map<string, number>
const count = (message: unknown) => {
  const { clientId } = message as { clientId: string }
  served.set(clientId, (served.get(clientId) ?? 0) + 1)
}

beforeEach(() => {
  served = new Map()
  subscribe('minikafka:broker:request', count)
})
afterEach(() => unsubscribe('minikafka:broker:request', count))

function startBroker(config: Record<string, string> = {}): Promise<TestBroker> {
  return TestBroker.start({
    seed: 1,
    topics: { good: 1, flooded: 1 },
    config: { 'memory.max.bytes': 64 * MIB, 'auto.create.topics.enable': false, ...config },
  })
}

/** Says hello and `bytes`, and reads nothing. */
async function push(broker: TestBroker, clientId: string, bytes: Uint8Array): Promise<Socket> {
  const { network } = broker.world.env('flood')
  const [host = '', port = ''] = broker.address.split(':')
  const connecting = network.connect({ host, port: Number(port), timeoutMs: 1000 })
  const socket = await broker.world.complete(connecting)
  const hello = { clientName: 'flood', clientVersion: '1', clientId }
  socket.send([...encodeRequest('apiVersions', 0, 0, hello), bytes])
  return socket
}

async function pushMany(broker: TestBroker, bytes: Uint8Array): Promise<void> {
  for (let number = 0; number < MANY; number++) await push(broker, `flood ${number}`, bytes)
}

/** Reads, and throws away. */
function drain(socket: Socket): void {
  const memory = new Uint8Array(65_536)
  const nothing = () => {}
  socket.receive({ target: () => memory, received: nothing, ended: nothing, closed: nothing })
}

function repeated(request: readonly Uint8Array[], times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => request).flat())
}

async function topicIdOf(broker: TestBroker, topic: string): Promise<string> {
  const describing = broker.client().admin().describeTopic(topic)
  return (await broker.world.complete(describing)).topicId
}

function produceOf(broker: TestBroker, topicId: string, size: number): readonly Uint8Array[] {
  const { clock, compress } = broker.world.env('flood')
  const writer = new BatchWriter(Buffer.alloc(size + 1024))
  writer.tryAppend(clock.wallMs(), null, Buffer.alloc(size), undefined)
  const noProducer = { producerId: -1, producerEpoch: -1, baseSequence: -1 }
  const batch = writer.seal(compress, { compression: 'none', ...noProducer })
  const appends = [{ topicId, partition: 0, batch }]
  return encodeRequest('produce', 0, 1, { acks: -1, timeoutMs: 60_000, trace: false, appends })
}

function fetchOf(topicId: string): readonly Uint8Array[] {
  const wanted = { topicId, partition: 0, fetchOffset: 0, maxBytes: FRAME_BYTES }
  const unknown = {
    leaderEpoch: -1,
    lastFetchedEpoch: -1,
    durableOffset: -1,
    logStartOffset: -1,
    suspectOffset: -1,
  }
  return encodeRequest('fetch', 0, 1, {
    ...{ replicaId: -1, maxWaitMs: 60_000, minBytes: 1, maxBytes: FRAME_BYTES, isolation: 0 },
    ...{ sessionId: 0, sessionEpoch: -1, brokerEpoch: -1, rack: '' },
    partitions: [{ ...wanted, ...unknown }],
  })
}

const TINY = encodeRequest('metadata', 0, 1, {
  names: [],
  topicIds: [],
  allowAutoTopicCreation: false,
})

/** Virtual ms that a client which behaves needs for twenty records, one after the other. */
async function goodMs(broker: TestBroker): Promise<number> {
  const began = broker.clock.monotonicMs()
  const producer = broker.client({ clientId: 'good' }).producer({ lingerMs: 0 })
  for (let number = 0; number < 20; number++)
    await broker.world.complete(producer.send('good', { value: `${number}` }), { timeout: '5m' })
  return broker.clock.monotonicMs() - began
}

test('row 69: tiny requests by the thousand are served round and round, and a good client in between', async () => {
  await using broker = await startBroker()
  const each = 5_000
  const floods = Array.from({ length: 10 }, (_, number) => `flood ${number}`)
  for (const clientId of floods) drain(await push(broker, clientId, repeated(TINY, each)))
  await goodMs(broker)
  const counts = () => floods.map((clientId) => served.get(clientId) ?? 0)
  // Twenty records and what a client asks first: some thirty round trips, of few turns each.
  expect(Math.max(...counts())).toBeLessThan(each / 2)
  // The first of them began before the last ones were there.
  const before = counts()
  await broker.world.until(() => (counts()[0] ?? 0) >= (before[0] ?? 0) + 1_000)
  const since = counts().map((now, index) => now - (before[index] ?? 0))
  expect(Math.max(...since) - Math.min(...since)).toBeLessThanOrEqual(20)
  await broker.settled()
  expect(counts()).toEqual(floods.map(() => each))
  broker.world.kill('flood')
})

test('large requests of one connection, pipelined, leave their turns to another one', async () => {
  await using broker = await startBroker()
  const topicId = await topicIdOf(broker, 'flooded')
  const each = 400
  drain(await push(broker, 'flood', repeated(produceOf(broker, topicId, 300 * 1024), each)))
  await goodMs(broker)
  expect(served.get('flood') ?? 0).toBeLessThan(each / 2)
  await broker.settled()
  expect(served.get('flood')).toBe(each)
  broker.world.kill('flood')
})

test('answers of 16 MiB that nobody reads use up their own shares, and nobody waits for the others', async () => {
  await using broker = await startBroker()
  const topicId = await topicIdOf(broker, 'flooded')
  drain(await push(broker, 'filler', repeated(produceOf(broker, topicId, MIB - 1024), 30)))
  await broker.settled()
  await pushMany(broker, repeated(fetchOf(topicId), 50))
  await broker.settled()
  expect(await goodMs(broker)).toBeLessThan(1_000)
  broker.world.kill('flood')
})

test('frames whose end never comes keep nobody waiting, and whoever holds up a large one is closed', async () => {
  await using broker = await startBroker({ 'message.max.bytes': String(4 * MIB) })
  const topicId = await topicIdOf(broker, 'flooded')
  const head = Buffer.alloc(1.5 * MIB)
  head.writeUInt32BE(FRAME_BYTES)
  await pushMany(broker, head)
  await broker.settled()
  expect(await goodMs(broker)).toBeLessThan(1_000)
  drain(await push(broker, 'large', Buffer.concat(produceOf(broker, topicId, 3 * MIB))))
  await broker.world.until(() => served.get('large') === 1, { timeout: '3m' })
  broker.world.kill('flood')
})
