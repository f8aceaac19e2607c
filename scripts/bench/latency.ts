// End to end: from when a record is due until it is in the consumer's hands.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { Client } from '@minikafka/client'
import { microseconds } from './load.ts'

const SIZE = 100

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
  const histogram = createHistogram()
  const child = fork(
    join(import.meta.dirname, 'rate-producer.ts'),
    [brokers, topic, String(rate), String(ms)],
    {
      execArgv: ['--import', 'tsx', '--conditions=@minikafka/source'],
    },
  )
  const exited = once(child, 'exit')
  const warmUpMs = 1_000
  let firstDueMs = 0
  const total = Math.floor((rate * (ms + warmUpMs)) / 1000)
  await using consumer = client.consumer({ topics: [topic], start: 'earliest' })
  let records = 0
  for await (const batch of consumer.batches()) {
    const atMs = nowMs()
    for (const { value } of batch.records) {
      const dueMs = value?.readDoubleLE(0) ?? 0
      if (records++ === 0) firstDueMs = dueMs
      if (dueMs - firstDueMs > warmUpMs) histogram.record(microseconds(atMs - dueMs))
    }
    if (records >= total) break
  }
  await exited
  return histogram
}
