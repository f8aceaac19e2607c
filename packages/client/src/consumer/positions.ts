// Where a consumer stands in its partitions, and how it is sent elsewhere.
// Enters: places and points. Leaves: feeds that begin there; lags.
import { MinikafkaError } from '@minikafka/protocol'
import type { Core, Deadline } from '../core/index.ts'
import type { OffsetSpec, PartitionLag, TopicPartition } from '../words.ts'
import type { Bell } from './bell.ts'
import type { Feed } from './feed.ts'
import type { Feeds } from './feeds.ts'
import type { Fetcher } from './fetcher.ts'
import type { GroupSide } from './group-side.ts'
import { lagOf } from './lag.ts'
import type { ConsumerSettings } from './settings.ts'
import type { Starts } from './starts.ts'

export type PositionsParts = {
  readonly feeds: Feeds
  readonly starts: Starts
  readonly fetcher: Fetcher
  readonly bell: Bell
  /** Aborts when the consumer closes. */
  readonly signal: AbortSignal
  readonly group: GroupSide | undefined
  readonly isolation: ConsumerSettings['isolation']
  /** Look again before anything more is handed out. */
  readonly halt: () => void
  readonly found: (feeds: readonly Feed[]) => void
}

export class Positions {
  readonly #core: Core
  readonly #parts: PositionsParts

  constructor(core: Core, parts: PositionsParts) {
    this.#core = core
    this.#parts = parts
  }

  nextOffset(at: TopicPartition): number | undefined {
    const position = this.#parts.feeds.get(at)?.position ?? -1
    return position < 0 ? undefined : position
  }

  /** Errors: INVALID_OPTION. */
  feedOf(at: TopicPartition): Feed {
    const feed = this.#parts.feeds.get(at)
    if (feed !== undefined) return feed
    const { topic, partition } = at
    const message = `${topic}-${partition} is not assigned to this consumer`
    throw new MinikafkaError('INVALID_OPTION', { message, topic, partition })
  }

  /** Errors: INVALID_OPTION; why the point cannot be found out. */
  async seek(at: TopicPartition, to: OffsetSpec, deadline: Deadline): Promise<void> {
    const { halt, starts, fetcher, found } = this.#parts
    const feed = this.feedOf(at)
    if (typeof to === 'number') feed.seek(to)
    else feed.restart(to)
    // Where the user went is to be kept, also before what is kept now.
    feed.committed = -1
    halt()
    starts.go()
    if (feed.start === undefined) found([feed])
    fetcher.redirect([feed])
    await this.#placed(feed, deadline)
  }

  async lag(deadline: Deadline): Promise<PartitionLag[]> {
    const { group, isolation } = this.#parts
    const feeds = this.#parts.feeds.all()
    await Promise.all(feeds.map((feed) => this.#placed(feed, deadline)))
    const committed = await group?.committed(deadline)
    return await deadline.hold(lagOf(this.#core, isolation, feeds, committed, deadline))
  }

  /** Until it is known where `feed` begins, or another seek came. Errors: why that cannot be found out. */
  async #placed(feed: Feed, deadline: Deadline): Promise<void> {
    const { readGeneration } = feed
    while (feed.start !== undefined && feed.readGeneration === readGeneration) {
      if (feed.failure !== undefined) throw feed.failure
      this.#parts.signal.throwIfAborted()
      await deadline.hold(this.#parts.bell.wait())
    }
  }
}
