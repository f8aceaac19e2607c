// All batches of one partition below its high watermark, headers and records, by plain Fetch requests.
import { assert, type Env } from '@minikafka/platform'
import {
  type BatchHeader,
  batchCrcIsRight,
  batchSizeAt,
  type Connection,
  decodeBatch,
  errorName,
  readBatchHeader,
} from '@minikafka/protocol'
import type { PartitionFacts } from 'minikafka-broker'
import type { Found } from './ledger.ts'
import { Violation } from './violation.ts'

const TIMEOUT_MS = 30_000
const FETCH_BYTES_MAX = 2 ** 20

/** Errors: Violation `unreadable`, `crc`, `I8` where offsets do not follow. */
export async function readLog(
  env: Env,
  connection: Connection,
  facts: PartitionFacts,
): Promise<{ headers: BatchHeader[]; records: Found[] }> {
  const { topic, partition, logStartOffset, highWatermark } = facts
  const headers: BatchHeader[] = []
  const records: Found[] = []
  for (let next = logStartOffset; next < highWatermark; ) {
    const from = next
    for (const batch of await fetchFrom(connection, facts, next)) {
      const header = readBatchHeader(batch)
      const where = `${topic}-${partition} @ ${header.baseOffset}`
      if (!batchCrcIsRight(batch)) throw new Violation('crc', `${where}: served with a wrong CRC`)
      if (header.baseOffset !== next && next !== logStartOffset)
        throw new Violation('I8', `${where}: served where ${next} follows`)
      next = header.lastOffset + 1
      headers.push(header)
      if (header.compression !== undefined) await env.compress.prepare(header.compression)
      for (const { offset, key, value, headers: pairs } of decodeBatch(batch, env.compress)) {
        if (offset < logStartOffset) continue
        const texts = Object.fromEntries(pairs.map(([name, part]) => [name, String(part)]))
        records.push({
          topic,
          partition,
          offset,
          key: key && String(key),
          value: String(value),
          headers: texts,
        })
      }
    }
    if (next === from)
      throw new Violation(
        'unreadable',
        `${topic}-${partition} gives nothing from ${from}, its high watermark is ${highWatermark}`,
      )
  }
  return { headers, records }
}

async function fetchFrom(
  connection: Connection,
  { topic, topicId, partition }: PartitionFacts,
  from: number,
) {
  const wanted = {
    topicId,
    partition,
    leaderEpoch: -1,
    fetchOffset: from,
    lastFetchedEpoch: -1,
    durableOffset: -1,
    logStartOffset: -1,
    maxBytes: FETCH_BYTES_MAX,
  }
  const asConsumer = { replicaId: -1, brokerEpoch: -1, sessionId: 0, sessionEpoch: -1, rack: '' }
  const bounds = { isolation: 0, maxWaitMs: 0, minBytes: 0, maxBytes: FETCH_BYTES_MAX }
  const request = { ...asConsumer, ...bounds, partitions: [wanted] }
  const { results } = await connection.call('fetch', request, { timeoutMs: TIMEOUT_MS })
  const [result] = results
  assert(result !== undefined, 'one was asked for, one is answered')
  if (result.errorCode !== 0)
    throw new Violation(
      'unreadable',
      `${topic}-${partition} @ ${from}: ${errorName(result.errorCode)}: ${result.errorMessage}`,
    )
  return result.records.flatMap(batchesOf)
}

/** A blob holds whole batches, one after the other. */
function batchesOf(blob: Uint8Array): Uint8Array[] {
  const batches: Uint8Array[] = []
  for (let position = 0; position < blob.length; position += batchSizeAt(blob, position)) {
    batches.push(blob.subarray(position, position + batchSizeAt(blob, position)))
  }
  return batches
}
