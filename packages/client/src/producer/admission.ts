// How a record gets in: encoded, in order, and only where there is room.
// Enters: what the caller handed over. Leaves: the record in a batch, or waiting for room, its topic, or its schema.
import { withDeadline } from '@minikafka/platform'
import { type HeaderInput, MinikafkaError } from '@minikafka/protocol'
import { type TopicLike, topicName } from '../topic/index.ts'
import type { Bytes } from '../words.ts'
import type { InLine } from './account.ts'
import { hasRecordSubscribers } from './channels.ts'
import type { Cohort } from './cohort.ts'
import type { Dispatch } from './dispatch.ts'
import { checkTimestamp, type Encoded, encodeKey, encodeValue, headersOf } from './encode.ts'
import type { TopicQueue } from './topic-queue.ts'
import type { ProducerRecord } from './types.ts'
import { type Collector, type Resolve, rejection, type Sink } from './waiters.ts'
import type { WaitingRecord } from './waiting-room.ts'

export type PlainRecord = ProducerRecord<string>

/** A record that is not in a batch yet can be taken back. */
export type Ticket = { cancel(): boolean }

type Parts = readonly [key: Bytes | null, value: Bytes | null]

export class Admission {
  readonly #dispatch: Dispatch
  /** The topic of the record before: most records share it. */
  #queue: TopicQueue | undefined

  constructor(dispatch: Dispatch) {
    this.#dispatch = dispatch
  }

  /** Takes a record for which nobody waits. Errors: BUFFER_FULL, and what encoding throws. */
  push(topic: TopicLike, record: PlainRecord): void {
    if (this.#dispatch.account.overfull) throw this.#bufferFull(topic)
    const key = encodeKey(topic, record.key)
    const value = encodeValue(topic, record.value)
    if (key instanceof Promise || value instanceof Promise) throw refuseAsync(topic, key, value)
    this.#accept(topic, key, value, undefined, record, undefined, 0)
  }

  /** Takes a record whose promise is settled by `resolve`; waits where the buffer is full. */
  send(topic: TopicLike, record: PlainRecord, resolve: Resolve): Ticket | undefined {
    const key = encodeKey(topic, record.key)
    const value = encodeValue(topic, record.value)
    if (key instanceof Promise || value instanceof Promise) {
      return this.#sendLater(topic, this.#encoded(topic, key, value), record, resolve)
    }
    return this.#offer(topic, [key, value], record, resolve)
  }

  /** Monotonic, read once a turn. */
  now(): number {
    const { turn } = this.#dispatch
    turn.begin()
    return turn.monotonicMs
  }

  /**
   * Takes one of many that was read in at `sentMs`, or now; the caller has waited for room. A promise where the schema
   * checks asynchronously.
   */
  collect(
    topic: TopicLike,
    record: PlainRecord,
    collector: Collector,
    slot: number,
    sentMs: number | undefined,
  ): Promise<void> | undefined {
    const key = encodeKey(topic, record.key)
    const value = encodeValue(topic, record.value)
    if (key instanceof Promise || value instanceof Promise) {
      const parts = this.#encoded(topic, key, value)
      return this.#collectLater(topic, parts, record, collector, slot, sentMs ?? this.now())
    }
    this.#accept(topic, key, value, undefined, record, collector, slot, sentMs)
    return undefined
  }

  async #collectLater(
    topic: TopicLike,
    parts: Promise<Parts>,
    record: PlainRecord,
    collector: Collector,
    slot: number,
    sentMs: number,
  ): Promise<void> {
    const [key, value] = await parts
    this.#dispatch.signal.throwIfAborted()
    this.#accept(topic, key, value, undefined, record, collector, slot, sentMs)
  }

  /** Schemas take their time, and some for ever: no longer than a record may. */
  async #encoded(like: TopicLike, key: Encoded, value: Encoded): Promise<Parts> {
    const { core, settings, signal } = this.#dispatch
    const { deliveryTimeoutMs: timeoutMs } = settings
    const wait = { timeoutMs, signal }
    return await withDeadline(core.env.clock, Promise.all([key, value]), wait, () => {
      const topic = topicName(like)
      const message = `the schema of '${topic}' did not answer within ${timeoutMs} ms`
      return new MinikafkaError('DELIVERY_TIMED_OUT', { message, topic, outcome: 'not-written' })
    })
  }

  /** Schemas that check asynchronously may finish in any order: the records of a topic still keep theirs. */
  #sendLater(
    topic: TopicLike,
    parts: Promise<Parts>,
    record: PlainRecord,
    resolve: Resolve,
  ): undefined {
    parts.catch(() => {})
    const sentMs = this.now()
    const settle = tracked(this.#dispatch.cohort(), resolve)
    const queue = this.#topic(topic)
    queue.encoding = queue.encoding
      .then(() => parts)
      .then((encoded) => {
        this.#dispatch.signal.throwIfAborted()
        this.#offer(topic, encoded, record, settle, sentMs)
      })
      .catch((error: Error) => settle(rejection(error)))
  }

  #offer(
    topic: TopicLike,
    [key, value]: Parts,
    record: PlainRecord,
    resolve: Resolve,
    sentMs?: number,
  ): Ticket | undefined {
    const { account, settings } = this.#dispatch
    if (!account.full) {
      const waiting = this.#accept(topic, key, value, undefined, record, resolve, 0, sentMs)
      return waiting === undefined ? undefined : this.#ticket(topic, waiting)
    }
    if (settings.onFull === 'error') throw this.#bufferFull(topic)
    return this.#lineUp(topic, [key, value], record, resolve, sentMs ?? this.now())
  }

  /** Behind all that wait for room already. What it is, is fixed now: headers and time are those of the call. */
  #lineUp(
    topic: TopicLike,
    [key, value]: Parts,
    record: PlainRecord,
    resolve: Resolve,
    sentMs: number,
  ): Ticket {
    const { account, turn, alarm, settings } = this.#dispatch
    turn.begin()
    const headers = headersOf(topicName(topic), record) ?? []
    const place = { partition: record.partition, timestamp: record.timestamp ?? turn.wallMs }
    const settle = tracked(this.#dispatch.cohort(), resolve)
    let inside: Ticket | undefined
    const waiting: InLine = {
      sentMs,
      enter: () => {
        try {
          const entered = this.#accept(topic, key, value, headers, place, settle, 0, sentMs)
          if (entered !== undefined) inside = this.#ticket(topic, entered)
        } catch (error) {
          settle(rejection(error as Error))
        }
      },
      giveUp: (error) => settle(rejection(error)),
    }
    account.wait(waiting)
    alarm.at(sentMs + settings.deliveryTimeoutMs)
    return {
      cancel: () => {
        const taken = account.leave(waiting) || inside?.cancel() === true
        if (taken) settle(NEVER)
        return taken
      },
    }
  }

  /**
   * The way of every record: into the batch of its partition. `headers`: where they were read before. `sentMs`: where
   * it was handed over before; most are now, and a number that is passed on costs each of them an object.
   */
  #accept(
    topic: TopicLike,
    key: Bytes | null,
    value: Bytes | null,
    headers: HeaderInput | undefined,
    record: Omit<PlainRecord, 'key' | 'value'>,
    sink: Sink | undefined,
    slot: number,
    sentMs?: number,
  ): WaitingRecord | undefined {
    let pairs = headers
    if (record.headers !== undefined || hasRecordSubscribers()) {
      pairs ??= headersOf(topicName(topic), record as PlainRecord)
    }
    if (record.timestamp !== undefined) checkTimestamp(topicName(topic), record.timestamp)
    this.#dispatch.turn.begin()
    return this.#topic(topic).accept(key, value, pairs, record, sink, slot, sentMs)
  }

  #topic(topic: TopicLike): TopicQueue {
    const name = topicName(topic)
    const last = this.#queue
    if (last !== undefined && last.name === name && !last.forgotten) return last
    if (typeof name !== 'string' || name === '') {
      const message = 'the topic must be a name or a topic()'
      throw new MinikafkaError('INVALID_OPTION', { message })
    }
    this.#queue = this.#dispatch.topic(name)
    return this.#queue
  }

  #ticket(topic: TopicLike, waiting: WaitingRecord): Ticket {
    const queue = this.#topic(topic)
    return { cancel: () => queue.takeBack(waiting) }
  }

  #bufferFull(like: TopicLike): MinikafkaError {
    const { account, settings } = this.#dispatch
    const topic = topicName(like)
    const limit = `maxBufferedBytes is ${settings.maxBufferedBytes}`
    const message = `${account.bytes} bytes are buffered (${limit}); await drained()`
    return new MinikafkaError('BUFFER_FULL', { message, topic, outcome: 'not-written' })
  }
}

/** For a promise that nobody waits for any more. */
const NEVER = new Promise<never>(() => {})

/** Counts in `cohort` until it is settled, whichever batch it ends up in. */
function tracked(cohort: Cohort, resolve: Resolve): Resolve {
  cohort.begin()
  return (result) => {
    resolve(result)
    cohort.settle()
  }
}

function refuseAsync(like: TopicLike, ...parts: unknown[]): MinikafkaError {
  for (const part of parts) if (part instanceof Promise) part.catch(() => {})
  const topic = topicName(like)
  const message = `the schema of '${topic}' checks asynchronously: use send()`
  return new MinikafkaError('SERIALIZATION_FAILED', { message, topic, outcome: 'not-written' })
}
