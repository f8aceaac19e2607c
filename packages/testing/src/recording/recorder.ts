// Writes down what clients do: a send from its call to its outcome, records as they are handed out.
// Enters: calls of the recorded producers and consumers. Leaves: entries, in the order in which they began.

import { isMinikafkaError } from '@minikafka/client'
import type { Clock } from '@minikafka/platform'
import { contentOf } from './content.ts'
import {
  type Entry,
  type Moment,
  type PolledEntry,
  partitionName,
  type SentEntry,
} from './entries.ts'

type Bytes = Uint8Array | string
export type Handed = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: Bytes | null
  readonly value: Bytes | null
}

/** Records of one entry: few enough that times mean something, many enough to be light. */
const RECORDS_PER_POLL = 500

export class Recorder {
  readonly entries: Entry[] = []
  readonly #clock: Clock
  #order = 0
  #processCount = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** One more client whose sends, or polls, are in order. */
  process(): number {
    return this.#processCount++
  }

  moment(): Moment {
    return { order: this.#order++, timeMs: this.#clock.monotonicMs() }
  }

  // --- sends -------------------------------------------------------------------------------

  /** A record is handed to a producer. */
  send(process: number, topic: string, plain: boolean): SentEntry {
    const entry: SentEntry = {
      kind: 'sent',
      process,
      id: this.entries.length,
      topic,
      plain,
      content: undefined,
      began: this.moment(),
      ended: undefined,
      outcome: 'info',
      partition: undefined,
      offset: undefined,
    }
    this.entries.push(entry)
    return entry
  }

  /** `offset` undefined: nobody promised anything (acks none). */
  acked(entry: SentEntry, at: { partition: number; offset: number | undefined }): void {
    entry.partition = at.partition
    entry.offset = at.offset
    entry.outcome = at.offset === undefined ? 'info' : 'ok'
    entry.ended = this.moment()
  }

  /** Somewhere: a flush says no more. */
  flushed(entry: SentEntry, outcome: 'ok' | 'info'): void {
    entry.outcome = outcome
    entry.ended = this.moment()
  }

  failed(entry: SentEntry, error: unknown): void {
    const known = isMinikafkaError(error) ? error : undefined
    entry.partition = known?.partition
    entry.outcome = known?.outcome === 'not-written' ? 'fail' : 'info'
    entry.ended = this.moment()
  }

  // --- polls -------------------------------------------------------------------------------

  reader(): ReaderRecorder {
    return new ReaderRecorder(this, this.process())
  }

  poll(process: number, unordered: boolean): PolledEntry {
    return this.#poll(process, unordered, undefined, this.moment())
  }

  /** By a reader of all of `topic`, from its first record to its last. */
  polled(topic: string, records: readonly Handed[], began: Moment): void {
    const entry = this.#poll(this.process(), false, topic, began)
    for (const record of records) this.add(entry, record)
    entry.ended = this.moment()
  }

  #poll(
    process: number,
    unordered: boolean,
    whole: string | undefined,
    began: Moment,
  ): PolledEntry {
    const entry: PolledEntry = {
      kind: 'polled',
      process,
      began,
      ended: began,
      partitions: new Map(),
      recordCount: 0,
      unordered,
      whole,
    }
    this.entries.push(entry)
    return entry
  }

  add(entry: PolledEntry, { topic, partition, offset, key, value }: Handed): void {
    const name = partitionName(topic, partition)
    let polled = entry.partitions.get(name)
    if (polled === undefined) {
      polled = { topic, partition, records: [] }
      entry.partitions.set(name, polled)
    }
    polled.records.push({ offset, value: contentOf(key, value) })
    entry.recordCount++
  }

  moved(process: number, partitions: readonly string[]): void {
    this.entries.push({ kind: 'moved', process, began: this.moment(), partitions })
  }
}

/** One consumer: the order of what it is handed counts, until it moves. */
export class ReaderRecorder {
  readonly #recorder: Recorder
  readonly #process: number
  readonly #seen = new Set<string>()
  #poll: PolledEntry | undefined

  constructor(recorder: Recorder, process: number) {
    this.#recorder = recorder
    this.#process = process
  }

  handed(records: readonly Handed[], unordered = false): void {
    let poll = this.#poll
    if (
      poll === undefined ||
      poll.recordCount >= RECORDS_PER_POLL ||
      poll.unordered !== unordered
    ) {
      poll = this.#recorder.poll(this.#process, unordered)
      this.#poll = poll
    }
    for (const record of records) this.#recorder.add(poll, record)
    for (const name of poll.partitions.keys()) this.#seen.add(name)
    poll.ended = this.#recorder.moment()
  }

  /** In these, or in all: what is handed out next may be anywhere. */
  moved(partitions: Iterable<string> = this.#seen): void {
    this.#poll = undefined
    const names = [...partitions]
    if (names.length > 0) this.#recorder.moved(this.#process, names)
  }
}
