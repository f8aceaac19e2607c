// Records whose partition cannot be chosen yet, for the topic is not known: in order, counted, and not for ever.
import { BatchWriter, type HeaderInput, type MinikafkaError } from '@minikafka/protocol'
import type { Bytes } from '../words.ts'
import type { Cohort } from './cohort.ts'
import type { ProducerContext } from './context.ts'
import { rejection, type Sink } from './waiters.ts'

export type WaitingRecord = {
  readonly key: Bytes | null
  readonly value: Bytes | null
  readonly headers: HeaderInput | undefined
  /** undefined: the partitioner chooses. */
  readonly partition: number | undefined
  readonly timestamp: number
  /** Monotonic: when it was handed over. */
  readonly sentMs: number
  readonly sink: Sink | undefined
  readonly slot: number
  /** What the account holds for it. */
  readonly bytes: number
  /** The flush that waits for it. */
  readonly cohort: Cohort
}

export class WaitingRoom {
  readonly #context: ProducerContext
  readonly #topic: string
  /** In the order they came. */
  readonly #records = new Set<WaitingRecord>()
  /** None is due before: those that waited elsewhere are older than some before them. */
  #dueMs = Number.POSITIVE_INFINITY

  constructor(context: ProducerContext, topic: string) {
    this.#context = context
    this.#topic = topic
  }

  get empty(): boolean {
    return this.#records.size === 0
  }

  add(record: Omit<WaitingRecord, 'bytes' | 'cohort'>): WaitingRecord {
    const { account, alarm, settings } = this.#context
    const { key, value, headers } = record
    const waiting: WaitingRecord = {
      ...record,
      bytes: BatchWriter.recordSizeMax(key, value, headers),
      cohort: this.#context.cohort(),
    }
    waiting.cohort.begin()
    account.add(waiting.bytes)
    const dueMs = waiting.sentMs + settings.deliveryTimeoutMs
    this.#dueMs = Math.min(this.#dueMs, dueMs)
    alarm.at(dueMs)
    this.#records.add(waiting)
    return waiting
  }

  /** Everybody leaves, in order. `enter` takes over what the record holds in its cohort. */
  empties(enter: (record: WaitingRecord) => void): void {
    for (const record of this.#records) if (this.#remove(record)) enter(record)
  }

  /** Its sender does not want it any more. False where it has left already. */
  takeBack(record: WaitingRecord): boolean {
    const there = this.#remove(record)
    if (there) record.cohort.settle()
    return there
  }

  failAll(error: MinikafkaError): void {
    this.empties((record) => this.reject(record, error))
  }

  /** Fails what waits for too long; returns when the next one is due. */
  expire(nowMs: number, error: () => MinikafkaError): number | undefined {
    if (this.empty) return undefined
    if (this.#dueMs > nowMs) return this.#dueMs
    this.#dueMs = Number.POSITIVE_INFINITY
    for (const record of [...this.#records]) {
      const dueMs = record.sentMs + this.#context.settings.deliveryTimeoutMs
      if (dueMs > nowMs) this.#dueMs = Math.min(this.#dueMs, dueMs)
      // Whoever was told of the one before may have closed the producer.
      else if (this.#remove(record)) this.reject(record, error())
    }
    return this.empty ? undefined : this.#dueMs
  }

  /** Tells who waits for a record that has left; then it is settled. */
  reject(record: WaitingRecord, error: MinikafkaError): void {
    const { sink, slot, cohort } = record
    this.#context.counts.failed++
    if (typeof sink === 'function') sink(rejection(error))
    else if (sink !== undefined) sink.reject(slot, error)
    else {
      const partition = record.partition ?? -1
      this.#context.pushFailed({ topic: this.#topic, partition, error, records: 1 }, [cohort])
    }
    cohort.settle()
  }

  #remove(record: WaitingRecord): boolean {
    const there = this.#records.delete(record)
    if (there) this.#context.account.release(record.bytes)
    return there
  }
}
