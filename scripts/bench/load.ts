// The loads: produce and consume as fast as it goes, for a time; what came of it.
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { type Client, type Consumer, roundRobin } from '@minikafka/client'

export type Rate = {
  readonly records: number
  readonly bytes: number
  readonly seconds: number
  readonly histogram?: RecordableHistogram
}
export type Mode = 'push' | 'sendMany' | 'send'

/** Promises outstanding at once with `send`, each for one record. */
const OUTSTANDING = 10_000
const RECORDS_PER_LOOK = 256

export async function produceFor(
  client: Client,
  topic: string,
  mode: Mode,
  size: number,
  ms: number,
): Promise<Rate> {
  const value = Buffer.alloc(size, 'x')
  await using producer = client.producer({ partitioner: roundRobin() })
  // Warm: metadata, producer id, compiled code.
  await run(10_000, 300)
  const began = performance.now()
  const { records, histogram } = await run(Number.POSITIVE_INFINITY, ms)
  return { records, bytes: records * size, seconds: (performance.now() - began) / 1000, histogram }

  function run(recordsMax: number, forMs: number) {
    const untilMs = performance.now() + forMs
    if (mode === 'push') return pushing(recordsMax, untilMs)
    return mode === 'send' ? sending(recordsMax, untilMs) : sendingMany(recordsMax, untilMs)
  }

  async function pushing(recordsMax: number, untilMs: number) {
    let records = 0
    while (records < recordsMax) {
      if (!producer.push(topic, { value })) await producer.drained()
      if (++records % RECORDS_PER_LOOK === 0 && performance.now() > untilMs) break
    }
    await producer.flush()
    return { records, histogram: createHistogram() }
  }

  async function sendingMany(recordsMax: number, untilMs: number) {
    const histogram = createHistogram()
    const batch = Array.from({ length: Math.max(1, Math.floor(524_288 / size)) }, () => ({ value }))
    let records = 0
    const worker = async () => {
      while (records < recordsMax && performance.now() < untilMs) {
        const began = performance.now()
        await producer.sendMany(topic, batch)
        histogram.record(microseconds(performance.now() - began))
        records += batch.length
      }
    }
    await Promise.all([worker(), worker(), worker(), worker(), worker(), worker()])
    return { records, histogram }
  }

  async function sending(recordsMax: number, untilMs: number) {
    const histogram = createHistogram()
    let records = 0
    let outstanding = 0
    let settled = 0
    let resume: (() => void) | undefined
    const onSettled = (began: number) => {
      outstanding--
      // One in 64 is timed: reading the clock twice for each would be a good part of what is measured.
      if (++settled % 64 === 0) histogram.record(microseconds(performance.now() - began))
      if (outstanding < OUTSTANDING / 2 && resume) resume()
    }
    const failed = (error: unknown) => {
      throw error
    }
    let began = performance.now()
    while (records < recordsMax) {
      if (records % RECORDS_PER_LOOK === 0) {
        began = performance.now()
        if (began > untilMs) break
      }
      const at = began
      producer.send(topic, { value }).then(() => onSettled(at), failed)
      records++
      if (++outstanding >= OUTSTANDING) await new Promise<void>((resolve) => (resume = resolve))
      resume = undefined
    }
    await producer.flush()
    return { records, histogram }
  }
}

/** Reads `records` records from the start; the time counts from the first one. */
export async function consumeAll(
  client: Client,
  topic: string,
  mode: 'batches' | 'for await',
  recordsMax: number,
): Promise<Rate> {
  await using consumer: Consumer<string> = client.consumer({ topics: [topic], start: 'earliest' })
  let records = 0
  let bytes = 0
  let began = 0
  if (mode === 'batches') {
    for await (const batch of consumer.batches()) {
      if (records === 0) began = performance.now()
      records += batch.records.length
      for (const { value } of batch.records) bytes += value?.length ?? 0
      if (records >= recordsMax) break
    }
  } else {
    for await (const { value } of consumer) {
      if (records === 0) began = performance.now()
      bytes += value?.length ?? 0
      if (++records >= recordsMax) break
    }
  }
  return { records, bytes, seconds: (performance.now() - began) / 1000 }
}

export function microseconds(ms: number): number {
  return Math.max(1, Math.round(ms * 1000))
}
