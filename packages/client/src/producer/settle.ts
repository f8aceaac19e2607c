// Tells everybody who waits for a batch what became of it: the only work per record after the record was written.
import type { MinikafkaError } from '@minikafka/protocol'
import type { TopicPartition } from '../words.ts'
import type { Batch } from './batch.ts'
import { traceSettled } from './channels.ts'

export function resolveSinks(
  batch: Batch,
  { topic, partition }: TopicPartition,
  baseOffset: number | undefined,
  appendTimeMs: number,
): void {
  traceSettled(batch, { baseOffset })
  const { sinks, slots, deltas, timestamps } = batch
  for (let index = 0; index < sinks.length; index++) {
    const sink = sinks[index]
    const offset = baseOffset === undefined ? undefined : baseOffset + (deltas[index] as number)
    const timestamp = appendTimeMs >= 0 ? appendTimeMs : (timestamps[index] as number)
    const metadata = { topic, partition, offset, timestamp }
    if (typeof sink === 'function') sink(metadata)
    else sink?.fulfil(slots[index] as number, metadata)
  }
}

export function rejectSinks(batch: Batch, error: MinikafkaError): void {
  traceSettled(batch, { error })
  const { sinks, slots } = batch
  if (sinks.length === 0) return
  const rejected = rejection(error)
  for (let index = 0; index < sinks.length; index++) {
    const sink = sinks[index]
    if (typeof sink === 'function') sink(rejected)
    else sink?.reject(slots[index] as number, error)
  }
}

/** For a resolve function: with it, `send` keeps one function per promise instead of two. */
export function rejection(error: Error): Promise<never> {
  const rejected = Promise.reject(error)
  // Handled here; the promise that adopts it is its caller's.
  rejected.catch(() => {})
  return rejected
}
