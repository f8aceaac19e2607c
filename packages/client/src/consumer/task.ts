// One record that run() has handed to a handler, or is about to.
import type { Feed } from './feed.ts'
import type { FetchedRecord } from './record.ts'

export class Task {
  readonly feed: Feed
  readonly record: FetchedRecord
  readonly #generation: number
  /** From 1. */
  attempt = 1
  /** Nobody works on it, and nobody will soon: it let go, or is tried again after a while. */
  isLeft = false

  constructor(feed: Feed, record: FetchedRecord) {
    this.feed = feed
    this.record = record
    this.#generation = feed.readGeneration
  }

  /** Finished early. */
  get isAcked(): boolean {
    return this.feed.isAcked(this.record.offset, this.#generation)
  }

  /** A seek came after it: it is not handed out (again). */
  get isPast(): boolean {
    return this.#generation !== this.feed.readGeneration
  }
}
