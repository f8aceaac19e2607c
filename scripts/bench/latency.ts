// End to end: from when a record is due until it is in the consumer's hands.
import { join } from 'node:path'
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { Client, Consumer } from '@minikafka/client'
import { Child } from '../child.ts'
import { microseconds } from './load.ts'

const SIZE = 100
const WARM_UP_MS = 1_000

/** Wall clock with microseconds, comparable between the processes of one machine. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now()
}

/** Sends one record, waits until it was consumed, sends the next. */
export async function oneAtATime(
  client: Client,
  topic: string,
  count: number,
): Promise<RecordableHistogram> {
  const value = Buffer.alloc(SIZE, 'x')
  const histogram = createHistogram()
  await using producer = client.producer()
  await using consumer = client.consumer({ topics: [topic], start: 'earliest' })
  const records = consumer[Symbol.asyncIterator]()
  const warmUp = Math.min(500, count)
  for (let sent = 0; sent < warmUp + count; sent++) {
    const began = performance.now()
    const acknowledged = producer.send(topic, { value })
    await records.next()
    if (sent >= warmUp) histogram.record(microseconds(performance.now() - began))
    await acknowledged
  }
  await records.return?.()
  return histogram
}

/**
 * `rate` records a second from a producer process of its own, consumed here; the broker is the third.
 * Time counts from when a record is due, so that a stalled producer cannot hide its own waiting.
 */
export async function atRate(
  client: Client,
  brokers: string,
  topic: string,
  rate: number,
  ms: number,
): Promise<RecordableHistogram> {
  const program = join(import.meta.dirname, 'rate-producer.ts')
  const args = [program, brokers, topic, String(rate), String(ms)]
  await using child = new Child(['--import', 'tsx', '--conditions=@minikafka/source', ...args])
  await using consumer = client.consumer({ topics: [topic], start: 'earliest' })
  const total = Math.floor((rate * (ms + WARM_UP_MS)) / 1000)
  // A producer that fails ends the wait for its records.
  const [histogram] = await Promise.all([latenciesOf(consumer, total), child.succeeded()])
  return histogram
}

async function latenciesOf(
  consumer: Consumer<string>,
  total: number,
): Promise<RecordableHistogram> {
  const histogram = createHistogram()
  let firstDueMs = 0
  let records = 0
  for await (const batch of consumer.batches()) {
    const atMs = nowMs()
    for (const { value } of batch.records) {
      const dueMs = value?.readDoubleLE(0) ?? 0
      if (records++ === 0) firstDueMs = dueMs
      if (dueMs - firstDueMs > WARM_UP_MS) histogram.record(microseconds(atMs - dueMs))
    }
    if (records >= total) break
  }
  return histogram
}
