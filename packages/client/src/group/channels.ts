// Diagnostics of groups: plain objects on Node's channels, made only where somebody listens (CLIENT 2.7).
import diagnostics from 'node:diagnostics_channel'
import { hasSubscribers } from '../core/index.ts'
import type { Partitions } from '../words.ts'

/** Partitions that came or went. */
export type RebalanceTrace = {
  readonly group: string
  readonly memberId: string
  readonly memberEpoch: number
  readonly kind: 'assigned' | 'revoked' | 'lost'
  readonly partitions: Partitions
}

/** One OffsetCommit. */
export type CommitTrace = {
  readonly group: string
  readonly memberId: string
  readonly partitionCount: number
}

const rebalance = diagnostics.channel('minikafka:rebalance')
const commit = diagnostics.tracingChannel<unknown, CommitTrace>('minikafka:commit')

export function publishRebalance(about: () => RebalanceTrace): void {
  if (rebalance.hasSubscribers) rebalance.publish(about())
}

export function traceCommit<T>(ask: () => Promise<T>, about: () => CommitTrace): Promise<T> {
  return hasSubscribers(commit) ? commit.tracePromise(ask, about()) : ask()
}
