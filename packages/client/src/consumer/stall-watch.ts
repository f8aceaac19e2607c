// Data but no progress: the consumer says so, and what it waits for (CLIENT 3, 10).
import type { Clock, Timer } from '@minikafka/platform'
import type { TopicPartition } from '../words.ts'
import type { Feed } from './feed.ts'
import type { Feeds } from './feeds.ts'
import type { Stall } from './types.ts'

const LOOKS_PER_STALL = 4

type Tell = (stall: TopicPartition & { sinceMs: number; waitingFor: Stall }) => void

export class StallWatch {
  readonly #clock: Clock
  readonly #afterMs: number
  readonly #feeds: Feeds
  readonly #tell: Tell
  readonly #told = new Set<Feed>()
  #timer: Timer | undefined

  constructor(clock: Clock, afterMs: number, feeds: Feeds, tell: Tell) {
    this.#clock = clock
    this.#afterMs = afterMs
    this.#feeds = feeds
    this.#tell = tell
  }

  start(): void {
    this.#timer = this.#clock.timer(this.#afterMs / LOOKS_PER_STALL, () => {
      this.#look()
      this.start()
    })
  }

  stop(): void {
    this.#timer?.cancel()
  }

  /** What a partition with unread data waits for; undefined: there is nothing to wait for. */
  reason(feed: Feed): Stall | undefined {
    if (feed.position >= feed.highWatermark) return undefined
    if (feed.paused) return 'paused'
    return feed.ready ? 'handler' : 'fetch'
  }

  /** Each stall is told once, until there is progress again. */
  #look(): void {
    const nowMs = this.#clock.monotonicMs()
    for (const feed of this.#feeds.all()) {
      const waitingFor = this.reason(feed)
      const sinceMs = nowMs - feed.lastProgressMs
      if (waitingFor === undefined || sinceMs < this.#afterMs) this.#told.delete(feed)
      else if (!this.#told.has(feed)) {
        this.#told.add(feed)
        this.#tell({ topic: feed.topic, partition: feed.partition, sinceMs, waitingFor })
      }
    }
  }
}
