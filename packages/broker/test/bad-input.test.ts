// What a broken or hostile client sends to a running broker, and what it answers. Numbers are rows of the catalogue of bad input.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Client, createClient } from '@minikafka/client'
import { crc32c, nodeCompress, nodeEnv } from '@minikafka/platform'
import {
  type ApiName,
  type Apis,
  BatchWriter,
  Connection,
  errorName,
  type RequestOf,
  type ResponseOf,
} from '@minikafka/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningBroker, runBroker } from './running-broker.ts'

let running: RunningBroker
let client: Client
let connection: Connection
let topicId: string

beforeAll(async () => {
  running = await runBroker()
  client = running.client()
  const topic = await client
    .admin()
    .createTopic('orders', { partitions: 2, config: { 'max.message.bytes': 4096 } })
  topicId = topic.topicId
  connection = await dial()
})

afterAll(async () => {
  connection.close()
  await running[Symbol.asyncDispose]()
})

function dial(): Promise<Connection> {
  return Connection.open(nodeEnv(), {
    host: '127.0.0.1',
    port: running.port,
    clientName: 'test',
    clientVersion: '0',
    clientId: 'test',
    timeoutMs: 5_000,
  })
}

function call<A extends ApiName>(
  api: A,
  request: RequestOf<Apis[A]>,
): Promise<ResponseOf<Apis[A]>> {
  return connection.call(api, request, { timeoutMs: 10_000 })
}

function batchOf(
  count: number,
  options: {
    value?: string
    producerId?: number
    producerEpoch?: number
    baseSequence?: number
    timestamp?: number
  } = {},
) {
  const { value = 'x', producerId = -1, baseSequence = -1, timestamp = Date.now() } = options
  const writer = new BatchWriter(Buffer.alloc(64 * 1024))
  for (let index = 0; index < count; index++) writer.tryAppend(timestamp, null, value, undefined)
  return writer.seal(nodeCompress(), {
    compression: 'none',
    producerId,
    producerEpoch: options.producerEpoch ?? (producerId < 0 ? -1 : 0),
    baseSequence,
  })
}

/** Changes a batch and makes its CRC right again. */
function changed(change: (batch: Buffer) => void): Buffer {
  const batch = batchOf(2)
  change(batch)
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return batch
}

async function produce(
  batch: Uint8Array,
  at: { topicId?: string; partition?: number; acks?: number } = {},
) {
  const append = { topicId: at.topicId ?? topicId, partition: at.partition ?? 0, batch }
  const { results } = await call('produce', {
    acks: at.acks ?? -1,
    timeoutMs: 5_000,
    trace: false,
    appends: [append],
  })
  const [result] = results
  if (result === undefined) throw new Error('no result')
  return { ...result, error: result.errorCode === 0 ? 'NONE' : errorName(result.errorCode) }
}

test('34: a partition that is not there, a topic id that nobody has: definite', async () => {
  for (const partition of [-1, 2, 2 ** 31 - 1]) {
    expect(await produce(batchOf(1), { partition })).toMatchObject({
      error: 'UNKNOWN_TOPIC_OR_PARTITION',
      written: 0,
    })
  }
  const { topicId: deleted } = await client.admin().createTopic('short-lived')
  await client.admin().deleteTopic('short-lived')
  expect(await produce(batchOf(1), { topicId: deleted })).toMatchObject({
    error: 'UNKNOWN_TOPIC_ID',
    written: 0,
  })
  const gone = '00000000-0000-4000-8000-000000000000'
  expect(await produce(batchOf(1), { topicId: gone })).toMatchObject({
    error: 'UNKNOWN_TOPIC_ID',
    written: 0,
  })
})

test('39: a wrong CRC is refused and nothing is appended', async () => {
  const before = await end()
  const batch = batchOf(1)
  batch[batch.length - 1] = (batch[batch.length - 1] ?? 0) ^ 1
  expect(await produce(batch)).toMatchObject({ error: 'CORRUPT_MESSAGE', written: 0 })
  expect(await end()).toBe(before)
})

test.each<[string, (batch: Buffer) => void]>([
  ['magic 0', (batch) => batch.writeInt8(0, 16)],
  ['magic 3', (batch) => batch.writeInt8(3, 16)],
  ['a base offset', (batch) => batch.writeBigInt64BE(7n, 0)],
  ['count 0', (batch) => batch.writeInt32BE(0, 57)],
  ['a wrong record count', (batch) => batch.writeInt32BE(3, 57)],
  ['a negative delta', (batch) => batch.writeInt32BE(-1, 23)],
  ['a length that is not its own', (batch) => batch.writeInt32BE(batch.length, 8)],
  ['the control bit', (batch) => batch.writeInt16BE(0x20, 21)],
  ['the transactional bit without a producer id', (batch) => batch.writeInt16BE(0x10, 21)],
  ['a producer id without an epoch', (batch) => batch.writeBigInt64BE(5n, 43)],
])(
  '40, 42, 47: %s is INVALID_RECORD for that partition, and the connection stays',
  async (_, change) => {
    const before = await end()
    expect(await produce(changed(change))).toMatchObject({ error: 'INVALID_RECORD', written: 0 })
    expect(await end()).toBe(before)
    expect(connection.open).toBe(true)
  },
)

test('41: two batches, or a batch and more, in one blob', async () => {
  expect(await produce(Buffer.concat([batchOf(1), batchOf(1)]))).toMatchObject({
    error: 'INVALID_RECORD',
  })
  expect(await produce(Buffer.concat([batchOf(1), Buffer.from('more')]))).toMatchObject({
    error: 'INVALID_RECORD',
  })
  expect(await produce(Buffer.alloc(0))).toMatchObject({ error: 'INVALID_RECORD' })
  expect(await produce(Buffer.alloc(30))).toMatchObject({ error: 'INVALID_RECORD' })
})

test('43: a compression that does not exist', async () => {
  const batch = changed((bytes) => bytes.writeInt16BE(7, 21))
  expect(await produce(batch)).toMatchObject({ error: 'UNSUPPORTED_COMPRESSION_TYPE', written: 0 })
})

test('45: a time far in the future', async () => {
  const batch = batchOf(1, { timestamp: Date.now() + 2 * 3_600_000 })
  expect(await produce(batch)).toMatchObject({ error: 'INVALID_TIMESTAMP', written: 0 })
})

test('45: a time before there was time; one older than the topic takes', async () => {
  const before = changed((batch) => batch.writeBigInt64BE(-2n, 27))
  expect(await produce(before)).toMatchObject({ error: 'INVALID_TIMESTAMP', written: 0 })
  const config = { 'message.timestamp.before.max.ms': 3_600_000 }
  const { topicId: young } = await client.admin().createTopic('young', { config })
  const old = batchOf(1, { timestamp: Date.now() - 2 * 3_600_000 })
  expect(await produce(Buffer.from(old))).toMatchObject({ error: 'NONE' })
  expect(await produce(old, { topicId: young })).toMatchObject({
    error: 'INVALID_TIMESTAMP',
    written: 0,
  })
})

test('46: a batch above max.message.bytes', async () => {
  expect(await produce(batchOf(1, { value: 'x'.repeat(5_000) }))).toMatchObject({
    error: 'MESSAGE_TOO_LARGE',
    written: 0,
  })
})

test('47: an epoch of -5, a producer without a sequence', async () => {
  const producerId = 4711
  const epoch = batchOf(1, { producerId, producerEpoch: -5, baseSequence: 0 })
  expect(await produce(epoch)).toMatchObject({ error: 'INVALID_RECORD', written: 0 })
  const without = batchOf(1, { producerId, baseSequence: -1 })
  expect(await produce(without)).toMatchObject({ error: 'INVALID_RECORD', written: 0 })
})

test('48: a lower epoch of a producer that is known', async () => {
  const producerId = 4712
  const batch = (producerEpoch: number) =>
    batchOf(1, { producerId, producerEpoch, baseSequence: 0 })
  expect(await produce(batch(3))).toMatchObject({ error: 'NONE' })
  expect(await produce(batch(2))).toMatchObject({ error: 'INVALID_PRODUCER_EPOCH', written: 0 })
})

test('47: an unknown producer begins at 0; a gap is refused', async () => {
  const { producerId } = await call('initProducerId', {
    transactionalId: null,
    transactionTimeoutMs: -1,
    producerId: -1,
    producerEpoch: -1,
  })
  expect(await produce(batchOf(1, { producerId, baseSequence: 4 }))).toMatchObject({
    error: 'UNKNOWN_PRODUCER_ID',
    written: 0,
  })
  expect(await produce(batchOf(2, { producerId, baseSequence: 0 }))).toMatchObject({
    error: 'NONE',
  })
  expect(await produce(batchOf(1, { producerId, baseSequence: 3 }))).toMatchObject({
    error: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
    written: 0,
  })
})

test('a duplicate is answered with its first offset and not appended again', async () => {
  const { producerId } = await call('initProducerId', {
    transactionalId: null,
    transactionTimeoutMs: -1,
    producerId: -1,
    producerEpoch: -1,
  })
  const first = await produce(batchOf(3, { producerId, baseSequence: 0 }))
  await produce(batchOf(1, { producerId, baseSequence: 3 }))
  const before = await end()
  const again = await produce(batchOf(3, { producerId, baseSequence: 0 }))
  expect(again).toMatchObject({ error: 'NONE', baseOffset: first.baseOffset })
  expect(await end()).toBe(before)
})

test('acks that are none of -1, 0, 1', async () => {
  expect(await produce(batchOf(1), { acks: 2 })).toMatchObject({
    error: 'INVALID_REQUIRED_ACKS',
    written: 0,
  })
})

test('50: offsets outside the log, sizes and waits beyond all bounds', async () => {
  const limit = await end()
  for (const fetchOffset of [limit + 1, 2 ** 52]) {
    expect(await fetchAt(fetchOffset)).toMatchObject({
      error: 'OFFSET_OUT_OF_RANGE',
      logEndOffset: limit,
    })
  }
  expect(await fetchAt(-1)).toMatchObject({ error: 'OFFSET_OUT_OF_RANGE' })
  expect(await fetchAt(0, { maxBytes: 0, minBytes: 2 ** 31 - 1, maxWaitMs: 0 })).toMatchObject({
    error: 'NONE',
  })
  expect(await fetchAt(0, { maxBytes: 2 ** 31 - 1, minBytes: -5, maxWaitMs: -1 })).toMatchObject({
    error: 'NONE',
  })
})

test('51: more partitions in one fetch than its definition allows', async () => {
  const [wanted] = fetchRequest(0).partitions
  const partitions = Array.from({ length: 100_000 }, () => wanted as NonNullable<typeof wanted>)
  await expect(call('fetch', { ...fetchRequest(0), partitions })).rejects.toMatchObject({
    name: 'INVALID_REQUEST',
    path: '/partitions',
  })
  expect(connection.open).toBe(true)
})

test('53: a leader epoch of the future', async () => {
  expect(await fetchAt(0, { leaderEpoch: 99 })).toMatchObject({ error: 'UNKNOWN_LEADER_EPOCH' })
})

test('53: a leader epoch of the past: a start after an unclean stop begins a new one', async () => {
  connection.close()
  await running.restart(() => rmSync(join(running.directory, 'clean-shutdown.json')))
  connection = await dial()
  expect(await fetchAt(0, { leaderEpoch: 0 })).toMatchObject({ error: 'FENCED_LEADER_EPOCH' })
})

test('30: a client that calls itself a follower', async () => {
  const request = { ...fetchRequest(0), replicaId: 2 }
  await expect(call('fetch', request)).rejects.toMatchObject({
    name: 'CLUSTER_AUTHORIZATION_FAILED',
  })
  await expect(call('fetch', { ...fetchRequest(0), sessionId: 7 })).rejects.toMatchObject({
    name: 'FETCH_SESSION_ID_NOT_FOUND',
  })
})

test.each(['', '.', '..', '__proto__', 'a/b', 'n\0ul', 'grüße', 'x'.repeat(250)])(
  '31: topic name %j',
  async (name) => {
    await expect(client.admin().createTopic(name)).rejects.toMatchObject({
      name: 'INVALID_TOPIC_EXCEPTION',
    })
  },
)

test('31: the topics of the brokers are not for clients to make', async () => {
  await expect(client.admin().createTopic('__consumer_offsets')).rejects.toMatchObject({
    name: 'INVALID_TOPIC_EXCEPTION',
  })
})

test('32, 37: names that differ only in . and _, and names of JavaScript, are plain names', async () => {
  for (const name of ['a.b', 'a_b', 'constructor', 'toString']) {
    await client.admin().createTopic(name)
    await client.producer().send(name, { value: name })
  }
  const names = (await client.admin().listTopics({ internal: true })).map((topic) => topic.name)
  expect(names).toEqual(expect.arrayContaining(['a.b', 'a_b', 'constructor', 'toString']))
  expect(Object.keys(Object.prototype)).toEqual([])
})

test('33: partitions and replicas that cannot be', async () => {
  const create = (partitions: number, replicationFactor: number) =>
    call('createTopics', {
      topics: [{ name: 'big', partitions, replicationFactor, configs: [] }],
      timeoutMs: 1_000,
      validateOnly: false,
    }).then(({ results }) => errorName(results[0]?.errorCode ?? 0))
  expect(await create(1_000_000, 1)).toBe('POLICY_VIOLATION')
  expect(await create(0, 1)).toBe('INVALID_PARTITIONS')
  expect(await create(-5, 1)).toBe('INVALID_PARTITIONS')
  expect(await create(1, 0)).toBe('INVALID_REPLICATION_FACTOR')
  expect(await create(1, 4)).toBe('INVALID_REPLICATION_FACTOR')
  await expect(client.admin().describeTopic('big')).rejects.toMatchObject({
    name: 'UNKNOWN_TOPIC_OR_PARTITION',
  })
})

test.each([
  ['retention.ms', 'abc'],
  ['retention.ms', '1e99'],
  ['segment.bytes', '-1'],
  ['no.such.setting', '1'],
  ['flush', 'x'.repeat(20_000)],
  ['flush', '\u001b[31mred'],
])('58: config %s=%j is INVALID_CONFIG with its key', async (name, value) => {
  const error = await client
    .admin()
    .alterTopic('orders', { set: { [name]: value } })
    .catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ name: 'INVALID_CONFIG' })
  expect((error as Error).message).not.toContain('\u001b')
})

test('what is asked for many times over is answered once, or refused', async () => {
  const named = await call('metadata', {
    names: Array.from({ length: 5_000 }, () => 'orders'),
    topicIds: Array.from({ length: 5_000 }, () => topicId),
    allowAutoTopicCreation: false,
  })
  expect(named.topics).toHaveLength(2)
  const twice = { topicId, partition: 0, leaderEpoch: -1, timestamp: -1 }
  await expect(
    call('listOffsets', { isolation: 0, partitions: [twice, twice] }),
  ).rejects.toMatchObject({ name: 'INVALID_REQUEST' })
  const cut = { topicId, partition: 0, beforeOffset: 0 }
  await expect(
    call('deleteRecords', { timeoutMs: 1_000, partitions: [cut, cut] }),
  ).rejects.toMatchObject({ name: 'INVALID_REQUEST' })
})

test('an unknown topic fails within seconds and names the nearest', async () => {
  const lost = createClient(nodeEnv(), { brokers: `127.0.0.1:${running.port}`, logger: false })
  await expect(lost.producer().send('ordres', { value: 'x' })).rejects.toMatchObject({
    name: 'UNKNOWN_TOPIC_OR_PARTITION',
    outcome: 'not-written',
    details: { nearest: 'orders' },
  })
  await lost.close()
})

test('a record too large is refused before it is sent', async () => {
  await expect(
    client.producer().send('orders', { value: 'x'.repeat(10_000) }),
  ).rejects.toMatchObject({
    name: 'MESSAGE_TOO_LARGE',
    outcome: 'not-written',
  })
})

async function end(): Promise<number> {
  const [first] = await client.admin().offsets('orders', 'latest')
  return first?.offset ?? -1
}

function fetchRequest(
  fetchOffset: number,
  options: Partial<Record<'maxBytes' | 'minBytes' | 'maxWaitMs' | 'leaderEpoch', number>> = {},
) {
  const { maxBytes = 1024, minBytes = 0, maxWaitMs = 0, leaderEpoch = -1 } = options
  return {
    replicaId: -1,
    brokerEpoch: -1,
    sessionId: 0,
    sessionEpoch: -1,
    isolation: 1,
    rack: '',
    maxWaitMs,
    minBytes,
    maxBytes,
    partitions: [
      {
        topicId,
        partition: 0,
        leaderEpoch,
        fetchOffset,
        lastFetchedEpoch: -1,
        durableOffset: -1,
        logStartOffset: -1,
        suspectOffset: -1,
        maxBytes,
      },
    ],
  }
}

async function fetchAt(fetchOffset: number, options: Parameters<typeof fetchRequest>[1] = {}) {
  const { results } = await call('fetch', fetchRequest(fetchOffset, options))
  const [result] = results
  if (result === undefined) throw new Error('no result')
  return { ...result, error: result.errorCode === 0 ? 'NONE' : errorName(result.errorCode) }
}
