// What is in the log of a topic, read without a group and without a consumer: plain Fetch requests.
import { assert, type Env } from '@minikafka/platform'
import {
  batchSizeAt,
  Connection,
  decodeBatch,
  errorName,
  MinikafkaError,
  type RecordHeader,
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
}

type Partition = { readonly topic: string; readonly topicId: string; readonly partition: number }

const TIMEOUT_MS = 30_000
const FETCH_BYTES_MAX = 2 ** 20

/** Everything below the high watermark, by partition and offset. Errors: UNKNOWN_TOPIC_OR_PARTITION and what Fetch answers. */
export async function readTopic(
  env: Env,
  address: { readonly host: string; readonly port: number },
  topic: string,
  { from }: ReadOptions = {},
): Promise<ReadRecord[]> {
  const who = { clientName: 'testing', clientVersion: '0', clientId: 'testing' }
  const connection = await Connection.open(env, { ...address, ...who, timeoutMs: TIMEOUT_MS })
  try {
    const records: ReadRecord[] = []
    for (const partition of await partitionsOf(connection, topic)) {
      records.push(...(await readPartition(env, connection, partition, from)))
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
  from: number | undefined,
): Promise<ReadRecord[]> {
  const { topic, partition } = wanted
  const records: ReadRecord[] = []
  const first = await fetch(connection, wanted, from ?? 0)
  let next = Math.max(from ?? 0, first.logStartOffset)
  while (next < first.highWatermark) {
    const { records: blobs } = await fetch(connection, wanted, next)
    for (const batch of blobs.flatMap(batchesOf)) {
      const { compression, lastOffset } = await prepared(env, batch)
      assert(lastOffset >= next, 'Fetch goes forward')
      void compression
      for (const record of decodeBatch(batch, env.compress)) {
        if (record.offset >= next) records.push({ topic, partition, ...record })
      }
      next = lastOffset + 1
    }
  }
  return records
}
