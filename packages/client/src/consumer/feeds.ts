// The partitions that a consumer reads at this moment, whoever says which: and whose turn it is.
// Enters: feeds that begin and end. Leaves: the next feed with data.
import type { Core } from '../core/index.ts'
import type { TopicLike } from '../topic/index.ts'
import type { Partitions, TopicPartition } from '../words.ts'
import { Feed } from './feed.ts'
import type { FeedStart } from './settings.ts'

export class Feeds {
  readonly #core: Core
  readonly #acked: () => void
  readonly #byKey = new Map<string, Feed>()
  /** By the user. Kept where the partition goes and comes back: a pause survives rebalances (CLIENT 3, 11). */
  readonly #paused = new Set<string>()
  #list: readonly Feed[] = []
  #turn = 0

  /** `acked`: a record is acked, or a feed that is withheld has nothing in hand any more. */
  constructor(core: Core, acked: () => void) {
    this.#core = core
    this.#acked = acked
  }

  all(): readonly Feed[] {
    return this.#list
  }

  get({ topic, partition }: TopicPartition): Feed | undefined {
    return this.#byKey.get(`${topic}-${partition}`)
  }

  // --- which -------------------------------------------------------------------------------

  /** undefined: it is there already. `withheld`: nothing is handed out until somebody says so. */
  add(topic: TopicLike, partition: number, start: FeedStart, withheld = false): Feed | undefined {
    const feed = new Feed(this.#core.env.compress, {
      ...{ topic, partition, start },
      onAck: this.#acked,
    })
    if (this.#byKey.has(feed.key)) return undefined
    feed.topicId = this.#core.metadata.topicNow(feed.topic)?.topicId ?? ''
    feed.paused = this.#paused.has(feed.key)
    feed.withheld = withheld
    this.#byKey.set(feed.key, feed)
    this.#list = [...this.#byKey.values()]
    return feed
  }

  /** Nobody reads these any more. */
  remove(feeds: readonly Feed[], reason: unknown): void {
    for (const feed of feeds) {
      feed.abort(reason)
      feed.dismiss()
      if (this.#byKey.get(feed.key) === feed) this.#byKey.delete(feed.key)
    }
    this.#list = [...this.#byKey.values()]
  }

  pause(feeds: readonly Feed[]): void {
    for (const feed of feeds) {
      this.#paused.add(feed.key)
      feed.paused = true
    }
  }

  /** undefined: all, also those that are elsewhere by now. */
  resume(feeds: readonly Feed[] | undefined): void {
    if (feeds === undefined) this.#paused.clear()
    for (const feed of feeds ?? this.#list) {
      this.#paused.delete(feed.key)
      feed.paused = false
    }
  }

  // --- whose turn --------------------------------------------------------------------------

  /** The next feed with something to hand out, in turn, so that none starves. */
  next(): Feed | undefined {
    const list = this.#list
    for (let step = 0; step < list.length; step++) {
      const at = (this.#turn + step) % list.length
      const feed = list[at]
      if (!feed?.ready) continue
      this.#turn = at + 1
      return feed
    }
    return undefined
  }

  close(reason: unknown): void {
    for (const feed of this.#list) feed.abort(reason)
  }
}

export function placesOf(feeds: readonly Feed[]): Partitions {
  return feeds.map(({ topic, partition }) => ({ topic, partition }))
}
