// A producer whose sends are written down: what was asked for, and what became of it.
import { Writable } from 'node:stream'
import {
  type Bytes,
  type Done,
  PartialFailureError,
  type Producer,
  type ProducerEvents,
  type ProducerOptions,
  type ProducerRecord,
  type RecordMetadata,
  type TopicLike,
  type Wait,
} from '@minikafka/client'
import { contentOf } from './content.ts'
import type { SentEntry } from './entries.ts'
import type { Recorder } from './recorder.ts'

/** What brokers remember of a producer per partition: above it no order is promised (CLIENT 2.3). */
const IDEMPOTENT_IN_FLIGHT_MAX = 5

export class RecordedProducer implements Producer {
  readonly #producer: Producer
  readonly #recorder: Recorder
  readonly #plain: boolean
  readonly #acks: ProducerOptions['acks']
  readonly #sends: number
  /** Pushes overtake sends that wait for room: they are ordered among themselves. */
  readonly #pushes: number
  /** Since the last flush. */
  #pushed: SentEntry[] = []

  constructor(producer: Producer, recorder: Recorder, options: ProducerOptions = {}) {
    const { acks = 'all', idempotent = true, maxInFlight = 1 } = options
    this.#producer = producer
    this.#recorder = recorder
    this.#plain = acks !== 'all' || !idempotent || maxInFlight > IDEMPOTENT_IN_FLIGHT_MAX
    this.#acks = acks
    this.#sends = recorder.process()
    this.#pushes = recorder.process()
  }

  send<T extends TopicLike>(
    topic: T,
    record: ProducerRecord<T>,
    wait?: Wait,
  ): Promise<RecordMetadata> {
    const entry = this.#begin(this.#sends, topic, record)
    const sending = this.#producer.send(topic, record, wait)
    sending.then(
      (metadata) => this.#recorder.acked(entry, metadata),
      (error: unknown) => this.#recorder.failed(entry, error),
    )
    return sending
  }

  /** In order among themselves; single sends may come between. */
  async sendMany<T extends TopicLike>(
    topic: T,
    records: Iterable<ProducerRecord<T>>,
    wait?: Wait,
  ): Promise<RecordMetadata[]> {
    const process = this.#recorder.process()
    const entries: SentEntry[] = []
    const begin = (record: ProducerRecord<T>) => entries.push(this.#begin(process, topic, record))
    try {
      const metadata = await this.#producer.sendMany(topic, withEach(records, begin), wait)
      this.#settleAll(
        entries,
        metadata.map((value) => ({ status: 'fulfilled', value })),
      )
      return metadata
    } catch (error) {
      const results = error instanceof PartialFailureError ? error.results : []
      this.#settleAll(entries, results)
      throw error
    }
  }

  push<T extends TopicLike>(topic: T, record: ProducerRecord<T>): boolean {
    const entry = this.#begin(this.#pushes, topic, record)
    try {
      const isBelow = this.#producer.push(topic, record)
      this.#pushed.push(entry)
      return isBelow
    } catch (error) {
      this.#recorder.failed(entry, error)
      throw error
    }
  }

  drained(wait?: Wait): Done {
    return this.#producer.drained(wait)
  }

  async flush(wait?: Wait): Done {
    const pushed = this.#pushed
    this.#pushed = []
    try {
      await this.#producer.flush(wait)
      const outcome = this.#acks === 'none' ? 'info' : 'ok'
      for (const entry of pushed) this.#recorder.flushed(entry, outcome)
    } catch (error) {
      for (const entry of pushed) this.#recorder.flushed(entry, 'info')
      throw error
    }
  }

  writable<T extends TopicLike>(topic: T): Writable {
    return new Writable({
      objectMode: true,
      write: (record: ProducerRecord<T>, _encoding, done) => {
        try {
          if (this.push(topic, record)) done()
          else this.drained().then(() => done(), done)
        } catch (error) {
          done(error as Error)
        }
      },
      final: (done) => {
        this.flush().then(() => done(), done)
      },
    })
  }

  on<K extends keyof ProducerEvents>(
    event: K,
    listener: (data: ProducerEvents[K]) => void,
  ): () => void {
    return this.#producer.on(event, listener)
  }

  close(wait?: Wait): Done {
    return this.#producer.close(wait)
  }

  [Symbol.asyncDispose](): Done {
    return this.close()
  }

  #begin<T extends TopicLike>(process: number, topic: T, record: ProducerRecord<T>): SentEntry {
    const name = typeof topic === 'string' ? topic : topic.name
    const entry = this.#recorder.send(process, name, this.#plain)
    note(entry, topic, record)
    return entry
  }

  #settleAll(
    entries: readonly SentEntry[],
    results: readonly PromiseSettledResult<RecordMetadata>[],
  ): void {
    for (const [slot, entry] of entries.entries()) {
      const result = results[slot]
      if (result?.status === 'fulfilled') this.#recorder.acked(entry, result.value)
      else this.#recorder.failed(entry, result?.reason)
    }
  }
}

/** What the record says once it is encoded; what cannot be encoded is never sent, and its producer says so. */
function note(entry: SentEntry, topic: TopicLike, record: ProducerRecord<string>): void {
  try {
    const key = encoded(typeof topic === 'string' ? undefined : topic.key, record.key)
    const value = encoded(typeof topic === 'string' ? undefined : topic.value, record.value)
    if (!(key instanceof Promise) && !(value instanceof Promise)) {
      entry.content = contentOf(key, value)
      return
    }
    Promise.all([key, value]).then(
      (both) => {
        entry.content = contentOf(...both)
      },
      () => undefined,
    )
  } catch {
    entry.content = undefined
  }
}

function encoded(
  codec: { encode(value: unknown): Bytes | Promise<Bytes> } | undefined,
  part: unknown,
): Bytes | null | Promise<Bytes> {
  if (part === null || part === undefined) return null
  return codec === undefined ? (part as Bytes) : codec.encode(part)
}

function* withEach<R>(items: Iterable<R>, each: (item: R) => void): Generator<R> {
  for (const item of items) {
    each(item)
    yield item
  }
}
