// What is in the log of a topic, read without a group and without a consumer: plain Fetch requests.
import { assert, type Env } from '@minikafka/platform'
import {
  batchesIn,
  batchLastOffsetAt,
  Connection,
  type DecodedRecord,
  decodeBatch,
  errorName,
  MinikafkaError,
  type RecordHeader,
  readBatchHeader,
} from '@minikafka/protocol'

export type ReadRecord = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

export type ReadOptions = {
  /** First offset of each partition. Default: where the log begins. */
  readonly from?: number | undefined
  /** `read_committed` (default) ends at the last stable offset, `read_uncommitted` at the high watermark. */
  readonly isolation?: 'read_committed' | 'read_uncommitted' | undefined
}

type Partition = { readonly topic: string; readonly topicId: string; readonly partition: number }

const TIMEOUT_MS = 30_000
const FETCH_BYTES_MAX = 2 ** 20
/** Of ListOffsets, instead of a time. */
const EARLIEST = -2

/** Everything below the end that readers see, by partition and offset. Errors: UNKNOWN_TOPIC_OR_PARTITION and what Fetch answers. */
export async function readTopic(
  env: Env,
  address: { readonly host: string; readonly port: number },
  topic: string,
  options: ReadOptions = {},
): Promise<ReadRecord[]> {
  const who = { clientName: 'testing', clientVersion: '0', clientId: 'testing' }
  const connection = await Connection.open(env, { ...address, ...who, timeoutMs: TIMEOUT_MS })
  try {
    const records: ReadRecord[] = []
    for (const partition of await partitionsOf(connection, topic)) {
      records.push(...(await readPartition(env, connection, partition, options)))
    }
    return records
  } finally {
    connection.close()
  }
}

async function partitionsOf(connection: Connection, name: string): Promise<Partition[]> {
  const request = { names: [name], topicIds: null, allowAutoTopicCreation: false }
  const { topics } = await connection.call('metadata', request, { timeoutMs: TIMEOUT_MS })
  const topic = topics[0]
  assert(topic !== undefined, 'Metadata answers each name')
  throwIfError(topic.errorCode, topic.errorMessage, { topic: name })
  const topicId = topic.topicId ?? ''
  return topic.partitions
    .map(({ partition }) => ({ topic: name, topicId, partition }))
    .sort((a, b) => a.partition - b.partition)
}

async function readPartition(
  env: Env,
  connection: Connection,
  wanted: Partition,
  { from, isolation = 'read_committed' }: ReadOptions,
): Promise<ReadRecord[]> {
  const { topic, partition } = wanted
  const records: ReadRecord[] = []
  const committed = isolation === 'read_committed' ? 1 : 0
  let next = from ?? (await logStartOf(connection, wanted))
  for (;;) {
    const answer = await fetchRecords(connection, wanted, next, committed)
    const { records: blobs, highWatermark, lastStableOffset } = answer
    for (const batch of blobs.flatMap(batchesIn)) {
      for (const record of await decoded(env, batch)) {
        if (record.offset >= next) records.push({ topic, partition, ...record })
      }
      next = batchLastOffsetAt(batch) + 1
    }
    if (next >= (committed ? lastStableOffset : highWatermark)) return records
  }
}

async function logStartOf(connection: Connection, { topic, topicId, partition }: Partition) {
  const wanted = { topicId, partition, leaderEpoch: -1, timestamp: EARLIEST }
  const request = { isolation: 0, partitions: [wanted] }
  const { results } = await connection.call('listOffsets', request, { timeoutMs: TIMEOUT_MS })
  const result = onlyOne(results)
  throwIfError(result.errorCode, result.errorMessage, { topic, partition })
  return result.offset
}

async function fetchRecords(
  connection: Connection,
  { topic, topicId, partition }: Partition,
  from: number,
  isolation: number,
) {
  const wanted = {
    topicId,
    partition,
    leaderEpoch: -1,
    fetchOffset: from,
    lastFetchedEpoch: -1,
    durableOffset: -1,
    logStartOffset: -1,
    suspectOffset: -1,
    maxBytes: FETCH_BYTES_MAX,
  }
  const asConsumer = { replicaId: -1, brokerEpoch: -1, sessionId: 0, sessionEpoch: -1, rack: '' }
  const bounds = { isolation, maxWaitMs: 0, minBytes: 0, maxBytes: FETCH_BYTES_MAX }
  const request = { ...asConsumer, ...bounds, partitions: [wanted] }
  const { results } = await connection.call('fetch', request, { timeoutMs: TIMEOUT_MS })
  const result = onlyOne(results)
  throwIfError(result.errorCode, result.errorMessage, { topic, partition, offset: from })
  return result
}

/** Control batches hold markers, not records. */
async function decoded(env: Env, batch: Uint8Array): Promise<DecodedRecord[]> {
  const { compression, control } = readBatchHeader(batch)
  if (control) return []
  if (compression !== undefined) await env.compress.prepare(compression)
  return decodeBatch(batch, env.compress)
}

function onlyOne<T>(results: readonly T[]): T {
  const [result] = results
  assert(result !== undefined, 'one was asked for, one is answered')
  return result
}

function throwIfError(
  code: number,
  message: string | null,
  where: { topic: string; partition?: number; offset?: number },
): void {
  if (code === 0) return
  throw new MinikafkaError(errorName(code), message === null ? where : { message, ...where })
}
