// The two loops: record by record, and batch by batch. Own iterator objects: an async generator costs twice as much (PERFORMANCE 5).
import type { Feed } from './feed.ts'
import type { FetchedRecord } from './record.ts'
import type { Source } from './source.ts'

export type LoopParts = {
  readonly source: Source
  /** Rejects where the consumer cannot be opened; resolves at once when it is. */
  readonly open: (signal: AbortSignal | undefined) => Promise<void>
  readonly release: () => void
  readonly nowMs: () => number
  readonly finished: (count: number) => void
}

const DONE = { done: true, value: undefined } as const

export class RecordIterator implements AsyncIterator<FetchedRecord, undefined> {
  readonly #parts: LoopParts
  readonly #signal: AbortSignal | undefined
  #feed: Feed | undefined
  #inHand: FetchedRecord | undefined
  #open = false
  #ended = false

  constructor(parts: LoopParts, signal: AbortSignal | undefined) {
    this.#parts = parts
    this.#signal = signal
  }

  next(): Promise<IteratorResult<FetchedRecord, undefined>> {
    const feed = this.#feed
    if (
      feed !== undefined &&
      !this.#ended &&
      feed.index < feed.records.length &&
      !feed.paused &&
      !this.#signal?.aborted
    ) {
      const record = feed.handOne()
      if (record !== undefined) {
        this.#inHand = record
        return Promise.resolve({ done: false, value: record })
      }
    }
    return this.#nextFeed()
  }

  async #nextFeed(): Promise<IteratorResult<FetchedRecord, undefined>> {
    if (this.#ended) return DONE
    this.#settle()
    try {
      if (!this.#open) await this.#parts.open(this.#signal)
      this.#open = true
      const found = await this.#parts.source.wait(this.#signal)
      if (found === undefined) return this.#end()
      this.#feed = found
      found.lastProgressMs = this.#parts.nowMs()
      const record = found.handOne()
      if (record === undefined) return this.#nextFeed()
      this.#inHand = record
      return { done: false, value: record }
    } catch (error) {
      this.#end()
      throw error
    }
  }

  /** Asking for the next record finishes the one in hand. */
  #settle(): void {
    if (this.#feed !== undefined) {
      this.#parts.source.handedOut(this.#feed)
      this.#feed.lastProgressMs = this.#parts.nowMs()
    }
    this.#inHand = undefined
    this.#feed = undefined
  }

  /** The loop was left by break or throw: the record in hand is the next one of the next loop. */
  async return(): Promise<IteratorResult<FetchedRecord, undefined>> {
    if (!this.#ended && this.#feed !== undefined && this.#inHand !== undefined)
      this.#feed.giveBack(this.#inHand)
    return this.#end()
  }

  #end(): IteratorResult<FetchedRecord, undefined> {
    if (!this.#ended) this.#parts.release()
    this.#ended = true
    this.#feed = undefined
    this.#inHand = undefined
    return DONE
  }
}

export type HandedBatch = {
  readonly topic: string
  readonly partition: number
  readonly records: readonly FetchedRecord[]
  readonly signal: AbortSignal
}

export class BatchIterator implements AsyncIterator<HandedBatch, undefined> {
  readonly #parts: LoopParts
  readonly #options: { readonly maxRecords: number; readonly signal: AbortSignal | undefined }
  #feed: Feed | undefined
  #inHand: readonly FetchedRecord[] = []
  #open = false
  #ended = false

  constructor(parts: LoopParts, options: { maxRecords: number; signal: AbortSignal | undefined }) {
    this.#parts = parts
    this.#options = options
  }

  async next(): Promise<IteratorResult<HandedBatch, undefined>> {
    if (this.#ended) return DONE
    const { signal, maxRecords } = this.#options
    if (this.#feed !== undefined) this.#parts.finished(this.#inHand.length)
    this.#feed = undefined
    try {
      if (!this.#open) await this.#parts.open(signal)
      this.#open = true
      const feed = await this.#parts.source.wait(signal)
      if (feed === undefined) return this.#end()
      const records = feed.hand(maxRecords, this.#parts.nowMs())
      this.#feed = feed
      this.#inHand = records
      const { topic, partition } = feed
      const value = {
        topic,
        partition,
        records,
        get signal() {
          return feed.signal()
        },
      }
      return { done: false, value }
    } catch (error) {
      this.#end()
      throw error
    }
  }

  async return(): Promise<IteratorResult<HandedBatch, undefined>> {
    const [first] = this.#inHand
    if (!this.#ended && this.#feed !== undefined && first !== undefined) this.#feed.giveBack(first)
    return this.#end()
  }

  #end(): IteratorResult<HandedBatch, undefined> {
    if (!this.#ended) this.#parts.release()
    this.#ended = true
    this.#feed = undefined
    this.#inHand = []
    return DONE
  }
}
