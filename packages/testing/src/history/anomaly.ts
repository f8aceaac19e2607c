// What a history can be found guilty of, and the list that holds the findings.
import type { Operation, Partition, Value } from './operation.ts'

export type AnomalyKind =
  | 'inconsistent-offsets'
  | 'offset-reuse'
  | 'duplicate'
  | 'lost-write'
  | 'torn-transaction'
  | 'unseen'
  | 'phantom'
  | 'definite-error-visible'
  | 'aborted-read'
  | 'precommitted-read'
  | 'poll-skip'
  | 'nonmonotonic-poll'
  | 'int-poll-skip'
  | 'int-nonmonotonic-poll'
  | 'nonmonotonic-send'
  | 'int-nonmonotonic-send'
  | 'G1c'
  | 'G1c-process'
  | 'G1c-realtime'

export type Anomaly = {
  readonly kind: AnomalyKind
  /** One sentence for people. */
  readonly text: string
  readonly partition?: Partition
  readonly offset?: number
  readonly value?: Value
  /** Who was involved, in the order of the history. */
  readonly operations: readonly Operation[]
}

/** A broken system breaks the same promise everywhere: so many are listed, the others counted. */
const LISTED_MAX = 1000

export class Anomalies {
  readonly listed: Anomaly[] = []
  readonly counts: Partial<Record<AnomalyKind, number>> = {}

  add(anomaly: Anomaly): void {
    this.counts[anomaly.kind] = (this.counts[anomaly.kind] ?? 0) + 1
    if (this.listed.length < LISTED_MAX) this.listed.push(anomaly)
  }
}
