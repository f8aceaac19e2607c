// Diagnostics of the consumer: plain objects on Node's channels, made only where somebody listens (CLIENT 2.7).
import diagnostics from 'node:diagnostics_channel'
import { hasSubscribers } from '../core/index.ts'
import type { PartitionLag } from '../words.ts'
import type { FetchedRecord } from './record.ts'

/** One fetch. */
export type FetchTrace = {
  readonly brokerId: number
  readonly partitionCount: number
  readonly maxWaitMs: number
  /** Of record batches; set when the answer is there. */
  sizeBytes: number
}

/** One call of a handler. */
export type ProcessTrace = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly attempt: number
  readonly record: FetchedRecord
}

const fetch = diagnostics.tracingChannel<unknown, FetchTrace>('minikafka:fetch')
const handling = diagnostics.tracingChannel<unknown, ProcessTrace>('minikafka:process')
const lag = diagnostics.channel('minikafka:lag')

/** `ask`, and what it tells the channel; the answer's size is asked for only where somebody listens. */
export function traceFetch<T>(
  ask: () => Promise<T>,
  about: () => Omit<FetchTrace, 'sizeBytes'>,
  sizeOf: (answer: T) => number,
): Promise<T> {
  if (!hasSubscribers(fetch)) return ask()
  const trace: FetchTrace = { ...about(), sizeBytes: 0 }
  return fetch.tracePromise(async () => {
    const answer = await ask()
    trace.sizeBytes = sizeOf(answer)
    return answer
  }, trace)
}

export function tracesProcess(): boolean {
  return hasSubscribers(handling)
}

/** Calls the handler with the trace around it; `asyncEnd` when its promise has settled. */
export function traceProcess(handle: () => unknown, trace: ProcessTrace): Promise<unknown> {
  return handling.tracePromise(async () => await handle(), trace)
}

export function tracesLag(): boolean {
  return lag.hasSubscribers
}

export function publishLag(lags: readonly PartitionLag[]): void {
  lag.publish(lags)
}
