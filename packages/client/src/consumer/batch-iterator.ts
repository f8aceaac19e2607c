// The loop over batches: of one partition each, as large as what was fetched, or as was asked for.
import type { Clock } from '@minikafka/platform'
import type { Feed } from './feed.ts'
import { HandedBatch } from './handed-batch.ts'
import { DONE, InOrder, type Mode, type ModeParts } from './mode.ts'
import type { Source } from './source.ts'

/** Record batches of few records are joined up to here, where nothing else was asked for. */
const RECORDS_GOAL = 500

type Result = IteratorResult<HandedBatch, undefined>

export type BatchSettings = {
  /** Infinity: as they come. */
  readonly maxRecords: number
  readonly maxWaitMs: number
  readonly signal: AbortSignal | undefined
}

export class BatchIterator implements AsyncIterator<HandedBatch, undefined>, Mode {
  readonly name = 'a loop over batches'
  readonly #parts: ModeParts
  readonly #source: Source
  readonly #clock: Clock
  readonly #settings: BatchSettings
  readonly #goal: number
  readonly #calls = new InOrder()
  #inHand: HandedBatch | undefined
  #isOpen = false
  #isEnded = false

  constructor(parts: ModeParts, source: Source, clock: Clock, settings: BatchSettings) {
    this.#parts = parts
    this.#source = source
    this.#clock = clock
    this.#settings = settings
    const { maxRecords } = settings
    this.#goal = Number.isFinite(maxRecords) ? maxRecords : RECORDS_GOAL
  }

  next(): Promise<Result> {
    return this.#calls.run(() => this.#next())
  }

  async #next(): Promise<Result> {
    this.#finish()
    const { signal } = this.#settings
    try {
      if (!this.#isOpen && !this.#parts.stopped()) await this.#parts.open(signal)
      this.#isOpen = true
      while (!this.#isEnded && !this.#parts.stopped()) {
        signal?.throwIfAborted()
        const feed = this.#source.next()
        if (feed === undefined) {
          await this.#source.change(signal)
          continue
        }
        if (feed.records.length - feed.index < this.#goal) await this.#gather(feed)
        if (this.#parts.stopped() || isHeldBack(feed) || feed.index >= feed.records.length) continue
        return { done: false, value: this.#hand(feed) }
      }
      return this.#end()
    } catch (error) {
      this.#end()
      throw error
    }
  }

  /** More records of `feed`: those that are here, and those that come in time. A seek or a pause may leave none. */
  async #gather(feed: Feed): Promise<void> {
    const { maxWaitMs, signal } = this.#settings
    const { generation } = feed
    const untilMs = this.#clock.monotonicMs() + maxWaitMs
    this.#source.gather(feed, this.#goal)
    while (feed.records.length - feed.index < this.#goal) {
      const leftMs = untilMs - this.#clock.monotonicMs()
      if (leftMs <= 0 || this.#parts.stopped() || generation !== feed.generation) return
      if (isHeldBack(feed) || feed.broken !== undefined || feed.failure !== undefined) return
      const timer = this.#clock.timer(leftMs, () => this.#source.wake())
      await this.#source.change(signal).finally(() => timer.cancel())
      if (!feed.busy) this.#source.gather(feed, this.#goal)
    }
  }

  #hand(feed: Feed): HandedBatch {
    const records = feed.hand(this.#settings.maxRecords)
    this.#inHand = new HandedBatch(feed, records, this.#parts.commit)
    return this.#inHand
  }

  /** Asking for the next batch finishes the one in hand. */
  #finish(): void {
    const batch = this.#inHand
    this.#inHand = undefined
    if (batch === undefined) return
    this.#parts.finished(batch.records.length)
    HandedBatch.settle(batch)
  }

  /** The loop was left: the next one begins with the first record of this batch that was not acked. */
  async return(): Promise<Result> {
    const batch = this.#inHand
    this.#inHand = undefined
    if (batch !== undefined) this.#parts.finished(HandedBatch.giveBack(batch))
    return this.#end()
  }

  halt(): void {}

  isUnfinished(): boolean {
    return this.#inHand !== undefined && HandedBatch.unacked(this.#inHand) !== undefined
  }

  holds(feed: Feed): boolean {
    return this.#inHand !== undefined && HandedBatch.holds(this.#inHand, feed)
  }

  #end(): Result {
    if (this.#isEnded) return DONE
    this.#isEnded = true
    this.#finish()
    this.#parts.ended()
    return DONE
  }
}

/** By the user, or by the group that takes it away. */
function isHeldBack({ paused, withheld }: Feed): boolean {
  return paused || withheld
}
