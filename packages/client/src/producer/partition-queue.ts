// One partition of a producer: its open batch, its window, and what becomes of its batches.
// Enters: records, answers, leaders, time. Leaves: batches for the sender of the leader; results to who waits.
import { type HeaderInput, MinikafkaError } from '@minikafka/protocol'
import { knownError } from '../core/index.ts'
import type { Bytes, TopicPartition } from '../words.ts'
import { Accumulator } from './accumulator.ts'
import type { Batch } from './batch.ts'
import { traceSettled } from './channels.ts'
import type { ProducerContext } from './context.ts'
import type { Sender } from './sender.ts'
import { Sequences } from './sequences.ts'
import { Window } from './window.ts'

export type PartitionOptions = TopicPartition & {
  readonly topicId: string
  /** Its open batch is closed: a sticky partitioner moves on. */
  readonly moveOn: (partition: number) => void
}

export class PartitionQueue {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly #context: ProducerContext
  readonly #moveOn: (partition: number) => void
  readonly #accumulator: Accumulator
  readonly #window: Window
  readonly #sequences: Sequences
  #sender: Sender | undefined
  #failures = 0
  /** Grows with each failure that counts. */
  #round = 0
  /** Nothing is sent before; monotonic, 0 = at once. */
  #retryAtMs = 0
  /** Why it waits. */
  #trouble: MinikafkaError | undefined
  /** Its topic is gone: what comes back is not tried again. */
  #abandoned: MinikafkaError | undefined

  constructor(context: ProducerContext, { topic, topicId, partition, moveOn }: PartitionOptions) {
    this.#context = context
    this.topic = topic
    this.topicId = topicId
    this.partition = partition
    this.#moveOn = moveOn
    this.#window = new Window(context.settings.maxInFlight)
    this.#sequences = new Sequences(context.settings.idempotent ? context.identity : undefined)
    this.#accumulator = new Accumulator(context, this, {
      opened: (batch) => this.#opened(batch),
      closed: (batch) => this.#closed(batch),
      filled: () => this.#sender?.pump(),
      dropped: (batch) => this.#settle(batch),
    })
  }

  get sender(): Sender | undefined {
    return this.#sender
  }

  get idle(): boolean {
    return this.#accumulator.open === undefined && this.#window.empty
  }

  // --- records in ----------------------------------------------------------------------------

  /** As `Accumulator.append`. */
  append(
    timestamp: number,
    key: Bytes | null,
    value: Bytes | null,
    headers: HeaderInput | undefined,
  ): Batch {
    return this.#accumulator.append(timestamp, key, value, headers)
  }

  /**
   * A record waited elsewhere before it joined `batch`, which is as old as its oldest record then: no promise is kept
   * longer than said.
   */
  joinedLate(batch: Batch, sentMs: number): void {
    if (sentMs >= batch.sentMs) return
    batch.sentMs = sentMs
    this.#context.alarm.at(sentMs + this.#context.settings.deliveryTimeoutMs)
  }

  /** Monotonic time since which the open batch waits; undefined without one. */
  get openSinceMs(): number | undefined {
    return this.#accumulator.open?.sinceMs
  }

  closeOpen(): void {
    this.#accumulator.close()
  }

  #opened(batch: Batch): void {
    const { busy, alarm, settings } = this.#context
    busy.add(this)
    // What failed is past, and so is the delay after it: new trouble begins with a short one.
    if (this.#window.empty && this.#retryAtMs <= batch.sinceMs) this.#failures = 0
    alarm.at(batch.sinceMs + settings.deliveryTimeoutMs)
    // It rang while this partition was idle: then nobody looked at it.
    if (this.#retryAtMs > 0) alarm.at(this.#retryAtMs)
    if (this.#sender === undefined) this.#awaitLeader()
    else this.#sender.opened(this)
  }

  #closed(batch: Batch): void {
    this.#window.add(batch)
    this.#sender?.closed(this)
    this.#moveOn(this.partition)
  }

  // --- batches out ---------------------------------------------------------------------------

  /** The open batch, closed now, could be sent now. */
  hasRoom(nowMs: number): boolean {
    const order = this.#accumulator.open?.order
    if (order === undefined || nowMs < this.#retryAtMs) return false
    return this.#window.hasRoom(order) && (!this.#sequences.lost || this.#renewed())
  }

  /** The batch that may be sent now, undefined where none may. It stays here until `take`. */
  next(nowMs: number): Batch | undefined {
    if (nowMs < this.#retryAtMs) return undefined
    if (this.#sequences.lost) {
      const tainted = this.#tainted()
      if (tainted !== undefined) return this.#window.mayGo(tainted) ? tainted : undefined
      if (!this.#renewed()) return undefined
    }
    return this.#window.next()
  }

  /** What may be in the log is tried again in its own epoch; the rest goes on in the next one. */
  #renewed(): boolean {
    return this.#tainted() === undefined && this.#sequences.renew(this.#window)
  }

  #tainted(): Batch | undefined {
    return this.#window.queue.find((batch) => batch.tainted)
  }

  /** Hands a batch to the sender, sealed. False where it cannot be sealed: then it has failed. */
  take(batch: Batch): boolean {
    try {
      if (!batch.isSealed) this.#seal(batch)
    } catch (error) {
      // Its sequence was taken, and will never be filled.
      this.#sequences.lose()
      this.#fail(batch, knownError(error, 'compressing a batch', 'not-written'))
      return false
    }
    batch.round = this.#round
    this.#window.depart(batch)
    this.#context.counts.inFlightBatches++
    return true
  }

  /** Its bytes are not lent any more: where it came back before, it may be stamped anew and sent now. */
  returned(batch: Batch): void {
    if (!this.#window.queue.includes(batch)) return
    this.#sender?.consider(this)
    this.#sender?.wake()
  }

  #seal(batch: Batch): void {
    const { core, settings, account } = this.#context
    const stamp = this.#sequences.take(batch.recordCount)
    batch.seal(core.env.compress, settings.compression, stamp)
    const saved = batch.chargedBytes - batch.bytes.length
    if (settings.compression === 'none' || saved <= 0) return
    batch.chargedBytes -= saved
    account.release(saved)
  }

  // --- what became of a batch ----------------------------------------------------------------

  /** `baseOffset` undefined: nobody said (acks 0). `appendTimeMs` -1: the records keep their own times. */
  acknowledged(batch: Batch, baseOffset: number | undefined, appendTimeMs: number): void {
    this.#landed(batch)
    this.#failures = 0
    this.#trouble = undefined
    if (batch.settled) return
    this.#context.counts.acked += batch.recordCount
    traceSettled(batch, { baseOffset })
    batch.waiters.resolve(this, baseOffset, appendTimeMs)
    this.#settle(batch)
  }

  /**
   * An attempt failed: the batch is tried again, or fails.
   *
   * Shape   `written`: it may be in the log all the same. `atOnce`: a leader is known, no need to wait.
   */
  attemptFailed(
    batch: Batch,
    error: MinikafkaError,
    { written, atOnce }: { readonly written: boolean; readonly atOnce: boolean },
  ): void {
    this.#landed(batch)
    if (written) batch.tainted = true
    batch.lastError = error
    // The topic's limit was lowered: later batches keep to it.
    if (error.name === 'MESSAGE_TOO_LARGE') this.#refresh(error)
    if (batch.settled) return
    const first = !this.#window.hasEarlier(batch, this.#sequences.lost)
    if (this.#abandoned !== undefined) this.#fail(batch, this.#abandoned)
    else if (this.#mayRetry(batch, error, first)) {
      this.#context.counts.retries++
      this.#window.requeue(batch)
      this.#context.busy.add(this)
      if (!batch.outOfOrder) this.#delayRound(batch, error, atOnce)
    } else this.#fail(batch, error)
  }

  #mayRetry(batch: Batch, error: MinikafkaError, first: boolean): boolean {
    const aboutSequence =
      error.name === 'OUT_OF_ORDER_SEQUENCE_NUMBER' || error.name === 'UNKNOWN_PRODUCER_ID'
    if (!aboutSequence || !this.#sequences.idempotent) return error.retriable
    // One before it is missing, and may still come.
    batch.outOfOrder = !first
    if (!first) return true
    this.#sequences.lose()
    return !batch.tainted
  }

  /** The sender has no connection: everything waits. */
  blocked(error: MinikafkaError): void {
    this.#delay(error, false)
  }

  /** Fails what was not acknowledged in time, and says when the next one is due. */
  expire(nowMs: number): number | undefined {
    let nextMs = Number.POSITIVE_INFINITY
    for (const batch of this.#unsettled()) {
      const dueMs = batch.sentMs + this.#context.settings.deliveryTimeoutMs
      if (dueMs > nowMs) nextMs = Math.min(nextMs, dueMs)
      else if (!batch.settled) this.#fail(batch, this.#timedOut(batch))
    }
    return nextMs === Number.POSITIVE_INFINITY ? undefined : nextMs
  }

  /** The topic is gone: what is not in flight fails now, the rest when it comes back. */
  abandon(error: MinikafkaError): void {
    this.#abandoned = error
    this.#sender?.leave(this)
    this.#sender = undefined
    for (const batch of [...this.#window.queue, ...this.#openBatch()]) this.#fail(batch, error)
  }

  /** There is no epoch to be had. What needs none, for it goes on in its own, is left alone. */
  identityRefused(error: MinikafkaError): void {
    if (!this.#sequences.needsEpoch) return
    for (const batch of [...this.#window.queue, ...this.#openBatch()]) {
      if (!batch.tainted) this.#fail(batch, error)
    }
  }

  /** Fails everything: the producer closes, or can never send. */
  failAll(error: MinikafkaError): void {
    for (const batch of this.#unsettled()) if (!batch.settled) this.#fail(batch, error)
  }

  /** As they are now: who is told of a failure may send, or close, at once. */
  #unsettled(): Batch[] {
    const { queue, inFlight } = this.#window
    return [...inFlight, ...queue, ...this.#openBatch()].filter(({ settled }) => !settled)
  }

  #openBatch(): Batch[] {
    const { open } = this.#accumulator
    return open === undefined ? [] : [open]
  }

  #fail(batch: Batch, error: MinikafkaError): void {
    const failed = this.#withOutcome(error, batch)
    // Its sequence will never be filled.
    if (batch.isSealed) this.#sequences.lose()
    this.#context.counts.failed += batch.recordCount
    traceSettled(batch, { error: failed })
    batch.waiters.reject(failed)
    const { pushed: records, cohorts } = batch
    if (records > 0) {
      const { topic, partition } = this
      this.#context.pushFailed({ topic, partition, error: failed, records }, cohorts)
    }
    this.#settle(batch)
  }

  /** The joined outcome of all attempts (CLIENT 2.7), and where it happened. */
  #withOutcome(error: MinikafkaError, batch: Batch): MinikafkaError {
    const unknown = batch.tainted || this.#window.inFlight.includes(batch)
    const { topic, partition } = this
    const { message, path, details } = error
    const outcome = unknown ? 'unknown' : 'not-written'
    const cause = error.cause === undefined ? {} : { cause: error.cause }
    const fields = { message, topic, partition, outcome, path, details } as const
    return new MinikafkaError(error.name, fields, cause)
  }

  #timedOut(batch: Batch): MinikafkaError {
    const cause = this.#whyNot(batch)
    const why = cause === undefined ? '' : `: ${cause.message}`
    const message = `not acknowledged within ${this.#context.settings.deliveryTimeoutMs} ms${why}`
    return new MinikafkaError(
      'DELIVERY_TIMED_OUT',
      { message },
      cause === undefined ? {} : { cause },
    )
  }

  /** What may be written waits for an answer; what needs an epoch, for that; the rest for its partition. */
  #whyNot(batch: Batch): MinikafkaError | undefined {
    const { identity } = this.#context
    if (batch.tainted) return batch.lastError
    const noEpoch = this.#sequences.needsEpoch ? identity.trouble() : undefined
    return noEpoch ?? batch.lastError ?? this.#trouble
  }

  #settle(batch: Batch): void {
    this.#window.drop(batch)
    if (this.#accumulator.open === batch) this.#accumulator.discard()
    if (this.#accumulator.open === undefined) this.#sender?.emptied(this)
    batch.settle()
    this.#context.account.release(batch.chargedBytes)
    if (this.idle) this.#context.busy.delete(this)
  }

  #landed(batch: Batch): void {
    this.#window.land(batch)
    this.#context.counts.inFlightBatches--
    if (this.idle) this.#context.busy.delete(this)
  }

  // --- leaders and delays --------------------------------------------------------------------

  /** What Metadata says of it; without a sender there is no leader. */
  lead(sender: Sender | undefined, maxMessageBytes: number): void {
    this.#accumulator.maxMessageBytes = maxMessageBytes
    if (sender === this.#sender) return
    this.#sender?.leave(this)
    this.#sender = sender
    this.#retryAtMs = 0
    if (sender === undefined) this.#awaitLeader()
    else {
      if (this.#accumulator.open !== undefined) sender.opened(this)
      if (this.#window.queue.length > 0) sender.consider(this)
      sender.wake()
    }
  }

  /** Time has come for what waited; returns when it comes next, if it does. */
  retry(nowMs: number): number | undefined {
    if (this.#retryAtMs > nowMs) return this.#retryAtMs
    if (this.#retryAtMs === 0) return undefined
    this.#retryAtMs = 0
    if (this.#sender === undefined) this.#awaitLeader()
    else this.#sender.consider(this)
    return undefined
  }

  #awaitLeader(): void {
    if (this.idle || this.#abandoned !== undefined || this.#retryAtMs > 0) return
    const { topic, partition } = this
    const message = `partition ${partition} of '${topic}' has no leader`
    this.#delay(new MinikafkaError('LEADER_NOT_AVAILABLE', { topic, partition, message }), false)
  }

  /** Batches that were under way together fail together: one delay, one step of the back-off. */
  #delayRound(batch: Batch, error: MinikafkaError, atOnce: boolean): void {
    if (batch.round !== this.#round) return
    this.#round++
    this.#delay(error, atOnce)
  }

  #delay(error: MinikafkaError, atOnce: boolean): void {
    const { core, alarm } = this.#context
    this.#trouble = error
    this.#failures++
    this.#refresh(error)
    // A hint that keeps being wrong is no reason to hurry.
    if (atOnce && this.#failures <= 2) return
    this.#retryAtMs = core.env.clock.monotonicMs() + core.backoffMs(this.#failures)
    alarm.at(this.#retryAtMs)
  }

  #refresh(error: MinikafkaError): void {
    void this.#context.core.metadata.refresh(error.name, [this.topic])
  }
}
