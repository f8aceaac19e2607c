// Who waits for the records of a batch: one function per record of `send`, one object for all of a `sendMany`.
// Enters: sinks, in the order of the records. Leaves: each is told its offset, or the error of the batch.
import type { MinikafkaError } from '@minikafka/protocol'
import type { TopicPartition } from '../words.ts'
import type { RecordMetadata } from './types.ts'

/** Of `send`: the resolve function of its promise, which a rejected promise may be given to. */
export type Resolve = (result: RecordMetadata | Promise<never>) => void

/** Of `sendMany`: its records are told apart by `slot`, their place in the input. */
export type Collector = {
  fulfil(slot: number, metadata: RecordMetadata): void
  reject(slot: number, error: MinikafkaError): void
}

export type Sink = Resolve | Collector

/** The columns hold only what differs: a batch of plain sends has one array. */
export class Waiters {
  readonly #sinks: Sink[] = []
  /** Per sink; empty while there are only functions. */
  readonly #slots: number[] = []
  /** Offset delta per sink; empty while every record has a sink. */
  readonly #deltas: number[] = []
  /** Per sink; empty while all are those of the first. */
  readonly #timestamps: number[] = []
  #timestamp = 0

  add(sink: Sink, slot: number, delta: number, timestamp: number): void {
    const index = this.#sinks.length
    if (index === 0) this.#timestamp = timestamp
    if (this.#deltas.length > 0 || delta !== index) this.#column(this.#deltas, index, delta)
    if (this.#timestamps.length > 0 || timestamp !== this.#timestamp) {
      while (this.#timestamps.length < index) this.#timestamps.push(this.#timestamp)
      this.#timestamps.push(timestamp)
    }
    if (this.#slots.length > 0 || typeof sink !== 'function') this.#column(this.#slots, index, slot)
    this.#sinks.push(sink)
  }

  /** `baseOffset` undefined: nobody said. `appendTimeMs` -1: the records keep their own times. */
  resolve(
    { topic, partition }: TopicPartition,
    baseOffset: number | undefined,
    appendTimeMs: number,
  ): void {
    const sinks = this.#sinks
    for (let index = 0; index < sinks.length; index++) {
      const sink = sinks[index]
      const offset =
        baseOffset === undefined ? undefined : baseOffset + (this.#deltas[index] ?? index)
      const own = this.#timestamps[index] ?? this.#timestamp
      const timestamp = appendTimeMs >= 0 ? appendTimeMs : own
      const metadata = { topic, partition, offset, timestamp }
      if (typeof sink === 'function') sink(metadata)
      else sink?.fulfil(this.#slots[index] as number, metadata)
    }
  }

  reject(error: MinikafkaError): void {
    if (this.#sinks.length === 0) return
    const rejected = rejection(error)
    this.#sinks.forEach((sink, index) => {
      if (typeof sink === 'function') sink(rejected)
      else sink.reject(this.#slots[index] as number, error)
    })
  }

  /** The column begins late: those before have the values that its absence meant. */
  #column(column: number[], index: number, value: number): void {
    while (column.length < index) column.push(column.length)
    column.push(value)
  }
}

/** For a resolve function: with it, `send` keeps one function per promise instead of two. */
export function rejection(error: Error): Promise<never> {
  const rejected = Promise.reject(error)
  // Handled here; the promise that adopts it is its caller's.
  rejected.catch(() => {})
  return rejected
}
