// The producer as its users see it: send, sendMany, push, drained, flush, writable, close.
// Enters: records. Leaves: promises, one per `send`; the rooms behind it see batches.
import { Writable } from 'node:stream'
import { withDeadline } from '@minikafka/platform'
import { type HeaderInput, isMinikafkaError, MinikafkaError } from '@minikafka/protocol'
import {
  CLOSE_TIMEOUT_MS,
  type Core,
  checkOptions,
  Deadline,
  Events,
  waitRules,
} from '../core/index.ts'
import type { TopicLike } from '../topic/index.ts'
import type { Bytes, Done, Wait } from '../words.ts'
import type { InLine } from './account.ts'
import { hasRecordSubscribers, publishRecord } from './channels.ts'
import type { Cohort } from './cohort.ts'
import { Dispatch } from './dispatch.ts'
import { encodeKey, encodeValue, headerPairs } from './encode.ts'
import { Results } from './partial-failure.ts'
import { type ProducerSettings, resolveProducerOptions } from './settings.ts'
import type { TopicQueue } from './topic-queue.ts'
import type {
  Producer,
  ProducerEvents,
  ProducerOptions,
  ProducerRecord,
  RecordMetadata,
} from './types.ts'
import { type Resolve, rejection, type Sink } from './waiters.ts'
import type { WaitingRecord } from './waiting-room.ts'

type AnyRecord = ProducerRecord<string>

/** A record that is not in a batch yet can be taken back. */
type Ticket = { cancel(): boolean }

export function openProducer(core: Core, options?: ProducerOptions): Producer {
  core.throwIfClosed()
  return new CoreProducer(core, resolveProducerOptions(options))
}

class CoreProducer implements Producer {
  readonly #core: Core
  readonly #settings: ProducerSettings
  readonly #events: Events<ProducerEvents>
  readonly #dispatch: Dispatch
  readonly #leave: () => void
  /** The topic of the record before: most records share it. */
  #topic: TopicQueue | undefined
  #closing: Done | undefined

  constructor(core: Core, settings: ProducerSettings) {
    this.#core = core
    this.#settings = settings
    this.#events = new Events<ProducerEvents>(core.logger)
    this.#dispatch = new Dispatch(core, settings, (failed) => {
      if (this.#events.emit('failed', failed)) return
      const { error, ...where } = failed
      core.logger.warn({ ...where, err: error }, 'pushed records failed')
    })
    this.#leave = core.enroll('producer', this)
  }

  // --- records in ----------------------------------------------------------------------------

  send<T extends TopicLike>(
    topic: T,
    record: ProducerRecord<T>,
    wait?: Wait,
  ): Promise<RecordMetadata> {
    if (wait !== undefined) return this.#sendHeld(topic, record as AnyRecord, wait)
    // What is thrown inside rejects.
    return new Promise((resolve) => {
      this.#encodeAndOffer(topic, record as AnyRecord, resolve as Resolve)
    })
  }

  push<T extends TopicLike>(topic: T, record: ProducerRecord<T>): boolean {
    const { account } = this.#dispatch
    if (account.overfull) throw this.#bufferFull(topic)
    const key = encodeKey(topic, record.key)
    const value = encodeValue(topic, record.value)
    if (key instanceof Promise || value instanceof Promise) throw refuseAsync(topic, key, value)
    this.#accept(topic, key, value, record as AnyRecord, undefined, 0)
    return !account.high
  }

  async sendMany<T extends TopicLike>(
    topic: T,
    records: Iterable<ProducerRecord<T>>,
    wait?: Wait,
  ): Promise<RecordMetadata[]> {
    const deadline = this.#deadline('sendMany', wait, undefined)
    const { account } = this.#dispatch
    const results = new Results()
    let slot = 0
    for (const record of records) {
      if (account.high) await deadline.hold(account.drained())
      try {
        const key = encodeKey(topic, record.key)
        const value = encodeValue(topic, record.value)
        const parts =
          key instanceof Promise || value instanceof Promise
            ? await Promise.all([key, value])
            : [key, value]
        this.#accept(
          topic,
          parts[0] as Bytes | null,
          parts[1] as Bytes | null,
          record as AnyRecord,
          results,
          slot,
        )
      } catch (error) {
        if (!isMinikafkaError(error)) throw error
        results.reject(slot, error)
      }
      slot++
    }
    return await deadline.hold(results.all(slot))
  }

  /** `timeoutMs` and `signal` end the wait, not the record: one that is in a batch is still sent. */
  async #sendHeld(topic: TopicLike, record: AnyRecord, wait: Wait): Promise<RecordMetadata> {
    checkOptions<Wait>('producer.send', wait, waitRules)
    wait.signal?.throwIfAborted()
    let ticket: Ticket | undefined
    const sent = new Promise<RecordMetadata>((resolve) => {
      ticket = this.#encodeAndOffer(topic, record, resolve as Resolve)
    })
    try {
      return await withDeadline(this.#core.env.clock, sent, wait, () => {
        const outcome = ticket?.cancel() ? 'not-written' : 'unknown'
        const message = `no acknowledgement within ${wait.timeoutMs} ms; a record in a batch is still sent`
        return new MinikafkaError('TIMED_OUT', { message, topic: nameOf(topic), outcome })
      })
    } finally {
      ticket?.cancel()
    }
  }

  #encodeAndOffer(topic: TopicLike, record: AnyRecord, resolve: Resolve): Ticket | undefined {
    const key = encodeKey(topic, record.key)
    const value = encodeValue(topic, record.value)
    if (key instanceof Promise || value instanceof Promise) {
      return this.#offerLater(topic, Promise.all([key, value]), record, resolve)
    }
    return this.#offer(topic, key, value, record, resolve)
  }

  /** Schemas that check asynchronously may finish in any order: the records of a topic still keep theirs. */
  #offerLater(
    topic: TopicLike,
    parts: Promise<[Bytes | null, Bytes | null]>,
    record: AnyRecord,
    resolve: Resolve,
  ): undefined {
    this.#throwIfClosing()
    parts.catch(() => {})
    const cohort = this.#dispatch.cohort()
    const settle = tracked(cohort, resolve)
    const queue = this.#queue(topic)
    queue.encoding = queue.encoding
      .then(() => parts)
      .then(([key, value]) => {
        this.#offer(topic, key, value, record, settle)
      })
      .catch((error: Error) => settle(rejection(error)))
  }

  /** Takes it, or lets it wait for room. */
  #offer(
    topic: TopicLike,
    key: Bytes | null,
    value: Bytes | null,
    record: AnyRecord,
    resolve: Resolve,
  ): Ticket | undefined {
    if (!this.#dispatch.account.full) {
      const waiting = this.#accept(topic, key, value, record, resolve, 0)
      return waiting === undefined ? undefined : this.#ticket(topic, waiting)
    }
    if (this.#settings.onFull === 'error') throw this.#bufferFull(topic)
    return this.#lineUp(topic, key, value, record, resolve)
  }

  #lineUp(
    topic: TopicLike,
    key: Bytes | null,
    value: Bytes | null,
    record: AnyRecord,
    resolve: Resolve,
  ): Ticket {
    this.#throwIfClosing()
    const { account, turn, alarm } = this.#dispatch
    turn.begin()
    const settle = tracked(this.#dispatch.cohort(), resolve)
    const timed = { ...record, timestamp: record.timestamp ?? turn.wallMs }
    let inside: Ticket | undefined
    const waiting: InLine = {
      sinceMs: turn.monotonicMs,
      enter: () => {
        try {
          const entered = this.#accept(topic, key, value, timed, settle, 0)
          if (entered !== undefined) inside = this.#ticket(topic, entered)
        } catch (error) {
          settle(rejection(error as Error))
        }
      },
      giveUp: (error) => settle(rejection(error)),
    }
    account.wait(waiting)
    alarm.at(waiting.sinceMs + this.#settings.deliveryTimeoutMs)
    return {
      cancel: () => {
        if (!account.leave(waiting)) return inside?.cancel() ?? false
        settle(NEVER)
        return true
      },
    }
  }

  /** The way of every record: into the batch of its partition. */
  #accept(
    topic: TopicLike,
    key: Bytes | null,
    value: Bytes | null,
    record: AnyRecord,
    sink: Sink | undefined,
    slot: number,
  ): WaitingRecord | undefined {
    if (this.#closing !== undefined) this.#throwIfClosing()
    const plain = record.headers === undefined && !hasRecordSubscribers()
    const headers = plain ? undefined : headersOf(nameOf(topic), record)
    if (record.timestamp !== undefined) checkTimestamp(nameOf(topic), record.timestamp)
    this.#dispatch.turn.begin()
    return this.#queue(topic).accept(key, value, headers, record, sink, slot)
  }

  #queue(topic: TopicLike): TopicQueue {
    const name = nameOf(topic)
    const last = this.#topic
    if (last !== undefined && last.name === name && !last.forgotten) return last
    if (typeof name !== 'string' || name === '') {
      throw new MinikafkaError('INVALID_OPTION', {
        message: 'the topic must be a name or a topic()',
      })
    }
    this.#topic = this.#dispatch.topic(name)
    return this.#topic
  }

  #ticket(topic: TopicLike, waiting: WaitingRecord): Ticket {
    const queue = this.#queue(topic)
    return { cancel: () => queue.takeBack(waiting) }
  }

  #bufferFull(topic: TopicLike): MinikafkaError {
    const { bytes } = this.#dispatch.account
    const message = `${bytes} bytes are buffered (maxBufferedBytes is ${this.#settings.maxBufferedBytes}); await drained()`
    return new MinikafkaError('BUFFER_FULL', {
      message,
      topic: nameOf(topic),
      outcome: 'not-written',
    })
  }

  // --- waiting -------------------------------------------------------------------------------

  async drained(wait?: Wait): Done {
    await this.#deadline('drained', wait, undefined).hold(this.#dispatch.account.drained())
  }

  async flush(wait?: Wait): Done {
    const failure = await this.#flush(this.#deadline('flush', wait, undefined))
    if (failure !== undefined) throw failure
  }

  async #flush(deadline: Deadline): Promise<MinikafkaError | undefined> {
    const cohort = this.#dispatch.closeCohort()
    try {
      await deadline.hold(cohort.done)
    } catch (error) {
      cohort.abandoned = true
      throw error
    }
    return cohort.failure
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
    return this.#events.on(event, listener)
  }

  stats(): Record<'bufferedBytes' | 'inFlightBatches' | 'acked' | 'failed' | 'retries', number> {
    return { bufferedBytes: this.#dispatch.account.bytes, ...this.#dispatch.counts }
  }

  // --- the end -------------------------------------------------------------------------------

  close(wait?: Wait): Done {
    this.#closing ??= this.#close(this.#deadline('close', wait, CLOSE_TIMEOUT_MS))
    return this.#closing
  }

  [Symbol.asyncDispose](): Done {
    return this.close()
  }

  async #close(deadline: Deadline): Done {
    try {
      // What failed was told by `send` or `failed`; close() only gives the rest its time.
      await this.#flush(deadline)
    } catch (error) {
      this.#core.logger.debug({ err: error }, 'producer closes with records unacknowledged')
    }
    this.#dispatch.stop(closedError())
    this.#events.clear()
    this.#leave()
  }

  #throwIfClosing(): void {
    if (this.#closing !== undefined) throw closedError()
  }

  #deadline(what: string, wait: Wait | undefined, defaultMs: number | undefined): Deadline {
    checkOptions<Wait>(`producer.${what}`, wait, waitRules)
    wait?.signal?.throwIfAborted()
    return new Deadline(this.#core.env.clock, wait, defaultMs, what)
  }
}

/** For a promise that nobody waits for any more. */
const NEVER = new Promise<never>(() => {})

function nameOf(topic: TopicLike): string {
  return typeof topic === 'string' ? topic : topic?.name
}

/** Counts in `cohort` until it is settled, whichever batch it ends up in. */
function tracked(cohort: Cohort, resolve: Resolve): Resolve {
  cohort.begin()
  return (result) => {
    resolve(result)
    cohort.settle()
  }
}

function headersOf(topic: string, record: AnyRecord): HeaderInput | undefined {
  const headers = record.headers === undefined ? [] : headerPairs(topic, record.headers)
  if (hasRecordSubscribers()) {
    const { key, value } = record
    publishRecord({ topic, key: key ?? null, value, headers })
  }
  return headers.length === 0 ? undefined : headers
}

function checkTimestamp(topic: string, timestamp: number): void {
  if (Number.isSafeInteger(timestamp) && timestamp >= 0) return
  throw new MinikafkaError('INVALID_TIMESTAMP', {
    message: `the timestamp of a record for '${topic}' must be milliseconds since 1970, an integer`,
    topic,
    path: 'timestamp',
    outcome: 'not-written',
  })
}

function refuseAsync(topic: TopicLike, ...parts: unknown[]): MinikafkaError {
  for (const part of parts) if (part instanceof Promise) part.catch(() => {})
  const message = `the schema of '${nameOf(topic)}' checks asynchronously: use send()`
  return new MinikafkaError('SERIALIZATION_FAILED', {
    message,
    topic: nameOf(topic),
    outcome: 'not-written',
  })
}

function closedError(): MinikafkaError {
  return new MinikafkaError('CLOSED', { message: 'the producer is closed' })
}
