// The partitions that a consumer reads: which they are, and whose turn it is.
// Enters: topics and partitions wanted, and what metadata says of them. Leaves: the next feed with data.
import { isMinikafkaError, MinikafkaError } from '@minikafka/protocol'
import type { Core, TopicInfo } from '../core/index.ts'
import { topicName } from '../topic/index.ts'
import type { OffsetSpec, TopicPartition } from '../words.ts'
import { Feed } from './feed.ts'
import type { Wanted } from './settings.ts'

type Tell = {
  /** There are new feeds, or feeds that begin anew: they need a place to begin. */
  readonly begun: () => void
  readonly acked: () => void
  readonly lost: (error: MinikafkaError) => void
}

export class Feeds {
  readonly #core: Core
  readonly #wanted: readonly Wanted[]
  readonly #tell: Tell
  readonly #byKey = new Map<string, Feed>()
  #list: readonly Feed[] = []
  #turn = 0
  #stopWatching: (() => void) | undefined
  #opening: Promise<void> | undefined

  constructor(core: Core, wanted: readonly Wanted[], tell: Tell) {
    this.#core = core
    this.#wanted = wanted
    this.#tell = tell
    for (const one of wanted) {
      if (one.partition !== undefined) this.#add(one, one.partition, one.start)
    }
  }

  all(): readonly Feed[] {
    return this.#list
  }

  get({ topic, partition }: TopicPartition): Feed | undefined {
    return this.#byKey.get(`${topic}-${partition}`)
  }

  // --- which -------------------------------------------------------------------------------

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
    const infos = await Promise.all(names.map((name) => this.#topicInfo(name, signal)))
    // Closed meanwhile: nobody would stop the watching that begins below.
    signal.throwIfAborted()
    for (const info of infos) {
      // Nothing was read yet, so that the topic that has the name now is the one that is wanted.
      for (const feed of this.#list) if (feed.topic === info.name) feed.topicId = info.topicId
      for (const wanted of this.#wantedOf(info.name)) {
        const { partition } = wanted
        if (partition === undefined) this.#addAll(wanted, info, wanted.start)
        else if (info.partitions[partition] === undefined) throw noSuchPartition(info, partition)
      }
    }
    this.#stopWatching = this.#core.metadata.onChange((name, info) => this.#changed(name, info))
    this.#tell.begun()
  }

  /** Waits for a broker for ever (CLIENT 3, 20), but not for a topic that does not exist. */
  async #topicInfo(name: string, signal: AbortSignal): Promise<TopicInfo> {
    for (;;) {
      try {
        return await this.#core.metadata.topic(name, { signal })
      } catch (error) {
        if (signal.aborted || !isMinikafkaError(error) || error.name !== 'TIMED_OUT') throw error
      }
    }
  }

  #wantedOf(name: string): readonly Wanted[] {
    return this.#wanted.filter(({ topic }) => topicName(topic) === name)
  }

  #addAll(wanted: Wanted, info: TopicInfo, start: OffsetSpec): void {
    for (const { partition } of info.partitions) this.#add(wanted, partition, start)
  }

  #add({ topic }: Wanted, partition: number, start: OffsetSpec): void {
    const { compress } = this.#core.env
    const feed = new Feed(compress, { topic, partition, start, onAck: this.#tell.acked })
    if (this.#byKey.has(feed.key)) return
    feed.topicId = this.#core.metadata.topicNow(feed.topic)?.topicId ?? ''
    this.#byKey.set(feed.key, feed)
    this.#list = [...this.#byKey.values()]
  }

  #changed(name: string, info: TopicInfo | undefined): void {
    const wanted = this.#wantedOf(name)
    if (wanted.length === 0) return
    if (info === undefined) {
      this.#tell.lost(goneTopic(name))
      return
    }
    for (const feed of this.#list) if (feed.topic === name) this.#meet(feed, info)
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
    feed.restart('earliest')
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

  close(reason: MinikafkaError): void {
    this.#stopWatching?.()
    for (const feed of this.#list) feed.abort(reason)
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
