// Partitions that went while a handler had records of them: whoever began them anew would work beside it.
// Enters: feeds that went. Leaves: whether a partition of them is still worked on.
import type { TopicPartition } from '../words.ts'
import type { Feed } from './feed.ts'

export class InHand {
  readonly #holds: (feed: Feed) => boolean
  /** Until when the partition does not begin anew because of that. */
  readonly #untilMs = new Map<Feed, number>()

  constructor(holds: (feed: Feed) => boolean) {
    this.#holds = holds
  }

  keep(feeds: readonly Feed[], untilMs: number): void {
    for (const feed of feeds) if (this.#holds(feed)) this.#untilMs.set(feed, untilMs)
  }

  /** However long their handlers take. */
  keepAll(): void {
    for (const feed of this.#untilMs.keys()) this.#untilMs.set(feed, Number.POSITIVE_INFINITY)
  }

  has(at: TopicPartition, nowMs: number): boolean {
    for (const [feed, untilMs] of this.#untilMs) {
      if (untilMs <= nowMs || !this.#holds(feed)) this.#untilMs.delete(feed)
      else if (feed.topic === at.topic && feed.partition === at.partition) return true
    }
    return false
  }

  /** A handler is at work on one of them. */
  get isHeld(): boolean {
    for (const feed of this.#untilMs.keys()) if (this.#holds(feed)) return true
    return false
  }

  times(): Iterable<number> {
    return this.#untilMs.values()
  }
}
