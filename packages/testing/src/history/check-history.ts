// The history checker: black box, it sees what clients saw.
// Enters: a history. Leaves: counts, measures, and each promise that was broken, with the operations involved.
// Source: jepsen.tests.kafka, whose words these are. Linear in operations, but for sorting offsets.
import { pairUp } from './act.ts'
import { Anomalies, type Anomaly, type AnomalyKind } from './anomaly.ts'
import { checkCycles } from './cycles.ts'
import { type Facts, gatherFacts } from './facts.ts'
import { type Lag, type Stuck, stuckIn, worstLag } from './measures.ts'
import type { Operation, Partition } from './operation.ts'
import { checkPolls, checkSends } from './orders.ts'
import { checkValues } from './values.ts'

export type HistoryReport = {
  /** Begun. */
  readonly operations: number
  /** Values sent, by what their senders were told. */
  readonly acked: number
  readonly refused: number
  readonly doubtful: number
  /** Different values that `ok` polls hold. */
  readonly read: number
  /** Records of all polls together. */
  readonly polled: number
  readonly realtimeLag: Lag | undefined
  readonly stuck: readonly Stuck[]
  /** How often each promise was broken. */
  readonly anomalyCounts: Readonly<Partial<Record<AnomalyKind, number>>>
  /** The first thousand. Empty: every promise was kept. */
  readonly anomalies: readonly Anomaly[]
}

export type CheckOptions = {
  /** Old records of these may be gone, by compaction or retention: that is no loss. */
  readonly forgetful?: Iterable<Partition> | undefined
}

/** Errors: RangeError for a history that cannot be, such as one value sent twice to a partition. */
export function checkHistory(
  history: readonly Operation[],
  { forgetful = [] }: CheckOptions = {},
): HistoryReport {
  const anomalies = new Anomalies()
  const forgets = new Set(forgetful)
  const facts = gatherFacts(pairUp(history), anomalies)
  for (const partition of facts.partitions.values()) {
    checkValues(facts, partition, anomalies, forgets.has(partition.name))
  }
  checkPolls(facts, anomalies, forgets)
  checkSends(facts, anomalies)
  checkCycles(facts, anomalies)
  return {
    operations: facts.acts.length,
    ...countValues(facts),
    polled: facts.polledCount,
    realtimeLag: worstLag(facts),
    stuck: stuckIn(history, facts),
    anomalyCounts: anomalies.counts,
    anomalies: anomalies.listed,
  }
}

function countValues({ partitions }: Facts) {
  const counts = { acked: 0, refused: 0, doubtful: 0, read: 0 }
  for (const { writes } of partitions.values()) {
    for (const { act, okReader } of writes.values()) {
      if (act.outcome === 'ok') counts.acked++
      else if (act.outcome === 'fail') counts.refused++
      else counts.doubtful++
      if (okReader !== undefined) counts.read++
    }
  }
  return counts
}
