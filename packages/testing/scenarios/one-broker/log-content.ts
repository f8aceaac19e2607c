// All batches of one partition below its high watermark, headers and records, by plain Fetch requests.
import { assert, type Env } from '@minikafka/platform'
import {
  type BatchHeader,
  batchCrcIsRight,
  batchesIn,
  type Connection,
  decodeBatch,
  errorName,
  readBatchHeader,
} from '@minikafka/protocol'
import type { PartitionFacts } from 'minikafka-broker'
import { Violation } from '../stage/violation.ts'
import { type Found, nameOf } from './ledger.ts'
import { idOf } from './producer-plans.ts'

const TIMEOUT_MS = 30_000
/** Oracles that see what somebody has said. */
const SAID = ['unreadable', 'crc']
const FETCH_BYTES_MAX = 2 ** 20

/**
 * Shape   `brokenAt`: from there on the broker or a checksum says that it cannot be read; infinite where all can.
 * Errors  Violation `unreadable` or `crc`, unless that `mayBreak`; `I8` where offsets do not follow.
 */
export async function readLog(
  env: Env,
  connection: Connection,
  facts: PartitionFacts,
  mayBreak: boolean,
): Promise<{ headers: BatchHeader[]; records: Found[]; brokenAt: number }> {
  const { logStartOffset, highWatermark, offline } = facts
  const content = { headers: [] as BatchHeader[], records: [] as Found[] }
  let next = Math.max(0, logStartOffset)
  try {
    while (next < highWatermark || offline !== undefined) {
      const from = next
      for (const batch of await fetchFrom(connection, facts, next)) {
        next = checkBatch(facts, batch, next)
        content.headers.push(readBatchHeader(batch))
        content.records.push(...(await recordsOf(env, facts, batch)))
      }
      if (next === from)
        throw new Violation(
          'unreadable',
          `${nameOf({ ...facts, offset: from })}: nothing comes, and the high watermark is ${highWatermark}`,
        )
    }
  } catch (error) {
    if (!mayBreak || !(error instanceof Violation) || !SAID.includes(error.oracle)) throw error
    return { ...content, brokenAt: next }
  }
  return { ...content, brokenAt: Number.POSITIVE_INFINITY }
}

/** Returns the offset that follows. */
function checkBatch(facts: PartitionFacts, batch: Uint8Array, next: number): number {
  const header = readBatchHeader(batch)
  const where = nameOf({ ...facts, offset: header.baseOffset })
  if (!batchCrcIsRight(batch)) throw new Violation('crc', `${where}: served with a wrong CRC`)
  const isGap = header.baseOffset > next && next < facts.compactedBelow
  if (header.baseOffset !== next && next !== facts.logStartOffset && !isGap)
    throw new Violation('I8', `${where}: served where ${next} follows`)
  return header.lastOffset + 1
}

async function recordsOf(
  env: Env,
  { topic, partition, logStartOffset }: PartitionFacts,
  batch: Uint8Array,
): Promise<Found[]> {
  const { compression } = readBatchHeader(batch)
  if (compression !== undefined) await env.compress.prepare(compression)
  return decodeBatch(batch, env.compress)
    .filter(({ offset }) => offset >= logStartOffset)
    .map(({ offset, key, value, headers }) => ({
      id: idOf(String(value)),
      topic,
      partition,
      offset,
      key: key && String(key),
      value: String(value),
      headers: Object.fromEntries(headers.map(([name, part]) => [name, String(part)])),
    }))
}

/** As a consumer asks, for one partition. */
export function fetchRequest(
  { topicId, partition }: PartitionFacts,
  fetchOffset: number,
  { maxWaitMs, minBytes }: { maxWaitMs: number; minBytes: number },
) {
  const wanted = {
    topicId,
    partition,
    leaderEpoch: -1,
    fetchOffset,
    lastFetchedEpoch: -1,
    durableOffset: -1,
    logStartOffset: -1,
    suspectOffset: -1,
    maxBytes: FETCH_BYTES_MAX,
  }
  const asConsumer = { replicaId: -1, brokerEpoch: -1, sessionId: 0, sessionEpoch: -1, rack: '' }
  const bounds = { isolation: 0, maxWaitMs, minBytes, maxBytes: FETCH_BYTES_MAX }
  return { ...asConsumer, ...bounds, partitions: [wanted] }
}

async function fetchFrom(connection: Connection, facts: PartitionFacts, from: number) {
  const { topic, partition } = facts
  const request = fetchRequest(facts, from, { maxWaitMs: 0, minBytes: 0 })
  const { results } = await connection.call('fetch', request, { timeoutMs: TIMEOUT_MS })
  const [result] = results
  assert(result !== undefined, 'one was asked for, one is answered')
  if (result.errorCode !== 0)
    throw new Violation(
      'unreadable',
      `${topic}-${partition} @ ${from}: ${errorName(result.errorCode)}: ${result.errorMessage}`,
    )
  try {
    return result.records.flatMap(batchesIn)
  } catch (error) {
    throw new Violation('crc', `${topic}-${partition} @ ${from}: ${(error as Error).message}`)
  }
}
