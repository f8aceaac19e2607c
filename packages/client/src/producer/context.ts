// What the rooms of one producer share.
import type { MinikafkaError } from '@minikafka/protocol'
import type { Alarm, Core } from '../core/index.ts'
import type { Account } from './account.ts'
import type { BufferPool } from './buffer-pool.ts'
import type { Cohort } from './cohort.ts'
import type { Identity } from './identity.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { KeyPartitions } from './partitioner.ts'
import type { Sender } from './sender.ts'
import type { ProducerSettings } from './settings.ts'
import type { Turn } from './turn.ts'

export type Counts = { acked: number; failed: number; retries: number; inFlightBatches: number }

export type FailedPush = {
  readonly topic: string
  readonly partition: number
  readonly error: MinikafkaError
  readonly records: number
}

export type ProducerContext = {
  readonly core: Core
  readonly settings: ProducerSettings
  readonly pool: BufferPool
  readonly account: Account
  readonly turn: Turn
  readonly alarm: Alarm
  readonly keys: KeyPartitions
  readonly identity: Identity
  readonly counts: Counts
  /** Aborts when the producer has closed. */
  readonly signal: AbortSignal
  /** Partitions with anything unsettled. */
  readonly busy: Set<PartitionQueue>
  /** Senders to look at when the turn ends. */
  readonly touched: Set<Sender>
  /** What a batch that is begun now belongs to. */
  cohort(): Cohort
  /** The sender of a broker; made when first asked for. */
  sender(nodeId: number): Sender
  /** Batches may be sealed: there is a producer id, and the codec is loaded. */
  ready(): boolean
  pushFailed(failed: FailedPush, cohorts: readonly Cohort[]): void
}
