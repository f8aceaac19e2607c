// What a partition says of itself and gives out, over plain requests: each error by its name, none thrown.
import type { Env } from '@minikafka/platform'
import {
  batchLastOffsetAt,
  batchSizeAt,
  Connection,
  decodeBatch,
  errorName,
  isMinikafkaError,
} from '@minikafka/protocol'
import { Finding } from './target.ts'

const TIMEOUT_MS = 30_000
const EARLIEST = -2
const FETCH_BYTES = 65_536

/** `error`: what ended the reading before the high watermark, or kept it from beginning. */
export type Reading = {
  readonly start: number
  readonly records: readonly { readonly offset: number; readonly value: string }[]
  readonly next: number
  readonly error: string | undefined
}

export async function dial(env: Env, address: { host: string; port: number }): Promise<Connection> {
  const who = { clientName: 'fuzz', clientVersion: '1', clientId: 'fuzz' }
  return await Connection.open(env, { ...address, ...who, timeoutMs: TIMEOUT_MS })
}

/** undefined: the broker does not know the topic. */
export async function topicIdOf(connection: Connection, name: string): Promise<string | undefined> {
  const request = { names: [name], topicIds: null, allowAutoTopicCreation: false }
  const { topics } = await connection.call('metadata', request, { timeoutMs: TIMEOUT_MS })
  return topics[0]?.topicId ?? undefined
}

/** From `from`, by default where the log begins, up to the high watermark. */
export async function readPartition(
  env: Env,
  connection: Connection,
  at: { readonly topicId: string; readonly partition: number },
  from?: number,
): Promise<Reading> {
  const records: { offset: number; value: string }[] = []
  const start = from ?? (await offsetFor(connection, at, EARLIEST))
  if (typeof start === 'string') return { start: -1, records, next: -1, error: start }
  let next = start
  try {
    for (;;) {
      const result = await fetch(connection, at, next)
      if (result.errorCode !== 0)
        return { start, records, next, error: errorName(result.errorCode) }
      const before = next
      for (const batch of result.records.flatMap(batchesOf)) {
        for (const { offset, value } of decodeBatch(batch, env.compress)) {
          if (offset >= next) records.push({ offset, value: String(value) })
        }
        next = Math.max(next, batchLastOffsetAt(batch) + 1)
      }
      if (next >= result.highWatermark) return { start, records, next, error: undefined }
      if (next === before) throw new Finding(`nothing comes at offset ${next}, and no error`)
    }
  } catch (error) {
    if (!isMinikafkaError(error)) throw error
    return { start, records, next, error: error.name }
  }
}

/** The offset, or the name of the error. */
export async function offsetFor(
  connection: Connection,
  at: { readonly topicId: string; readonly partition: number },
  timestamp: number,
): Promise<number | string> {
  const request = { isolation: 0, partitions: [{ ...at, leaderEpoch: -1, timestamp }] }
  const { results } = await connection.call('listOffsets', request, { timeoutMs: TIMEOUT_MS })
  const [result] = results
  if (result === undefined) throw new Finding('one was asked for and none is answered')
  return result.errorCode === 0 ? result.offset : errorName(result.errorCode)
}

async function fetch(
  connection: Connection,
  at: { readonly topicId: string; readonly partition: number },
  fetchOffset: number,
) {
  const asked = {
    lastFetchedEpoch: -1,
    durableOffset: -1,
    logStartOffset: -1,
    leaderEpoch: -1,
    suspectOffset: -1,
  }
  const request = {
    ...{ replicaId: -1, brokerEpoch: -1, sessionId: 0, sessionEpoch: -1, rack: '' },
    ...{ isolation: 0, maxWaitMs: 0, minBytes: 0, maxBytes: FETCH_BYTES },
    partitions: [{ ...at, fetchOffset, maxBytes: FETCH_BYTES, ...asked }],
  }
  const { results } = await connection.call('fetch', request, { timeoutMs: TIMEOUT_MS })
  const [result] = results
  if (result === undefined) throw new Finding('one was asked for and none is answered')
  return result
}

/** A blob holds whole batches, one after the other. */
function batchesOf(blob: Uint8Array): Uint8Array[] {
  const batches: Uint8Array[] = []
  for (let position = 0; position < blob.length; ) {
    const size = batchSizeAt(blob, position)
    if (size < 1 || position + size > blob.length) throw new Finding('a blob holds a broken batch')
    batches.push(blob.subarray(position, position + size))
    position += size
  }
  return batches
}
