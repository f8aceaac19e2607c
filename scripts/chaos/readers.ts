// Consumers that read along through every death of the broker, and write down what they saw.
import { type AnyRecord, Client, type Consumer } from '@minikafka/client'
import type { Polled } from '@minikafka/testing'
import type { Journal } from './journal.ts'

export type ReadersOptions = { readonly brokers: string; readonly topic: string }

const READERS = 2
/** Their numbers in the history, apart from those of the writers. */
const READER_FIRST = 100
const FINAL_READER = 200

export class Readers {
  readonly #consumers: Consumer<string>[] = []
  readonly #clients: Client[] = []
  readonly #running: Promise<void>

  constructor({ brokers, topic }: ReadersOptions, journal: Journal) {
    for (let reader = 0; reader < READERS; reader++) {
      const client = new Client({ brokers, clientId: `reader-${reader}`, logger: false })
      this.#clients.push(client)
      this.#consumers.push(client.consumer({ topics: [topic], start: 'earliest' }))
    }
    const reading = this.#consumers.map((consumer, index) =>
      follow(consumer, READER_FIRST + index, journal),
    )
    this.#running = Promise.all(reading).then(() => undefined)
    // A reader that fails is heard of when the readers are stopped.
    this.#running.catch(() => undefined)
  }

  /** Resolves when each has read everything below `ends`, the end of each partition. */
  async stopAt(ends: readonly number[]): Promise<void> {
    const isThere = (consumer: Consumer<string>) =>
      consumer
        .health()
        .partitions.every(({ partition, nextOffset }) => nextOffset >= (ends[partition] ?? 0))
    while (!this.#consumers.every(isThere)) {
      const pause = new Promise<void>((resolve) => setTimeout(resolve, 50))
      await Promise.race([pause, this.#running.then(() => pause)])
    }
    for (const consumer of this.#consumers) consumer.stop()
    await this.#running
    for (const client of this.#clients) await client.close()
  }
}

async function follow(consumer: Consumer<string>, process: number, journal: Journal) {
  for await (const { topic, partition, records } of consumer.batches()) {
    journal.polled(process, [{ partition: `${topic}-${partition}`, records: polledOf(records) }])
  }
}

/** Everything from the first record to `ends`, by a client that was not there before. */
export async function readAll(
  { brokers, topic }: ReadersOptions,
  ends: readonly number[],
  journal: Journal,
): Promise<void> {
  await using client = new Client({ brokers, clientId: 'final-reader', logger: false })
  const consumer = client.consumer({ topics: [topic], start: 'earliest' })
  const read = ends.map((_, partition) => ({
    partition: `${topic}-${partition}`,
    records: [] as Polled[],
  }))
  let left = ends.reduce((sum, end) => sum + end, 0)
  if (left === 0) return
  for await (const { partition, records } of consumer.batches()) {
    read[partition]?.records.push(...polledOf(records))
    left -= records.length
    if (left <= 0) break
  }
  journal.polled(FINAL_READER, read, true)
}

function polledOf(records: readonly AnyRecord[]): Polled[] {
  return records.map(({ offset, value }) => ({ offset, value: String(value) }))
}
