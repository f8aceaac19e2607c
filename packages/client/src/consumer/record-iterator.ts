// The loop over records. An own iterator object: an async generator costs twice as much (PERFORMANCE 5).
import type { Feed, Hands } from './feed.ts'
import { DONE, InOrder, type Mode, type ModeParts } from './mode.ts'
import type { FetchedRecord } from './record.ts'
import type { Source } from './source.ts'

type Result = IteratorResult<FetchedRecord, undefined>

export class RecordIterator implements AsyncIterator<FetchedRecord, undefined>, Mode {
  readonly name = 'a loop over records'
  readonly #parts: ModeParts
  readonly #source: Source
  readonly #calls = new InOrder()
  /** Whose decoded records are handed out without asking anybody. */
  #feed: Feed | undefined
  #turn: Turn | undefined
  #isOpen = false
  #isEnded = false

  constructor(parts: ModeParts, source: Source) {
    this.#parts = parts
    this.#source = source
  }

  /** Per record: an index and a promise. Everything else happens once a batch. */
  next(): Promise<Result> {
    const feed = this.#feed
    if (feed !== undefined) {
      const record = feed.records[feed.index]
      if (record !== undefined) {
        feed.index++
        return Promise.resolve({ done: false, value: record })
      }
    }
    return this.#calls.run(() => this.#nextTurn())
  }

  async #nextTurn(): Promise<Result> {
    // Somebody who did not wait for the call before: its turn has begun meanwhile.
    if (this.#feed !== undefined && this.#feed.index < this.#feed.records.length) return this.next()
    this.#finish()
    try {
      if (!this.#isOpen && !this.#parts.stopped()) await this.#parts.open(undefined)
      this.#isOpen = true
      while (!this.#isEnded && !this.#parts.stopped()) {
        const feed = this.#source.next()
        if (feed !== undefined) return this.#begin(feed)
        await this.#source.change(undefined)
      }
      return this.#end()
    } catch (error) {
      this.#end()
      throw error
    }
  }

  #begin(feed: Feed): Result {
    this.#turn = new Turn(feed)
    this.#feed = feed
    return { done: false, value: feed.handOne() as FetchedRecord }
  }

  /** Asking for the next record finishes the one in hand, and with it the turn. */
  #finish(): void {
    if (this.#turn !== undefined) this.#parts.finished(this.#turn.finish())
    this.#turn = undefined
    this.#feed = undefined
  }

  /** The loop was left by break or throw: the record in hand is the next one of the next loop, unless it was acked. */
  async return(): Promise<Result> {
    const { feed, inHand } = this.#turn ?? {}
    if (feed === undefined || inHand === undefined) return this.#end()
    const isAcked = feed.isAcked(inHand.offset)
    this.#finish()
    if (!isAcked) {
      this.#parts.finished(-1)
      feed.goBack(inHand.offset)
    }
    return this.#end()
  }

  halt(): void {
    this.#feed = undefined
  }

  isUnfinished(): boolean {
    return this.#turn?.firstUnfinished() !== undefined
  }

  /** Also after the partition is gone: the loop still works on the record, until it acks it or asks for the next. */
  holds(feed: Feed): boolean {
    return this.#turn?.feed === feed && this.#turn.isHeld
  }

  #end(): Result {
    if (this.#isEnded) return DONE
    this.#isEnded = true
    this.#finish()
    this.#parts.ended()
    return DONE
  }
}

/** The records of one feed, from when its turn came until the next feed's does. */
class Turn implements Hands {
  readonly feed: Feed
  readonly #generation: number
  readonly #first: number

  constructor(feed: Feed) {
    this.feed = feed
    this.#generation = feed.readGeneration
    this.#first = feed.index
    feed.unfinished = 1
    feed.hands = this
  }

  firstUnfinished(): number | undefined {
    const { feed, inHand } = this
    return inHand === undefined || feed.isAcked(inHand.offset) ? undefined : inHand.offset
  }

  /** A seek came after it, or the partition is gone. */
  get isPast(): boolean {
    return this.feed.readGeneration !== this.#generation
  }

  get isHeld(): boolean {
    if (this.isPast) return !this.feed.isLastAcked(this.#generation)
    return this.firstUnfinished() !== undefined
  }

  /** The record that was handed out last; undefined where the turn is past: nothing goes back behind it. */
  get inHand(): FetchedRecord | undefined {
    const { records, index } = this.feed
    return this.isPast ? undefined : records[index - 1]
  }

  /** Returns how many records are finished with it. */
  finish(): number {
    if (this.isPast) return 0
    this.feed.settle()
    return this.feed.index - this.#first
  }
}
