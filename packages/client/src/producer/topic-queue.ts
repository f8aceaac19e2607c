// One topic of a producer: its partitions, whose turn it is, and what metadata says of them.
// Enters: records, encoded. Leaves: each in the batch of its partition, or in the waiting room until that is known.
import { type HeaderInput, isMinikafkaError, MinikafkaError } from '@minikafka/protocol'
import { knownError, type TopicInfo } from '../core/index.ts'
import type { Bytes } from '../words.ts'
import type { ProducerContext } from './context.ts'
import { PartitionQueue } from './partition-queue.ts'
import { builtInKind } from './partitioner.ts'
import type { Sink } from './waiters.ts'
import { type WaitingRecord, WaitingRoom } from './waiting-room.ts'

/** What a record says of itself besides key, value and headers. */
export type RecordPlace = {
  readonly partition?: number | undefined
  readonly timestamp?: number | undefined
}

export class TopicQueue {
  readonly name: string
  readonly #context: ProducerContext
  readonly #gone: () => void
  readonly #kind: 'round-robin' | 'sticky' | undefined
  readonly #waiting: WaitingRoom
  #info: TopicInfo | undefined
  #partitions: PartitionQueue[] = []
  #resolving = false
  /** Round robin: index of the last one taken among the available; random at first. */
  #cursor = 0
  /** Sticky: the partition of keyless records; -1: choose anew. */
  #sticky = -1
  /** Nobody finds it any more: the topic was not to be had. */
  forgotten = false
  /** Records whose schema checks asynchronously keep their order behind it. */
  encoding: Promise<unknown> = Promise.resolve()

  /** `gone`: the producer forgets it. */
  constructor(context: ProducerContext, name: string, gone: () => void) {
    this.#context = context
    this.#gone = gone
    this.name = name
    this.#kind = builtInKind(context.settings.partitioner)
    this.#waiting = new WaitingRoom(context, name)
    const info = context.core.metadata.topicNow(name)
    if (info !== undefined) this.#adopt(info)
  }

  /**
   * Takes one record: into a batch, or to wait until the topic is known; then it is returned.
   *
   * Shape   without a `sink` nobody waits for it. `sentMs`: when it was handed over, if not now. Parameters instead of an object: one less per record.
   * Errors  MESSAGE_TOO_LARGE, INVALID_OPTION at once; later ones go to the sink.
   */
  accept(
    key: Bytes | null,
    value: Bytes | null,
    headers: HeaderInput | undefined,
    place: RecordPlace,
    sink: Sink | undefined,
    slot: number,
    sentMs: number | undefined,
  ): WaitingRecord | undefined {
    const { turn } = this.#context
    const timestamp = place.timestamp ?? turn.wallMs
    const known = this.#info !== undefined && this.#waiting.empty
    const partition = known ? (place.partition ?? this.#choose(key)) : -1
    // An unknown one may have been added lately: with fresh metadata it is there, or it is an error.
    const queue = this.#partitions[partition]
    if (!known || queue === undefined) {
      const { partition: wanted } = place
      const when = { timestamp, sentMs: sentMs ?? turn.monotonicMs }
      const waiting = this.#waiting.add({
        key,
        value,
        headers,
        partition: wanted,
        ...when,
        sink,
        slot,
      })
      this.#resolve()
      return waiting
    }
    const batch = queue.append(timestamp, key, value, headers)
    if (sentMs !== undefined) queue.joinedLate(batch, sentMs)
    if (sink === undefined) batch.pushed++
    else batch.join(sink, slot, timestamp)
    return undefined
  }

  /** The record is not wanted any more. False where it is in a batch, or settled. */
  takeBack(waiting: WaitingRecord): boolean {
    return this.#waiting.takeBack(waiting)
  }

  failWaiting(error: MinikafkaError): void {
    this.#waiting.failAll(error)
  }

  /** Fails what waited for too long; returns when the next one is due. */
  expire(nowMs: number): number | undefined {
    const { core, settings } = this.#context
    const { deliveryTimeoutMs } = settings
    const cause = core.metadata.troubleOf(this.name)
    return this.#waiting.expire(nowMs, () => {
      const message = `topic '${this.name}' was not known within ${deliveryTimeoutMs} ms`
      const fields = { message, topic: this.name, outcome: 'not-written' } as const
      return new MinikafkaError('DELIVERY_TIMED_OUT', fields, cause === undefined ? {} : { cause })
    })
  }

  // --- which partition -----------------------------------------------------------------------

  #choose(key: Bytes | null): number {
    const count = this.#partitions.length
    if (this.#kind === undefined) return this.#ask(key)
    if (key !== null) return this.#context.keys.of(key, count)
    const available = this.#info?.available ?? []
    if (this.#kind === 'sticky') return this.#chooseSticky(available, count)
    if (available.length === 0) return this.#cursor++ % count
    this.#cursor = (this.#cursor + 1) % available.length
    return available[this.#cursor] as number
  }

  #chooseSticky(available: readonly number[], count: number): number {
    if (this.#sticky >= 0) return this.#sticky
    const { random } = this.#context.core.env
    this.#sticky = available[random.below(available.length || 1)] ?? random.below(count)
    return this.#sticky
  }

  /** The user's own partitioner. */
  #ask(key: Bytes | null): number {
    const partitionCount = this.#partitions.length
    let chosen: number
    try {
      chosen = this.#context.settings.partitioner({
        topic: this.name,
        key: key === null ? null : asBuffer(key),
        partitionCount,
        available: this.#info?.available ?? [],
      })
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw this.#badPartitioner(`the partitioner threw for a record of '${this.name}': ${why}`, {
        cause,
      })
    }
    if (Number.isInteger(chosen) && chosen >= 0 && chosen < partitionCount) return chosen
    throw this.#badPartitioner(
      `the partitioner answered ${chosen}; '${this.name}' has partitions 0 to ${partitionCount - 1}`,
    )
  }

  #badPartitioner(message: string, options?: { readonly cause: unknown }): MinikafkaError {
    const where = { topic: this.name, path: 'partitioner', outcome: 'not-written' } as const
    return new MinikafkaError('INVALID_OPTION', { message, ...where }, options)
  }

  // --- until it is known ---------------------------------------------------------------------

  #resolve(): void {
    if (this.#resolving) return
    this.#resolving = true
    void this.#learn().then(
      (info) => {
        this.#resolving = false
        this.#adopt(info)
        this.#context.turn.begin()
        this.#waiting.empties((record) => this.#enter(record))
      },
      (error: unknown) => {
        this.#resolving = false
        this.#refused(error)
      },
    )
  }

  /** The topic, fresh where a partition is asked for that it did not have. */
  async #learn(): Promise<TopicInfo> {
    const { core, settings, signal } = this.#context
    if (this.#info !== undefined) await core.metadata.refresh('an unknown partition', [this.name])
    return await core.metadata.topic(this.name, { timeoutMs: settings.deliveryTimeoutMs, signal })
  }

  #enter(waiting: WaitingRecord): void {
    const { key, value, headers, timestamp, sentMs, sink, slot } = waiting
    try {
      const partition = waiting.partition ?? this.#choose(key)
      const queue = this.#partitions[partition]
      if (queue === undefined) throw this.#noPartition(partition)
      const batch = queue.append(timestamp, key, value, headers)
      queue.joinedLate(batch, sentMs)
      if (sink === undefined) batch.pushed++
      else batch.join(sink, slot, timestamp)
      batch.cohorts.push(waiting.cohort)
    } catch (error) {
      // Whatever it is, it is this record's: those behind it still enter.
      const known = knownError(error, `a record for '${this.name}'`, 'not-written')
      this.#waiting.reject(waiting, known)
    }
  }

  #noPartition(partition: number): MinikafkaError {
    const count = this.#partitions.length
    return new MinikafkaError('UNKNOWN_TOPIC_OR_PARTITION', {
      message: `'${this.name}' has no partition ${partition}; it has ${count}, from 0`,
      topic: this.name,
      partition,
      outcome: 'not-written',
    })
  }

  /** The topic cannot be had. After a time-out only those fail that waited for all of it. */
  #refused(cause: unknown): void {
    if (this.#context.signal.aborted) return
    const error = knownError(cause, `asking for topic '${this.name}'`, 'not-written')
    if (error.name === 'TIMED_OUT') {
      this.expire(this.#context.core.env.clock.monotonicMs())
      if (!this.#waiting.empty) this.#resolve()
      return
    }
    this.forgotten = this.#info === undefined
    if (this.forgotten) this.#gone()
    this.#waiting.failAll(error)
  }

  // --- what metadata says --------------------------------------------------------------------

  /** `info` undefined: a broker does not know it any more. */
  changed(info: TopicInfo | undefined): void {
    if (info !== undefined) this.#adopt(info)
    else if (this.#info !== undefined) this.#confirmGone()
  }

  /** One broker may be behind: the controller has the last word. */
  #confirmGone(): void {
    const former = this.#info
    const { core, settings, signal } = this.#context
    const wait = { timeoutMs: settings.deliveryTimeoutMs, signal, create: false }
    core.metadata.topic(this.name, wait).then(
      (found) => this.#adopt(found),
      (error: unknown) => {
        // Made anew meanwhile: the word was about the former one.
        if (this.#info !== former) return
        if (isMinikafkaError(error) && error.name !== 'TIMED_OUT') this.#forget(error)
      },
    )
  }

  #forget(error: MinikafkaError): void {
    if (this.#info === undefined) return
    this.#abandon(`topic '${this.name}' was deleted`)
    this.#info = undefined
    this.#waiting.failAll(error)
  }

  #adopt(info: TopicInfo): void {
    const former = this.#info
    if (former !== undefined && former.topicId !== info.topicId) {
      this.#abandon(
        `topic '${this.name}' was deleted and made again; this record was for the former one`,
      )
    }
    const { random } = this.#context.core.env
    if (former === undefined) this.#cursor = random.below(info.partitions.length || 1)
    this.#info = info
    for (const { partition, leaderId } of info.partitions) {
      this.#partitions[partition] ??= this.#newPartition(info.topicId, partition)
      const sender = leaderId < 0 ? undefined : this.#context.sender(leaderId)
      this.#partitions[partition]?.lead(sender, info.maxMessageBytes)
    }
  }

  #newPartition(topicId: string, partition: number): PartitionQueue {
    const moveOn = (closed: number) => {
      if (this.#sticky === closed) this.#sticky = -1
    }
    return new PartitionQueue(this.#context, { topic: this.name, topicId, partition, moveOn })
  }

  /** Batches made for a deleted topic never reach its successor. */
  #abandon(message: string): void {
    const error = new MinikafkaError('UNKNOWN_TOPIC_ID', { message, topic: this.name })
    const partitions = this.#partitions
    this.#partitions = []
    this.#sticky = -1
    for (const partition of partitions) partition.abandon(error)
  }
}

function asBuffer(key: Bytes): Buffer {
  if (typeof key === 'string') return Buffer.from(key)
  return Buffer.isBuffer(key) ? key : Buffer.from(key.buffer, key.byteOffset, key.byteLength)
}
