// Records that are in hand for too long: the member gives its partitions up (`maxProcessingMs`), or somebody is warned.
// Slow is not dead: heartbeats do not depend on handlers, and by default nothing is done about it.
import type { Clock, Logger } from '@minikafka/platform'
import { Alarm } from '../core/index.ts'
import type { Feed } from './feed.ts'

export type OverdueParts = {
  readonly clock: Clock
  readonly logger: Logger
  /** Undefined: a warning is all. */
  readonly maxProcessingMs: number | undefined
  readonly feeds: () => readonly Feed[]
  readonly overdue: () => void
}

const WARN_AFTER_MS = 300_000
const LOOKS = 4

/** The first record that is not finished, and since when it is that. */
type Seen = { offset: number; sinceMs: number; isTold: boolean }

export class Overdue {
  readonly #parts: OverdueParts
  readonly #seen = new WeakMap<Feed, Seen>()
  readonly #alarm: Alarm

  constructor(parts: OverdueParts) {
    this.#parts = parts
    this.#alarm = new Alarm(parts.clock, () => this.#look())
  }

  start(): void {
    this.#alarm.in(this.#afterMs / LOOKS)
  }

  stop(): void {
    this.#alarm.cancel()
  }

  get #afterMs(): number {
    return this.#parts.maxProcessingMs ?? WARN_AFTER_MS
  }

  #look(): void {
    this.start()
    const nowMs = this.#parts.clock.monotonicMs()
    for (const feed of this.#parts.feeds()) {
      if (feed.unfinished === 0) this.#seen.delete(feed)
      else this.#check(feed, nowMs)
    }
  }

  #check(feed: Feed, nowMs: number): void {
    const { topic, partition, finishedTo: offset } = feed
    const seen = this.#seen.get(feed)
    if (seen?.offset !== offset) {
      this.#seen.set(feed, { offset, sinceMs: nowMs, isTold: false })
      return
    }
    const inHandMs = nowMs - seen.sinceMs
    if (inHandMs < this.#afterMs || seen.isTold) return
    seen.isTold = true
    const about = { topic, partition, offset, inHandMs }
    this.#parts.logger.warn(about, 'a record is in hand for a long time')
    if (this.#parts.maxProcessingMs !== undefined) this.#parts.overdue()
  }
}
