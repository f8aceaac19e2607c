// The feeds of a member of a group, by the places that the coordinator names: where they begin, and how they end.
// Enters: places by topic id. Leaves: feeds; nothing of them is handed out before somebody says so.
import type { Core } from '../core/index.ts'
import { keyOf, type Place } from '../group/index.ts'
import { topicName } from '../topic/index.ts'
import type { TopicPartition } from '../words.ts'
import type { Feed } from './feed.ts'
import type { Feeds } from './feeds.ts'
import { type Present, presentNow } from './present.ts'
import type { FeedStart, Subscription } from './settings.ts'

export class MemberFeeds {
  readonly #core: Core
  readonly #subscription: Subscription
  readonly #feeds: Feeds
  readonly #byPlace = new Map<string, Feed>()
  #present: Present = new Map()

  constructor(core: Core, subscription: Subscription, feeds: Feeds) {
    this.#core = core
    this.#subscription = subscription
    this.#feeds = feeds
  }

  /** Which partitions are there at first. Errors: of topics that are not there. */
  async look(signal: AbortSignal): Promise<void> {
    this.#present = await presentNow(this.#core, this.#subscription, signal)
  }

  all(): Feed[] {
    return [...this.#byPlace.values()]
  }

  at(places: readonly Place[]): Feed[] {
    return places.flatMap((place) => this.#byPlace.get(keyOf(place)) ?? [])
  }

  stillHeld(feeds: readonly Feed[]): Feed[] {
    return feeds.filter((feed) => this.#byPlace.get(keyOf(feed)) === feed)
  }

  /** It is known where all of them begin. */
  get arePlaced(): boolean {
    return this.#feeds.all().every(({ start }) => start === undefined)
  }

  placeOf({ topicId, partition }: Place): TopicPartition {
    return { topic: this.#core.metadata.topicById(topicId)?.name ?? '', partition }
  }

  /** Those whose topic is known by name. One that was deleted is not: it is taken back soon. */
  async named(places: readonly Place[]): Promise<readonly Place[]> {
    const { metadata, logger } = this.#core
    const isNamed = ({ topicId, partition }: Place) =>
      metadata.topicById(topicId)?.partitions[partition] !== undefined
    const unknown = new Set(places.filter((place) => !isNamed(place)).map(({ topicId }) => topicId))
    if (unknown.size > 0) {
      const learning = metadata.learn([...unknown])
      await learning.catch((error: unknown) => {
        logger.debug({ err: error }, 'topics that were assigned are not known yet')
      })
    }
    return places.filter(isNamed)
  }

  /** Withheld. Places whose topic is not known have none. */
  add(places: readonly Place[]): Feed[] {
    return places.flatMap((place) => this.#add(place) ?? [])
  }

  #add(place: Place): Feed | undefined {
    const { topic: name, partition } = this.placeOf(place)
    const topic = this.#subscription.topics?.find((one) => topicName(one) === name) ?? name
    const feed = this.#feeds.add(topic, partition, this.#startOf(place), true)
    if (feed === undefined) return undefined
    feed.topicId = place.topicId
    this.#byPlace.set(keyOf(place), feed)
    return feed
  }

  #startOf({ topicId, partition }: Place): FeedStart {
    const wasThere = partition < (this.#present.get(topicId) ?? 0)
    return { orElse: wasThere ? this.#subscription.start : 'earliest' }
  }

  /** Nothing more is handed out, and handlers know. False: that was so already. */
  withhold(feeds: readonly Feed[], reason: (feed: Feed) => Error): boolean {
    const news = feeds.filter((feed) => !feed.signal().aborted)
    for (const feed of news) {
      feed.withheld = true
      feed.abort(reason(feed))
    }
    return news.length > 0
  }

  drop(feeds: readonly Feed[], reason: (feed: Feed) => Error): void {
    const first = feeds[0]
    if (first === undefined) return
    for (const feed of feeds) this.#byPlace.delete(keyOf(feed))
    this.#feeds.remove(feeds, reason(first))
  }
}
