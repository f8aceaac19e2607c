// Healed and at rest: a record that is sent now reaches a reader who waits for it at once, not when its long poll ends (the
// wake-up that is lost when only the high watermark moves). Enters: the broker. Leaves: nothing, or who was late.
import { createClient } from '@minikafka/client'
import { assert, type Env } from '@minikafka/platform'
import { Connection } from '@minikafka/protocol'
import type { PartitionFacts } from 'minikafka-broker'
import { BROKER, PORT } from './daemon.ts'
import { fetchRequest } from './log-content.ts'
import type { Stage } from './stage.ts'
import { Violation } from './violation.ts'

const WAIT_MS = 30_000
/** The slowest disk takes less for all that one record needs. */
const LATE_MS = 8000
const WHO = { clientName: 'probe', clientVersion: '0', clientId: 'probe' }

export async function probe(stage: Stage, env: Env): Promise<void> {
  const facts = stage.daemon.broker?.partitions().find(({ offline }) => offline === undefined)
  if (facts === undefined) return
  const connection = await Connection.open(env, {
    host: BROKER,
    port: PORT,
    ...WHO,
    timeoutMs: WAIT_MS,
  })
  await using client = createClient(env, { brokers: `${BROKER}:${PORT}`, logger: false })
  const { topic, partition } = facts
  try {
    const request = fetchRequest(facts, facts.highWatermark, { maxWaitMs: WAIT_MS, minBytes: 1 })
    const waiting = connection.call('fetch', request, { timeoutMs: 2 * WAIT_MS })
    await client.admin().cluster()
    const sentMs = env.clock.monotonicMs()
    await client.producer().send(topic, { partition, value: 'is anybody there?' })
    const { results } = await waiting
    judgeAnswer(facts, env.clock.monotonicMs() - sentMs, results[0])
  } finally {
    connection.close()
  }
}

function judgeAnswer(
  { topic, partition }: PartitionFacts,
  tookMs: number,
  result: { errorCode: number; records: readonly Uint8Array[] } | undefined,
) {
  assert(result !== undefined, 'one was asked for, one is answered')
  if (tookMs <= LATE_MS && result.records.length > 0) return
  const what = `${result.records.length} batches, error ${result.errorCode}`
  throw new Violation(
    'late',
    `a reader of ${topic}-${partition} who waited was answered after ${Math.round(tookMs)} ms: ${what}`,
  )
}
