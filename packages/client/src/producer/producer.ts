// The producer as its users see it: send, sendMany, push, drained, flush, writable, close.
// Enters: records. Leaves: promises, one per `send`; the rooms behind it see batches.
import { Writable } from 'node:stream'
import { withDeadline } from '@minikafka/platform'
import { isMinikafkaError, MinikafkaError } from '@minikafka/protocol'
import {
  CLOSE_TIMEOUT_MS,
  type Core,
  checkOptions,
  Deadline,
  Events,
  waitRules,
} from '../core/index.ts'
import { type TopicLike, topicName } from '../topic/index.ts'
import type { Done, Wait } from '../words.ts'
import { Admission, type PlainRecord, type Ticket } from './admission.ts'
import { Dispatch } from './dispatch.ts'
import { Results } from './partial-failure.ts'
import { type ProducerSettings, resolveProducerOptions } from './settings.ts'
import type {
  Producer,
  ProducerEvents,
  ProducerOptions,
  ProducerRecord,
  RecordMetadata,
} from './types.ts'
import { type Resolve, rejection } from './waiters.ts'

const FAILURE_LOG_MS = 1000

export function openProducer(core: Core, options?: ProducerOptions): Producer {
  core.throwIfClosed()
  return new CoreProducer(core, resolveProducerOptions(options))
}

class CoreProducer implements Producer {
  readonly #core: Core
  readonly #events: Events<ProducerEvents>
  readonly #dispatch: Dispatch
  readonly #admission: Admission
  readonly #leave: () => void
  /** Of the promise that `send` is making: one executor for all of them saves a closure per record. */
  #resolve: Resolve = () => {}
  readonly #keepResolve = (resolve: (metadata: RecordMetadata) => void) => {
    this.#resolve = resolve as Resolve
  }
  #closing: Done | undefined
  /** Failed pushes that nobody listens to, and are not in the log yet. */
  #unlogged = 0
  #logAtMs = 0

  constructor(core: Core, settings: ProducerSettings) {
    this.#core = core
    this.#events = new Events<ProducerEvents>(core.logger)
    this.#dispatch = new Dispatch(core, settings, (failed) => {
      if (!this.#events.emit('failed', failed)) this.#logFailure(failed)
    })
    this.#admission = new Admission(this.#dispatch)
    this.#leave = core.enroll('producer', this)
  }

  // --- records in ----------------------------------------------------------------------------

  send<T extends TopicLike>(
    topic: T,
    record: ProducerRecord<T>,
    wait?: Wait,
  ): Promise<RecordMetadata> {
    if (wait !== undefined) return this.#sendHeld(topic, record as PlainRecord, wait)
    const promise = new Promise<RecordMetadata>(this.#keepResolve)
    const resolve = this.#resolve
    try {
      if (this.#closing !== undefined) throw closedError()
      this.#admission.send(topic, record as PlainRecord, resolve)
    } catch (error) {
      resolve(rejection(error as Error))
    }
    return promise
  }

  push<T extends TopicLike>(topic: T, record: ProducerRecord<T>): boolean {
    if (this.#closing !== undefined) throw closedError()
    this.#admission.push(topic, record as PlainRecord)
    return !this.#dispatch.account.high
  }

  async sendMany<T extends TopicLike>(
    topic: T,
    records: Iterable<ProducerRecord<T>>,
    wait?: Wait,
  ): Promise<RecordMetadata[]> {
    const deadline = this.#deadline('sendMany', wait, undefined)
    if (this.#closing !== undefined) throw closedError()
    const { account } = this.#dispatch
    const results = new Results()
    let slot = 0
    for (const record of records) {
      let sentMs: number | undefined
      if (account.high) {
        sentMs = this.#admission.now()
        await deadline.hold(account.drained())
      }
      if (this.#closing !== undefined) {
        // The rest of the input is not looked at; what came before keeps its results.
        results.reject(slot++, closedError())
        break
      }
      try {
        const encoding = this.#admission.collect(
          topic,
          record as PlainRecord,
          results,
          slot,
          sentMs,
        )
        if (encoding !== undefined) await encoding
      } catch (error) {
        if (!isMinikafkaError(error)) throw error
        results.reject(slot, error)
      }
      slot++
    }
    return await deadline.hold(results.all(slot))
  }

  /** `timeoutMs` and `signal` end the wait, not the record: one that is in a batch is still sent. */
  async #sendHeld(topic: TopicLike, record: PlainRecord, wait: Wait): Promise<RecordMetadata> {
    checkOptions<Wait>('producer.send', wait, waitRules)
    wait.signal?.throwIfAborted()
    if (this.#closing !== undefined) throw closedError()
    let ticket: Ticket | undefined
    const sent = new Promise<RecordMetadata>((resolve) => {
      ticket = this.#admission.send(topic, record, resolve as Resolve)
    })
    try {
      return await withDeadline(this.#core.env.clock, sent, wait, () => {
        const outcome = ticket?.cancel() ? 'not-written' : 'unknown'
        const message = `no acknowledgement within ${wait.timeoutMs} ms; a record in a batch is still sent`
        return new MinikafkaError('TIMED_OUT', { message, topic: topicName(topic), outcome })
      })
    } finally {
      ticket?.cancel()
    }
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
    checkOptions<Wait>('producer.close', wait, waitRules)
    // An aborted signal is a deadline that has passed: close() still closes, and does not reject.
    const { clock } = this.#core.env
    this.#closing ??= this.#close(new Deadline(clock, wait, CLOSE_TIMEOUT_MS, 'close'))
    return this.#closing
  }

  /** At once, from the client that closes its connections: what is left fails. */
  stop(): void {
    this.#closing ??= Promise.resolve()
    this.#end()
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
    this.#end()
  }

  #end(): void {
    if (this.#dispatch.signal.aborted) return
    this.#dispatch.stop(closedError())
    this.#events.clear()
    this.#leave()
  }

  /** An outage fails batch after batch: a line each second says enough. */
  #logFailure({ error, ...where }: ProducerEvents['failed']): void {
    const nowMs = this.#core.env.clock.monotonicMs()
    this.#unlogged += where.records
    if (nowMs < this.#logAtMs) return
    this.#logAtMs = nowMs + FAILURE_LOG_MS
    const records = this.#unlogged
    this.#unlogged = 0
    this.#core.logger.warn({ ...where, records, err: error }, 'pushed records failed')
  }

  #deadline(what: string, wait: Wait | undefined, defaultMs: number | undefined): Deadline {
    checkOptions<Wait>(`producer.${what}`, wait, waitRules)
    wait?.signal?.throwIfAborted()
    return new Deadline(this.#core.env.clock, wait, defaultMs, what)
  }
}

function closedError(): MinikafkaError {
  return new MinikafkaError('CLOSED', { message: 'the producer is closed', outcome: 'not-written' })
}
