// Records of one partition that were handed out together: finished together, or one by one with ack().
import type { Done, Wait } from '../words.ts'
import type { Feed } from './feed.ts'
import type { FetchedRecord } from './record.ts'

export class HandedBatch {
  readonly topic: string
  readonly partition: number
  readonly records: readonly FetchedRecord[]
  readonly #feed: Feed
  readonly #generation: number
  readonly #commit: CommitRecords

  constructor(feed: Feed, records: readonly FetchedRecord[], commit: CommitRecords) {
    this.topic = feed.topic
    this.partition = feed.partition
    this.records = records
    this.#feed = feed
    this.#generation = feed.readGeneration
    this.#commit = commit
    feed.unfinished = records.length
    feed.hands = { firstUnfinished: () => HandedBatch.unacked(this)?.offset }
  }

  get signal(): AbortSignal {
    return this.#feed.signal()
  }

  async commit(wait?: Wait): Done {
    await this.#commit(this.records, wait)
  }

  static settle(batch: HandedBatch): void {
    if (!batch.#isPast) batch.#feed.settle()
  }

  /** The first record that is not acked; undefined: there is none, or a seek came after it. */
  static unacked(batch: HandedBatch): FetchedRecord | undefined {
    if (batch.#isPast) return undefined
    return batch.records.find(({ offset }) => !batch.#feed.isAcked(offset))
  }

  /** Also after the partition is gone: the loop still works on it. */
  static holds(batch: HandedBatch, feed: Feed): boolean {
    if (batch.#feed !== feed) return false
    return batch.records.some(({ offset }) => !feed.isAcked(offset, batch.#generation))
  }

  /** Returns how many are finished all the same. */
  static giveBack(batch: HandedBatch): number {
    const first = HandedBatch.unacked(batch)
    const finished = batch.records.filter(({ offset }) => batch.#feed.isAcked(offset)).length
    if (first !== undefined) batch.#feed.goBack(first.offset)
    else HandedBatch.settle(batch)
    return finished
  }

  get #isPast(): boolean {
    return this.#generation !== this.#feed.readGeneration
  }
}

/** Errors: INVALID_OPTION without a group. */
export type CommitRecords = (records: readonly FetchedRecord[], wait?: Wait) => Done
