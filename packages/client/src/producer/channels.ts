// Diagnostics of the producer: plain objects on Node's channels, made only where somebody listens (CLIENT 2.7).
import diagnostics from 'node:diagnostics_channel'
import type { MinikafkaError } from '@minikafka/protocol'
import { hasSubscribers } from '../core/index.ts'
import type { Bytes } from '../words.ts'
import type { Batch } from './batch.ts'
import type { PartitionQueue } from './partition-queue.ts'

/** One batch, from its first attempt until it is settled. */
export type ProduceTrace = {
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  readonly recordCount: number
  /** As sent: compressed, if it is. */
  readonly sizeBytes: number
  brokerId: number
  attempts: number
  /** Of the last attempt that was answered, microseconds since the broker had the request. */
  broker?: { queuedUs: number; writtenUs: number; acknowledgedUs: number } | undefined
  /** When it is settled: */
  baseOffset?: number | undefined
  error?: MinikafkaError
}

/** Before a record is encoded: a subscriber may add headers, such as `traceparent`. */
export type RecordTrace = {
  readonly topic: string
  readonly key: Bytes | null
  readonly value: Bytes | null
  readonly headers: [string, Uint8Array | string | null][]
}

const produce = diagnostics.tracingChannel<unknown, ProduceTrace>('minikafka:produce')
const record = diagnostics.channel('minikafka:record')

export function hasRecordSubscribers(): boolean {
  return record.hasSubscribers
}

export function publishRecord(trace: RecordTrace): void {
  record.publish(trace)
}

/** Somebody wants to know where the time of a batch goes. */
export function tracesProduce(): boolean {
  return hasSubscribers(produce)
}

export function traceAttempt(
  items: readonly { readonly partition: PartitionQueue; readonly batch: Batch }[],
  brokerId: number,
): void {
  if (!hasSubscribers(produce)) return
  for (const { partition, batch } of items) {
    const before = batch.trace
    if (before !== undefined) {
      before.brokerId = brokerId
      before.attempts = batch.attempts
      continue
    }
    const { topic, topicId } = partition
    const { recordCount, attempts, sizeBytes } = batch
    const trace = {
      ...{ topic, topicId, partition: partition.partition },
      ...{ recordCount, sizeBytes, brokerId, attempts },
    }
    batch.trace = trace
    produce.start.publish(trace)
    produce.end.publish(trace)
  }
}

/** The batch is settled, for better or worse. */
export function traceSettled(
  batch: Batch,
  outcome: { baseOffset?: number | undefined; error?: MinikafkaError },
): void {
  const { trace } = batch
  if (trace === undefined) return
  Object.assign(trace, outcome)
  if (outcome.error !== undefined) produce.error.publish({ ...trace, error: outcome.error })
  produce.asyncStart.publish(trace)
  produce.asyncEnd.publish(trace)
}
