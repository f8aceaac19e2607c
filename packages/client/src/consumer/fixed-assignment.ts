// Partitions by the consumer's own options: all of some topics, also those that come later, or some by hand.
// Enters: what is wanted, and what metadata says of it. Leaves: feeds.
import { MinikafkaError } from '@minikafka/protocol'
import type { Core, TopicInfo } from '../core/index.ts'
import { topicName } from '../topic/index.ts'
import type { Assignment } from './assignment.ts'
import type { Feed } from './feed.ts'
import type { Feeds } from './feeds.ts'
import type { FeedStart, Wanted } from './settings.ts'
import { topicInfo } from './topic-wait.ts'

type Tell = {
  /** There are new feeds, or feeds that begin anew: they need a place to begin. */
  readonly begun: () => void
  readonly lost: (error: MinikafkaError) => void
}

export class FixedAssignment implements Assignment {
  readonly #core: Core
  readonly #wanted: readonly Wanted[]
  readonly #feeds: Feeds
  readonly #tell: Tell
  #stopWatching: (() => void) | undefined
  #opening: Promise<void> | undefined

  constructor(core: Core, wanted: readonly Wanted[], feeds: Feeds, tell: Tell) {
    this.#core = core
    this.#wanted = wanted
    this.#feeds = feeds
    this.#tell = tell
    for (const { topic, partition, start } of wanted) {
      if (partition !== undefined) feeds.add(topic, partition, start)
    }
  }

  /** Learns the partitions, once. Errors: of a topic or partition that is not there; CLOSED. */
  open(signal: AbortSignal): Promise<void> {
    this.#opening ??= this.#open(signal).catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  async #open(signal: AbortSignal): Promise<void> {
    const names = [...new Set(this.#wanted.map(({ topic }) => topicName(topic)))]
    const infos = await Promise.all(names.map((name) => topicInfo(this.#core, name, signal)))
    // Closed meanwhile: nobody would stop the watching that begins below.
    signal.throwIfAborted()
    for (const info of infos) {
      // Nothing was read yet, so that the topic that has the name now is the one that is wanted.
      for (const feed of this.#feeds.all())
        if (feed.topic === info.name) feed.topicId = info.topicId
      for (const wanted of this.#wantedOf(info.name)) {
        const { partition } = wanted
        if (partition === undefined) this.#addAll(wanted, info, wanted.start)
        else if (info.partitions[partition] === undefined) throw noSuchPartition(info, partition)
      }
    }
    this.#stopWatching = this.#core.metadata.onChange((name, info) => this.#changed(name, info))
    this.#tell.begun()
  }

  #wantedOf(name: string): readonly Wanted[] {
    return this.#wanted.filter(({ topic }) => topicName(topic) === name)
  }

  #addAll({ topic }: Wanted, info: TopicInfo, start: FeedStart): void {
    for (const { partition } of info.partitions) this.#feeds.add(topic, partition, start)
  }

  #changed(name: string, info: TopicInfo | undefined): void {
    const wanted = this.#wantedOf(name)
    if (wanted.length === 0) return
    if (info === undefined) {
      this.#tell.lost(goneTopic(name))
      return
    }
    for (const feed of this.#feeds.all()) if (feed.topic === name) this.#meet(feed, info)
    // The topic grew: its new partitions begin at their earliest offset, nothing in them was missed.
    for (const one of wanted) if (one.partition === undefined) this.#addAll(one, info, 'earliest')
    this.#tell.begun()
  }

  /** Another topic under the same name: its first record is the first one that this reader has not seen. */
  #meet(feed: Feed, { topicId }: TopicInfo): void {
    if (feed.topicId === topicId) return
    const isSuccessor = feed.topicId !== ''
    feed.topicId = topicId
    if (!isSuccessor) return
    const { topic, partition } = feed
    this.#core.logger.warn({ topic, partition }, 'the topic was made anew: reading from its start')
    feed.committed = -1
    feed.restart('earliest')
  }

  /** What is in hand is given back by who closes. */
  async close(): Promise<void> {
    this.#stopWatching?.()
  }
}

function noSuchPartition({ name, partitions }: TopicInfo, partition: number): MinikafkaError {
  const last = partitions.length - 1
  return new MinikafkaError('INVALID_OPTION', {
    message: `'${name}' has ${last + 1} partitions, 0 to ${last}; there is no ${partition}`,
    topic: name,
    partition,
  })
}

function goneTopic(name: string): MinikafkaError {
  return new MinikafkaError('UNKNOWN_TOPIC_OR_PARTITION', {
    message: `topic '${name}' is gone; the consumer waits for it to come back`,
    topic: name,
  })
}
