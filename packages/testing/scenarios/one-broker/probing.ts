// Healed and at rest: a record that is sent now reaches a reader who waits for it at once, not when its long poll ends (the
// wake-up that is lost when only the high watermark moves). Enters: the broker. Leaves: nothing, or who was late.
import { createClient } from '@minikafka/client'
import { assert, type Env } from '@minikafka/platform'
import { Connection, errorName } from '@minikafka/protocol'
import type { PartitionFacts } from 'minikafka-broker'
import { BROKER, PORT } from '../stage/daemon.ts'
import { Violation } from '../stage/violation.ts'
import { fetchRequest } from './log-content.ts'
import type { Stage } from './stage.ts'

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
    const waiting = untilRecords(connection, facts)
    await client.admin().cluster()
    const sentMs = env.clock.monotonicMs()
    await client.producer().send(topic, { partition, key: 'k', value: 'is anybody there?' })
    await waiting
    const tookMs = Math.round(env.clock.monotonicMs() - sentMs)
    if (tookMs > LATE_MS)
      throw new Violation(
        'late',
        `a reader of ${topic}-${partition} who waited was answered after ${tookMs} ms`,
      )
  } finally {
    connection.close()
  }
}

/** A long poll may end early, with nothing (a rare branch): then it is asked again. */
async function untilRecords(connection: Connection, facts: PartitionFacts): Promise<void> {
  const request = fetchRequest(facts, facts.highWatermark, { maxWaitMs: WAIT_MS, minBytes: 1 })
  for (;;) {
    const { results } = await connection.call('fetch', request, { timeoutMs: 2 * WAIT_MS })
    const [result] = results
    assert(result !== undefined, 'one was asked for, one is answered')
    if (result.errorCode !== 0)
      throw new Violation(
        'unreadable',
        `the probe of ${facts.topic}-${facts.partition}: ${errorName(result.errorCode)}`,
      )
    if (result.records.length > 0) return
  }
}
