// Looks after the consumer a few times per `stalledAfterMs`: data but no progress is told, and what it waits for
// (CLIENT 3, 10); so is the lag.
import type { Clock } from '@minikafka/platform'
import { Alarm } from '../core/index.ts'
import type { TopicPartition } from '../words.ts'
import type { Feed } from './feed.ts'
import { isGroupStart } from './group-starts.ts'
import type { Stall } from './types.ts'

const LOOKS_PER_STALL = 4

type Seen = { position: number; progressMs: number; isTold: boolean }

export type WatchParts = {
  readonly afterMs: number
  readonly feeds: () => readonly Feed[]
  readonly stalled: (stall: TopicPartition & { sinceMs: number; waitingFor: Stall }) => void
  /** Called at each look. */
  readonly looked: () => void
}

export class Watch {
  readonly #clock: Clock
  readonly #parts: WatchParts
  readonly #seen = new WeakMap<Feed, Seen>()
  readonly #alarm: Alarm

  constructor(clock: Clock, parts: WatchParts) {
    this.#clock = clock
    this.#parts = parts
    this.#alarm = new Alarm(clock, () => this.#look())
  }

  start(): void {
    this.#alarm.in(this.#parts.afterMs / LOOKS_PER_STALL)
  }

  stop(): void {
    this.#alarm.cancel()
  }

  /** Monotonic time of the last sign of progress: records handed out, or nothing there to hand out. */
  progressMs(feed: Feed): number {
    return this.#see(feed).progressMs
  }

  #look(): void {
    this.start()
    const nowMs = this.#clock.monotonicMs()
    for (const feed of this.#parts.feeds()) {
      const seen = this.#see(feed)
      const sinceMs = nowMs - seen.progressMs
      const waitingFor = reasonOf(feed)
      if (waitingFor === undefined || sinceMs < this.#parts.afterMs || seen.isTold) continue
      // Once, until there is progress again.
      seen.isTold = true
      this.#parts.stalled({ topic: feed.topic, partition: feed.partition, sinceMs, waitingFor })
    }
    this.#parts.looked()
  }

  #see(feed: Feed): Seen {
    const nowMs = this.#clock.monotonicMs()
    const { position } = feed
    const seen = this.#seen.get(feed) ?? { position, progressMs: nowMs, isTold: false }
    this.#seen.set(feed, seen)
    if (seen.position === position && reasonOf(feed) !== undefined) return seen
    seen.position = position
    seen.progressMs = nowMs
    seen.isTold = false
    return seen
  }
}

/** What a partition with unread or unfinished records waits for; undefined: nothing. */
export function reasonOf(feed: Feed): Stall | undefined {
  if (feed.unfinished > 0) return 'handler'
  if (isGroupStart(feed.start)) return 'coordinator'
  if (feed.position >= feed.end) return undefined
  if (feed.paused) return 'paused'
  return feed.ready || feed.busy || feed.held ? 'handler' : 'fetch'
}
