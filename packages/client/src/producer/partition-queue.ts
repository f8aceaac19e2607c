// The batches of one partition: one open, some closed, at most `maxInFlight` unacknowledged, in order of sequence.
// Enters: records. Leaves: batches for the sender of the leader, and what became of them.
import { assert } from '@minikafka/platform'
import { BATCH_HEADER_SIZE, BatchWriter, type HeaderInput, MinikafkaError } from '@minikafka/protocol'
import type { Bytes } from '../words.ts'
import { Batch, NO_STAMP, type ProducerStamp } from './batch.ts'
import type { ProducerContext } from './context.ts'
import type { ProducerEpoch } from './identity.ts'
import type { Sender } from './sender.ts'
import { rejectSinks, resolveSinks } from './settle.ts'

/** After 2^31 - 1 comes 0. */
const SEQUENCES = 2 ** 31

export type PartitionOptions = {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  /** Its open batch is closed: a sticky partitioner moves on. */
  readonly closed: (partition: number) => void
}

export class PartitionQueue {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly #context: ProducerContext
  readonly #closed: (partition: number) => void
  #maxMessageBytes = 0
  #sender: Sender | undefined
  #open: Batch | undefined
  /** Closed and not in flight. Invariant: `order` ascends. */
  #queue: Batch[] = []
  /** Invariant: those here and those attempted in the queue are at most `maxInFlight`. */
  #inFlight: Batch[] = []
  #order = 0
  /** Size of the batch before: the next one begins with a buffer for as much. */
  #lastBytes = 0
  /** Of the batches that have a sequence; undefined before the first. */
  #epoch: ProducerEpoch | undefined
  #sequence = 0
  /** A sequence was lost: go on in a new epoch, once everything of this one is settled. */
  #needsEpoch = false
  #failures = 0
  /** Nothing is sent before; monotonic, 0 = at once. */
  #retryAtMs = 0
  #trouble: MinikafkaError | undefined
  /** Its topic is gone: what comes back is not tried again. */
  #abandoned: MinikafkaError | undefined

  constructor(context: ProducerContext, options: PartitionOptions) {
    this.#context = context
    this.topic = options.topic
    this.topicId = options.topicId
    this.partition = options.partition
    this.#closed = options.closed
  }

  get sender(): Sender | undefined {
    return this.#sender
  }

  get idle(): boolean {
    return this.#open === undefined && this.#queue.length === 0 && this.#inFlight.length === 0
  }

  // --- records in ----------------------------------------------------------------------------

  /**
   * Writes one record into the open batch, and returns that batch: its last record is this one.
   *
   * Errors  MESSAGE_TOO_LARGE: it does not fit into a batch of the topic.
   */
  append(timestamp: number, key: Bytes | null, value: Bytes | null, headers: HeaderInput | undefined): Batch {
    const open = this.#open
    if (open !== undefined) {
      const before = open.writer.sizeBytes
      if (open.writer.tryAppend(timestamp, key, value, headers)) {
        this.#charge(open, open.writer.sizeBytes - before)
        return open
      }
    }
    return this.#appendElsewhere(timestamp, key, value, headers)
  }

  /** The open batch is full, too small, or not there. */
  #appendElsewhere(
    timestamp: number,
    key: Bytes | null,
    value: Bytes | null,
    headers: HeaderInput | undefined,
  ): Batch {
    const sizeMax = BatchWriter.recordSizeMax(key, value, headers)
    const batchBytesMax = Math.min(this.#context.settings.maxBatchBytes, this.#maxMessageBytes)
    if (sizeMax > batchBytesMax) return this.#appendAlone(sizeMax, timestamp, key, value, headers)
    const needed = (this.#open?.writer.sizeBytes ?? 0) + sizeMax - BATCH_HEADER_SIZE
    if (needed <= batchBytesMax) this.#open?.grow(needed, batchBytesMax)
    else this.#closeFull()
    const size = Math.min(batchBytesMax, Math.max(this.#lastBytes, sizeMax))
    const batch = this.#open ?? this.#begin(size, batchBytesMax)
    const before = batch.recordCount === 0 ? 0 : batch.writer.sizeBytes
    assert(batch.writer.tryAppend(timestamp, key, value, headers), 'a record fits into the buffer made for it')
    this.#charge(batch, batch.writer.sizeBytes - before)
    return batch
  }

  /** A record larger than a batch goes alone, up to max.message.bytes of the topic. */
  #appendAlone(
    sizeMax: number,
    timestamp: number,
    key: Bytes | null,
    value: Bytes | null,
    headers: HeaderInput | undefined,
  ): Batch {
    const max = this.#maxMessageBytes
    // `sizeMax` counts each varint at its longest: only what is beyond that is surely too large.
    const slack = 64 + 10 * (headers?.length ?? 0)
    if (sizeMax - slack > max) throw this.#tooLarge(sizeMax - slack)
    this.#closeFull()
    const batch = this.#begin(sizeMax, sizeMax)
    // Nothing fits behind it, but whoever waits for it must have joined before it goes: the next record closes it.
    assert(batch.writer.tryAppend(timestamp, key, value, headers), 'a record fits into the buffer made for it')
    const { sizeBytes } = batch.writer
    if (sizeBytes > max) {
      this.#settle(batch)
      throw this.#tooLarge(sizeBytes)
    }
    this.#charge(batch, sizeBytes)
    return batch
  }

  #tooLarge(size: number): MinikafkaError {
    const max = this.#maxMessageBytes
    return new MinikafkaError('MESSAGE_TOO_LARGE', {
      message: `a record of ${size} bytes is above max.message.bytes (${max}) of '${this.topic}'`,
      topic: this.topic,
      partition: this.partition,
      outcome: 'not-written',
      details: { max },
    })
  }

  #begin(size: number, batchBytesMax: number): Batch {
    const { pool, turn, busy, alarm, settings } = this.#context
    const place = { order: this.#order++, sinceMs: turn.monotonicMs, cohort: this.#context.cohort() }
    const batch = new Batch(pool, pool.take(size), batchBytesMax, place)
    this.#open = batch
    busy.add(this)
    alarm.at(place.sinceMs + settings.deliveryTimeoutMs)
    if (this.#sender === undefined) this.#leaderless()
    else this.#sender.opened(this)
    return batch
  }

  #charge(batch: Batch, bytes: number): void {
    batch.chargedBytes += bytes
    this.#context.account.add(bytes)
  }

  // --- sealing and sending -------------------------------------------------------------------

  /** Monotonic time since which the open batch waits; undefined without one. */
  get openSinceMs(): number | undefined {
    return this.#open?.sinceMs
  }

  /** A batch closed now could be sent now. */
  hasRoom(nowMs: number): boolean {
    return (
      this.#queue.length === 0 &&
      this.#inFlight.length < this.#context.settings.maxInFlight &&
      nowMs >= this.#retryAtMs &&
      !this.#needsEpoch
    )
  }

  /** No more records join the open batch. */
  closeOpen(): void {
    const open = this.#open
    if (open === undefined) return
    this.#open = undefined
    this.#lastBytes = Math.min(open.writer.sizeBytes, this.#context.settings.maxBatchBytes)
    this.#queue.push(open)
    this.#sender?.closed(this)
    this.#closed(this.partition)
  }

  #closeFull(): void {
    if (this.#open === undefined) return
    this.closeOpen()
    this.#sender?.pump()
  }

  /** The batch that may be sent now, undefined where nothing may. It stays here until `take`. */
  next(nowMs: number): Batch | undefined {
    const head = this.#queue[0]
    if (head === undefined || nowMs < this.#retryAtMs) return undefined
    if (this.#needsEpoch) return this.#nextBetweenEpochs(nowMs)
    if (head.attempts > 0) return this.#mayGo(head) ? head : undefined
    return this.#unacknowledged < this.#context.settings.maxInFlight ? head : undefined
  }

  /** Hands a batch to the sender, sealed. */
  take(batch: Batch): void {
    this.#queue.splice(this.#queue.indexOf(batch), 1)
    if (!batch.isSealed) this.#seal(batch)
    batch.attempts++
    batch.outOfOrder = false
    this.#inFlight.push(batch)
    this.#context.counts.inFlightBatches++
    assert(this.#unacknowledged <= this.#context.settings.maxInFlight, 'the window per partition holds')
  }

  get #unacknowledged(): number {
    let count = this.#inFlight.length
    for (const batch of this.#queue) {
      if (batch.attempts === 0) break
      count++
    }
    return count
  }

  #seal(batch: Batch): void {
    const { core, settings, account } = this.#context
    batch.seal(core.env.compress, settings.compression, this.#stamp(batch.recordCount))
    const saved = batch.chargedBytes - batch.bytes.length
    if (settings.compression !== 'none' && saved > 0) {
      batch.chargedBytes -= saved
      account.release(saved)
    }
  }

  #stamp(records: number): ProducerStamp {
    if (!this.#context.settings.idempotent) return NO_STAMP
    this.#epoch ??= this.#context.identity.now()
    assert(this.#epoch !== undefined, 'batches are sealed once there is a producer id')
    const { producerId, epoch: producerEpoch } = this.#epoch
    const stamp = { producerId, producerEpoch, sequence: this.#sequence }
    this.#sequence = (this.#sequence + records) % SEQUENCES
    return stamp
  }

  /** A batch that an earlier one must precede waits until that one is settled. */
  #mayGo(batch: Batch): boolean {
    return !batch.outOfOrder || !this.#inFlight.some(({ order }) => order < batch.order)
  }

  /**
   * A sequence was lost. What may be in the log is tried again in its own epoch and never in another; only when
   * nothing of the old epoch is open any more, the rest goes on in the new one (REPLICATION 2.10).
   */
  #nextBetweenEpochs(nowMs: number): Batch | undefined {
    const tainted = this.#queue.find((batch) => batch.tainted)
    if (tainted !== undefined) return this.#mayGo(tainted) ? tainted : undefined
    if (this.#inFlight.length > 0 || this.#queue.some((batch) => batch.isLent)) return undefined
    const former = this.#epoch
    const epoch = former === undefined ? undefined : this.#context.identity.after(former)
    if (epoch === undefined) return undefined
    this.#epoch = epoch
    this.#sequence = 0
    this.#needsEpoch = false
    for (const batch of this.#queue) if (batch.isSealed) batch.restamp(this.#stamp(batch.recordCount))
    return this.next(nowMs)
  }

  // --- what became of a batch ----------------------------------------------------------------

  /** `baseOffset` undefined: nobody said (acks 0). */
  acknowledged(batch: Batch, baseOffset: number | undefined, appendTimeMs: number): void {
    this.#landed(batch)
    if (batch.settled) return
    this.#failures = 0
    this.#trouble = undefined
    this.#context.counts.acked += batch.recordCount
    resolveSinks(batch, this, baseOffset, appendTimeMs)
    this.#settle(batch)
  }

  /**
   * An attempt failed.
   *
   * Shape   `written`: the batch may be in the log all the same. `atOnce`: a leader is known, try it now.
   */
  attemptFailed(batch: Batch, error: MinikafkaError, options: { written: boolean; atOnce: boolean }): void {
    this.#landed(batch)
    if (options.written) batch.tainted = true
    batch.lastError = error
    if (batch.settled) return
    if (this.#abandoned !== undefined) return this.#fail(batch, this.#abandoned)
    const first = !this.#hasEarlier(batch)
    if (!this.#mayRetry(batch, error, first)) return this.#fail(batch, error)
    this.#context.counts.retries++
    this.#requeue(batch)
    if (first) this.#delay(error, options.atOnce)
  }

  /** The sender has no connection: everything waits. */
  blocked(error: MinikafkaError): void {
    this.#delay(error, false)
  }

  /** Fails what was not acknowledged in time, and says when the next one is due. */
  expire(nowMs: number): number | undefined {
    for (;;) {
      const oldest = this.#oldest()
      if (oldest === undefined) return undefined
      const dueMs = oldest.sinceMs + this.#context.settings.deliveryTimeoutMs
      if (dueMs > nowMs) return dueMs
      this.#fail(oldest, this.#timedOut(oldest))
    }
  }

  /** The topic is gone: what is not in flight fails now, the rest when it comes back. */
  abandon(error: MinikafkaError): void {
    this.#abandoned = error
    this.#sender?.leave(this)
    this.#sender = undefined
    const open = this.#open
    for (const batch of [...this.#queue, ...(open === undefined ? [] : [open])]) this.#fail(batch, error)
  }

  /** Fails everything, in flight or not: the producer closes, or can never send. */
  failAll(error: MinikafkaError): void {
    const open = this.#open === undefined ? [] : [this.#open]
    for (const batch of [...this.#inFlight, ...this.#queue, ...open]) this.#fail(batch, error)
  }

  #mayRetry(batch: Batch, error: MinikafkaError, first: boolean): boolean {
    if (error.name !== 'OUT_OF_ORDER_SEQUENCE_NUMBER' && error.name !== 'UNKNOWN_PRODUCER_ID') {
      return error.retriable
    }
    if (!this.#context.settings.idempotent) return false
    if (!first) {
      // The one before it is missing: it may still come.
      batch.outOfOrder = true
      return true
    }
    this.#needsEpoch = true
    return !batch.tainted
  }

  #fail(batch: Batch, error: MinikafkaError): void {
    const failed = this.#withOutcome(error, batch)
    // Its sequence will never be filled: the next ones need an epoch of their own.
    if (batch.isSealed && this.#context.settings.idempotent) this.#needsEpoch = true
    this.#context.counts.failed += batch.recordCount
    const { pushed, cohorts } = batch
    rejectSinks(batch, failed)
    this.#settle(batch)
    if (pushed === 0) return
    const { topic, partition } = this
    this.#context.pushFailed({ topic, partition, error: failed, records: pushed }, cohorts)
  }

  #settle(batch: Batch): void {
    remove(this.#queue, batch)
    if (this.#open === batch) {
      this.#open = undefined
      this.#sender?.emptied(this)
      this.#closed(this.partition)
    }
    batch.settle()
    this.#context.account.release(batch.chargedBytes)
    if (this.idle) this.#context.busy.delete(this)
  }

  /** An attempt is over. */
  #landed(batch: Batch): void {
    if (remove(this.#inFlight, batch)) this.#context.counts.inFlightBatches--
    if (this.idle) this.#context.busy.delete(this)
  }

  #requeue(batch: Batch): void {
    const index = this.#queue.findIndex(({ order }) => order > batch.order)
    this.#queue.splice(index === -1 ? this.#queue.length : index, 0, batch)
    this.#context.busy.add(this)
  }

  #hasEarlier(batch: Batch): boolean {
    const earlier = ({ order, attempts }: Batch) => order < batch.order && attempts > 0
    return this.#inFlight.some((other) => !other.settled && earlier(other)) || this.#queue.some(earlier)
  }

  #oldest(): Batch | undefined {
    let oldest = this.#queue[0] ?? this.#open
    for (const batch of this.#inFlight) {
      if (!batch.settled && (oldest === undefined || batch.order < oldest.order)) oldest = batch
    }
    return oldest
  }

  /** The joined outcome of all attempts (CLIENT 2.7), and where it happened. */
  #withOutcome(error: MinikafkaError, batch: Batch): MinikafkaError {
    const outcome = batch.tainted || this.#inFlight.includes(batch) ? 'unknown' : 'not-written'
    const { topic, partition } = this
    const { message, path, details } = error
    const cause = error.cause === undefined ? {} : { cause: error.cause }
    return new MinikafkaError(error.name, { message, topic, partition, outcome, path, details }, cause)
  }

  #timedOut(batch: Batch): MinikafkaError {
    const cause = batch.lastError ?? this.#trouble
    const why = cause === undefined ? '' : `: ${cause.message}`
    const { deliveryTimeoutMs } = this.#context.settings
    const message = `not acknowledged within ${deliveryTimeoutMs} ms${why}`
    return new MinikafkaError('DELIVERY_TIMED_OUT', { message }, cause === undefined ? {} : { cause })
  }

  // --- leaders and delays --------------------------------------------------------------------

  /** What Metadata says of it: undefined = no leader. */
  lead(sender: Sender | undefined, maxMessageBytes: number): void {
    this.#maxMessageBytes = maxMessageBytes
    if (sender === this.#sender) return
    this.#sender?.leave(this)
    this.#sender = sender
    if (sender === undefined) return this.#leaderless()
    this.#retryAtMs = 0
    if (this.#open !== undefined) sender.opened(this)
    if (this.#queue.length > 0) sender.consider(this)
    sender.wake()
  }

  /** Time has come for what waited; returns when it comes next, if it does. */
  retry(nowMs: number): number | undefined {
    if (this.#retryAtMs > nowMs) return this.#retryAtMs
    if (this.#retryAtMs === 0) return undefined
    this.#retryAtMs = 0
    if (this.#sender === undefined) return this.#leaderless()
    this.#sender.consider(this)
    return undefined
  }

  #leaderless(): undefined {
    if (this.idle || this.#abandoned !== undefined || this.#retryAtMs > 0) return
    const { topic, partition } = this
    const message = `partition ${partition} of '${topic}' has no leader`
    this.#delay(new MinikafkaError('LEADER_NOT_AVAILABLE', { topic, partition, message }), false)
  }

  #delay(error: MinikafkaError, atOnce: boolean): void {
    const { core, alarm } = this.#context
    this.#trouble = error
    this.#failures++
    void core.metadata.refresh(error.name, [this.topic])
    // A hint that keeps being wrong is no reason to hurry.
    if (atOnce && this.#failures <= 2) return
    this.#retryAtMs = core.env.clock.monotonicMs() + core.backoffMs(this.#failures)
    alarm.at(this.#retryAtMs)
  }
}

function remove(list: Batch[], batch: Batch): boolean {
  const index = list.indexOf(batch)
  if (index === -1) return false
  list.splice(index, 1)
  return true
}
