// One partition as its reader sees it: where it stands, what is ready to hand out, what is wrong with it.
// Enters: blobs of the fetcher. Leaves: decoded records, in order, batch by batch.
import { setMaxListeners } from 'node:events'
import type { Compress } from '@minikafka/platform'
import {
  type BatchReader,
  batchBaseOffsetAt,
  batchLastOffsetAt,
  MinikafkaError,
} from '@minikafka/protocol'
import type { TopicLike } from '../topic/index.ts'
import { Acks } from './acks.ts'
import { type Broken, Decoder } from './decoder.ts'
import { EpochSteps } from './epoch-steps.ts'
import { type Answer, Inbox, type Missing } from './inbox.ts'
import { type FetchedRecord, RecordBatch } from './record.ts'
import type { FeedStart } from './settings.ts'

/** The batch that is being decoded. */
type Opened = { readonly reader: BatchReader; readonly batch: RecordBatch }

/** Who has records of a feed in hand: a reading mode. */
export type Hands = {
  /** Offset of the first record in hand that is not finished; undefined: there is none. */
  firstUnfinished(feed: Feed): number | undefined
  /** The feed is no longer read: what is in hand of it is past. */
  dropped?(feed: Feed): void
}

export class Feed {
  readonly topic: string
  readonly partition: number
  /** Of the topic that its records come from; empty until metadata said so. */
  topicId = ''

  // --- where: the fetcher and those who seek write this
  /** Grows with every move, whoever makes it: answers and promises of the time before are dropped. */
  generation = 0
  /** Grows where the reader is sent elsewhere: what it has in hand is past, and is not handed out (again). */
  readGeneration = 0
  /** What the reader wants first; undefined once it is an offset. */
  start: FeedStart | undefined
  /** Next offset to ask the broker for; -1 until `start` is resolved. */
  fetchOffset = -1
  /** Leader epoch of the last batch taken, for the broker's check of divergence (KIP-320). */
  lastEpoch = -1
  /** A batch that came with a wrong CRC, for the broker to look at: told once, with the next fetch; -1: none. */
  suspectOffset = -1
  /** The end as the last answer told it: high watermark, or last stable offset. */
  end = -1

  // --- whether: who may hand out, who may fetch
  /** By the user. */
  paused = false
  /** By run(): its order lets nothing more of this partition out just now. */
  held = false
  /** By the group: not begun yet, or about to be given up. */
  withheld = false
  /** By a codec or a policy that takes its time. */
  busy = false
  /** Not asked for before this moment: something went wrong, so many times in a row. */
  notBeforeMs = 0
  failures = 0
  /** Since when it leaves the fetches, for it is paused or has its share. */
  outSinceMs: number | undefined
  bufferedBytes = 0

  // --- what: whoever reads writes `index`
  /** Records decoded, and the next of them to hand out. */
  records: FetchedRecord[] = []
  index = 0
  /** Behind those records: one that cannot be decoded, and how often that was tried. */
  broken: Broken | undefined
  attempts = 0
  /** Behind all that was fetched: why no more comes. */
  failure: MinikafkaError | undefined
  /** Handed out, and the reader is not done with it. */
  unfinished = 0
  hands: Hands | undefined
  /** What the group has kept last, as far as this reader knows: the next offset; -1: nothing. */
  committed = -1

  readonly #compress: Compress
  readonly #decoder: Decoder
  readonly #inbox: Inbox
  readonly #epochs = new EpochSteps()
  readonly #acks = new Acks()
  readonly #onAck: () => void
  #opened: Opened | undefined
  /** Of `bufferedBytes`: batches whose records are in `records`. */
  #openedBytes = 0
  /** Before `records`, and after them. */
  #from = -1
  #after = -1
  #controller: AbortController | undefined

  constructor(
    compress: Compress,
    options: {
      readonly topic: TopicLike
      readonly partition: number
      readonly start: FeedStart
      /** A record is acked, or a feed that is withheld has nothing in hand any more. */
      readonly onAck: () => void
    },
  ) {
    const { topic, partition, start } = options
    this.topic = typeof topic === 'string' ? topic : topic.name
    this.partition = partition
    this.start = start
    this.#compress = compress
    this.#decoder = new Decoder(topic)
    this.#inbox = new Inbox(compress)
    this.#onAck = options.onAck
  }

  get key(): string {
    return `${this.topic}-${this.partition}`
  }

  /**
   * Offset after the last record handed out, or where reading goes on if that is known to be elsewhere, whether
   * anybody asks for more or not; -1 until it is known where to begin.
   */
  get position(): number {
    const isAllRead = this.index === this.records.length && this.broken === undefined
    const jump = isAllRead && this.#opened === undefined ? this.#inbox.jump : undefined
    return jump ?? this.#handedTo
  }

  get #handedTo(): number {
    const last = this.records[this.index - 1]
    if (last === undefined) return this.#from
    return this.index < this.records.length ? last.offset + 1 : this.#after
  }

  /** Everything below is finished, and nothing from here on may be committed; -1 until it is known where to begin. */
  get finishedTo(): number {
    return this.hands?.firstUnfinished(this) ?? this.position
  }

  /** Leader epoch of the record before `offset`; -1 where that was not read here. */
  epochBefore(offset: number): number {
    return offset > this.#after ? -1 : this.#epochs.before(offset)
  }

  /** Something may be handed out, or complained of. */
  get ready(): boolean {
    if (this.paused || this.held || this.withheld || this.busy) return false
    if (this.index < this.records.length || this.broken !== undefined) return true
    return this.#opened !== undefined || !this.#inbox.isEmpty || this.failure !== undefined
  }

  // --- in ----------------------------------------------------------------------------------

  /** Takes an answer's blobs. Errors: CORRUPT_MESSAGE where they are no batches, or not those asked for. */
  take(answer: Answer): void {
    const { sizeBytes, nextOffset, leaderEpoch } = this.#inbox.take(answer, this.fetchOffset)
    if (sizeBytes === 0) return
    this.bufferedBytes += sizeBytes
    this.fetchOffset = nextOffset
    this.lastEpoch = leaderEpoch
  }

  /** The broker cannot read from where it was asked up to `nextOffset`: `error` comes in its place. */
  miss(error: MinikafkaError, nextOffset: number): void {
    this.#inbox.miss({ offset: this.fetchOffset, nextOffset, error })
    this.fetchOffset = nextOffset
    this.lastEpoch = -1
  }

  /** Sends the reader to `offset`: all that was fetched is dropped, what is in hand is past. */
  seek(offset: number): void {
    this.#passInHand()
    this.move(offset)
  }

  /** The same to a place that has to be found out. */
  restart(start: FeedStart): void {
    this.#passInHand()
    this.#forget(-1)
    this.start = start
  }

  /** Nobody reads it any more: nothing of it is handed out again, and what is in hand is past. */
  dismiss(): void {
    const { hands } = this
    this.withheld = true
    this.#passInHand()
    this.#forget(-1)
    hands?.dropped?.(this)
  }

  #passInHand(): void {
    if (this.unfinished > 0)
      this.#acks.pass(this.readGeneration, this.records[this.index - 1]?.offset)
    this.readGeneration++
    this.records = []
    this.index = 0
    this.settle()
  }

  /** Drops what was fetched and not handed out; the next fetch asks from `offset`. What is in hand stays so. */
  move(offset: number): void {
    this.#forget(offset)
    this.start = undefined
  }

  /** Goes on fetching from `offset`, behind what is here and unread. */
  jump(offset: number): void {
    const isUnread = this.index < this.records.length || this.broken !== undefined
    const isEmpty = !isUnread && this.#opened === undefined && this.#inbox.isEmpty
    if (isEmpty || offset < this.fetchOffset) this.move(offset)
    else this.#inbox.miss({ offset: this.fetchOffset, nextOffset: offset, error: undefined })
    this.fetchOffset = offset
    this.lastEpoch = -1
  }

  #forget(offset: number): void {
    this.generation++
    this.fetchOffset = offset
    this.#from = offset
    this.#after = offset
    this.lastEpoch = -1
    this.#inbox.clear()
    this.#epochs.clear()
    this.#opened = undefined
    this.#openedBytes = 0
    this.bufferedBytes = 0
    this.outSinceMs = undefined
    // What was handed out may come back: goBack() looks for it here.
    this.records = this.records.slice(0, this.index)
    this.broken = undefined
    this.attempts = 0
    this.failure = undefined
    this.busy = false
    this.notBeforeMs = 0
    this.failures = 0
  }

  // --- decoding ----------------------------------------------------------------------------

  /**
   * Decodes until `goal` records can be handed out, or nothing fetched is left, or one is broken.
   * A promise only where a codec takes time.
   */
  fill(goal = 1): undefined | Promise<void> {
    while (this.records.length - this.index < goal && this.broken === undefined) {
      const step = this.#opened === undefined ? this.#openNext() : this.#decode(this.#opened, false)
      if (step === 'empty') return undefined
      if (step !== undefined) return this.#fillAfter(step, goal)
    }
    return undefined
  }

  async #fillAfter(step: Promise<void>, goal: number): Promise<void> {
    const { generation } = this
    await step
    if (generation === this.generation) await this.fill(goal)
  }

  #openNext(): 'empty' | undefined | Promise<void> {
    this.#release()
    const arrival = this.#inbox.next()
    if (arrival === undefined) return 'empty'
    if (arrival instanceof Promise) return arrival
    if (arrival.kind === 'missing') return this.#putMissing(arrival.missing)
    const { kind, bytes } = arrival
    this.#openedBytes += bytes.length
    if (kind === 'broken') return this.#putBroken(bytes, arrival.error)
    const { reader, gapsBelow } = arrival
    this.#epochs.note(reader.header.baseOffset, reader.header.leaderEpoch)
    const isHidden = kind === 'hidden'
    // Opened before the gap is told: behind it, this is where reading goes on.
    if (!isHidden) {
      this.#opened = { reader, batch: new RecordBatch(this, reader, bytes, this.#compress) }
    }
    const offset = Math.max(this.#after, gapsBelow)
    if (reader.header.baseOffset > offset) return this.#putGap(offset, reader, isHidden)
    return isHidden ? this.#put([], Math.max(this.#after, reader.nextOffset)) : undefined
  }

  /**
   * Memory counts until the last record of a batch is handed out, no longer: a partition whose share one batch fills
   * would never be fetched again.
   */
  #release(): void {
    if (this.index < this.records.length) return
    this.bufferedBytes -= this.#openedBytes
    this.#openedBytes = 0
  }

  #decode(opened: Opened, again: boolean): undefined | Promise<void> {
    const { reader, batch } = opened
    const records: FetchedRecord[] = []
    const outcome = this.#decoder.decode(reader, batch, records, this.#after, again)
    if (!(outcome instanceof Promise)) return this.#decoded(opened, records, outcome)
    const { generation } = this
    return outcome.then((broken) => {
      // A seek came in between: what was decoded belongs to the past.
      if (generation === this.generation) this.#decoded(opened, records, broken)
    })
  }

  #decoded({ reader }: Opened, records: FetchedRecord[], broken: Broken | undefined): undefined {
    // Behind a record that only its codec refuses, the batch goes on.
    if (broken?.record === undefined) this.#opened = undefined
    this.#put(records, broken?.offset ?? Math.max(this.#after, reader.nextOffset), broken)
  }

  #put(records: FetchedRecord[], after: number, broken?: Broken): undefined {
    this.#from = this.#handedTo
    const left = this.records.length - this.index
    this.records = left > 0 ? [...this.records.slice(this.index), ...records] : records
    this.index = 0
    this.#after = after
    this.broken = broken
    if (this.records.length === 0) this.#from = after
    else this.attempts = 0
  }

  #putMissing({ offset, nextOffset, error }: Missing): undefined {
    if (error === undefined) return this.#put([], nextOffset)
    return this.#put([], offset, { error, offset, nextOffset, record: undefined })
  }

  /** The broker left records out that the log must have: nobody compacted it there. */
  #putGap(offset: number, { header, nextOffset }: BatchReader, isHidden: boolean): undefined {
    const { topic, partition } = this
    const { baseOffset } = header
    const message = `${this.key} offset ${offset}: records are missing, the next batch begins at ${baseOffset}`
    const details = { fromOffset: offset, nextOffset: baseOffset }
    const fields = { topic, partition, offset, message, details }
    const error = new MinikafkaError('CORRUPT_MESSAGE', fields)
    const after = isHidden ? nextOffset : baseOffset
    return this.#put([], offset, { error, offset, nextOffset: after, record: undefined })
  }

  #putBroken(bytes: Uint8Array, cause: MinikafkaError): undefined {
    const { topic, partition } = this
    const offset = Math.max(batchBaseOffsetAt(bytes, 0), this.#after)
    const message = `${this.key} offset ${offset}: ${cause.message}`
    const error = new MinikafkaError(cause.name, { topic, partition, offset, message }, { cause })
    if (cause.name === 'CORRUPT_MESSAGE') this.suspectOffset = offset
    // Nothing in a corrupt header is sure, but this is where the broker goes on, too.
    const nextOffset = Math.max(batchLastOffsetAt(bytes, 0) + 1, offset + 1)
    return this.#put([], offset, { error, offset, nextOffset, record: undefined })
  }

  // --- what is broken ----------------------------------------------------------------------

  /** Decodes the broken record once more. A batch that is broken stays so. */
  retryBroken(): undefined | Promise<void> {
    if (this.broken?.record === undefined || this.#opened === undefined) return undefined
    this.broken = undefined
    return this.#decode(this.#opened, true)
  }

  /** Passes by the broken record, or by the rest of its batch. */
  skipBroken(): void {
    if (this.broken === undefined) return
    const { nextOffset } = this.broken
    this.broken = undefined
    this.attempts = 0
    this.records = []
    this.index = 0
    this.#from = nextOffset
    this.#after = nextOffset
  }

  // --- out ---------------------------------------------------------------------------------

  /** The next `countMax` decoded records are handed out now. */
  hand(countMax: number): readonly FetchedRecord[] {
    const { records, index } = this
    this.index = Math.min(records.length, index + countMax)
    this.#release()
    if (index === 0 && this.index === records.length) return records
    return records.slice(index, this.index)
  }

  handOne(): FetchedRecord | undefined {
    const record = this.records[this.index]
    if (record === undefined) return undefined
    this.index++
    this.#release()
    return record
  }

  /** What was handed out from `offset` on is not finished: it is next again, but for what was acked. */
  goBack(offset: number): void {
    const at = this.records.findIndex((record) => record.offset === offset)
    if (at === -1 || at >= this.index) {
      if (offset < this.position) this.move(offset)
      return
    }
    this.records = this.records.slice(at).filter((record) => !this.#acks.has(record.offset))
    this.index = 0
    this.#from = this.records[0]?.offset ?? this.#after
    this.settle()
  }

  /** What was handed out is finished, acked or not. */
  settle(): void {
    this.unfinished = 0
    this.hands = undefined
    this.#release()
    this.#acks.clear()
    if (this.withheld) this.#onAck()
  }

  /** One record of several is finished. */
  settleOne(offset: number): void {
    this.#acks.delete(offset)
  }

  /** `readGeneration`: that of the record, which may be past. */
  isAcked(offset: number, readGeneration = this.readGeneration): boolean {
    return readGeneration === this.readGeneration
      ? this.#acks.has(offset)
      : this.#acks.hasPast(offset, readGeneration)
  }

  /** The record that was handed out last before the reader was sent elsewhere is acked. */
  isLastAcked(readGeneration: number): boolean {
    return this.#acks.isLastDone(readGeneration)
  }

  // --- as its records see it ---------------------------------------------------------------

  /** A record of the time before a seek says nothing of the same one, handed out again: only that nobody works on it. */
  ack(offset: number, readGeneration: number): void {
    if (readGeneration !== this.readGeneration) {
      if (this.#acks.addPast(offset, readGeneration)) this.#onAck()
      return
    }
    if (this.unfinished === 0) return
    this.#acks.add(offset)
    this.#onAck()
  }

  signal(): AbortSignal {
    this.#controller ??= controllerOfMany()
    return this.#controller.signal
  }

  abort(reason: unknown): void {
    this.#controller ??= controllerOfMany()
    this.#controller.abort(reason)
  }
}

/** As many handlers may listen at once as are at work on records of the partition. */
function controllerOfMany(): AbortController {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  return controller
}
