// The partitions that a consumer reads: which they are, where they begin, which has something to hand out.
// Enters: topics and partitions wanted, and what metadata says of them. Leaves: the next feed with data, in turn.
import { isMinikafkaError, MinikafkaError } from '@minikafka/protocol'
import { offsetsOf } from '../admin/index.ts'
import { type Core, Deadline, type TopicInfo } from '../core/index.ts'
import { topicName } from '../topic/index.ts'
import type { OffsetSpec, TopicPartition } from '../words.ts'
import { Feed } from './feed.ts'
import type { ConsumerSettings, Wanted } from './settings.ts'

export class Feeds {
  readonly #core: Core
  readonly #settings: ConsumerSettings
  readonly #byKey = new Map<string, Feed>()
  #list: readonly Feed[] = []
  #turn = 0
  #wakers: (() => void)[] = []
  #stopWatch: (() => void) | undefined
  /** Aborts when the consumer closes. */
  #signal: AbortSignal = AbortSignal.abort()
  #opening: Promise<void> | undefined
  readonly #onAssigned: (feeds: readonly Feed[]) => void
  readonly #onDemand: () => void

  constructor(
    core: Core,
    settings: ConsumerSettings,
    tell: { assigned: (feeds: readonly Feed[]) => void; demand: () => void },
  ) {
    this.#core = core
    this.#settings = settings
    this.#onAssigned = tell.assigned
    this.#onDemand = tell.demand
    for (const wanted of settings.wanted) {
      if (wanted.partition !== undefined) this.#add(wanted, wanted.partition, wanted.start)
    }
  }

  all(): readonly Feed[] {
    return this.#list
  }

  get({ topic, partition }: TopicPartition): Feed | undefined {
    return this.#byKey.get(`${topic}-${partition}`)
  }

  // --- which -------------------------------------------------------------------------------

  /** Learns the partitions and resolves where they begin. Errors: of a topic that is not there. Once. */
  open(signal: AbortSignal): Promise<void> {
    this.#opening ??= this.#open(signal).catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  async #open(signal: AbortSignal): Promise<void> {
    this.#signal = signal
    for (const wanted of this.#settings.wanted) {
      const info = await this.#topicInfo(topicName(wanted.topic), signal)
      if (wanted.partition === undefined) this.#addAll(wanted, info, wanted.start)
    }
    this.#stopWatch ??= this.#core.metadata.onChange((name, info) => this.#changed(name, info))
    await this.resolveStarts(signal)
  }

  /** Waits for a broker for ever, but not for a topic that does not exist. */
  async #topicInfo(name: string, signal: AbortSignal): Promise<TopicInfo> {
    for (;;) {
      try {
        return await this.#core.metadata.topic(name, { signal })
      } catch (error) {
        if (signal.aborted || !isMinikafkaError(error) || error.name !== 'TIMED_OUT') throw error
      }
    }
  }

  #addAll(wanted: Wanted, info: TopicInfo, start: OffsetSpec): Feed[] {
    const added: Feed[] = []
    for (const { partition } of info.partitions) {
      const feed = this.#add(wanted, partition, start)
      if (feed) added.push(feed)
    }
    return added
  }

  #add({ topic }: Wanted, partition: number, start: OffsetSpec): Feed | undefined {
    const feed = new Feed(this.#core.env.compress, topic, partition, start)
    if (this.#byKey.has(feed.key)) return undefined
    feed.topicId = this.#core.metadata.topicNow(feed.topic)?.topicId ?? ''
    feed.lastProgressMs = this.#core.env.clock.monotonicMs()
    this.#byKey.set(feed.key, feed)
    this.#list = [...this.#byKey.values()]
    return feed
  }

  /** A topic grew: its new partitions begin at their earliest offset, nothing in them was missed. */
  #changed(name: string, info: TopicInfo | undefined): void {
    if (info === undefined) return
    for (const feed of this.#list) {
      if (feed.topic !== name || feed.topicId === info.topicId) continue
      // Another topic under the same name: its first record is the first one that this reader has not seen.
      const isNew = feed.topicId !== ''
      feed.topicId = info.topicId
      if (isNew) feed.restart('earliest')
    }
    const added = this.#settings.wanted
      .filter((wanted) => wanted.partition === undefined && topicName(wanted.topic) === name)
      .flatMap((wanted) => this.#addAll(wanted, info, 'earliest'))
    if (added.length > 0) this.#onAssigned(added)
    void this.#resolveNew()
  }

  async #resolveNew(): Promise<void> {
    try {
      await this.resolveStarts(this.#signal)
    } catch (error) {
      if (!this.#signal.aborted && isMinikafkaError(error)) this.#core.report(error)
    }
    this.#onDemand()
  }

  // --- where -------------------------------------------------------------------------------

  /** Turns starts into offsets, asking again until it works. */
  async resolveStarts(signal: AbortSignal): Promise<void> {
    for (let failures = 0; ; failures++) {
      const waiting = this.#list.filter(({ start }) => start !== undefined)
      if (waiting.length === 0) return
      try {
        for (const name of new Set(waiting.map(({ topic }) => topic))) {
          await this.#resolveTopic(
            waiting.filter(({ topic }) => topic === name),
            signal,
          )
        }
      } catch (error) {
        if (
          signal.aborted ||
          !isMinikafkaError(error) ||
          !(error.retriable || error.name === 'TIMED_OUT')
        )
          throw error
        this.#core.logger.debug({ err: error }, 'where to begin is not known yet')
        await new Deadline(this.#core.env.clock, { signal }, undefined, 'start').sleep(
          this.#core.backoffMs(failures + 1),
        )
        await this.#core.metadata.refresh('where to begin is not known', [
          ...new Set(waiting.map(({ topic }) => topic)),
        ])
      }
    }
  }

  async #resolveTopic(feeds: readonly Feed[], signal: AbortSignal): Promise<void> {
    const [first] = feeds
    if (first === undefined) return
    const info = await this.#topicInfo(first.topic, signal)
    const deadline = new Deadline(
      this.#core.env.clock,
      { signal },
      this.#core.settings.requestTimeoutMs,
      'finding offsets',
    )
    const specs = new Map<string, { spec: OffsetSpec; feeds: Feed[] }>()
    for (const feed of feeds) {
      if (feed.start === undefined) continue
      const id = JSON.stringify(feed.start)
      const group = specs.get(id) ?? { spec: feed.start, feeds: [] }
      group.feeds.push(feed)
      specs.set(id, group)
    }
    for (const { spec, feeds: same } of specs.values()) {
      const generations = same.map(({ generation }) => generation)
      const partitions = same.map(({ partition }) => this.#existing(info, partition))
      const offsets = await offsetsOf(
        this.#core,
        info,
        partitions,
        spec,
        deadline,
        this.#settings.isolation,
      )
      for (const [index, feed] of same.entries()) {
        // A seek while we asked wins.
        if (feed.generation !== generations[index]) continue
        feed.topicId = info.topicId
        feed.seek(offsets.get(feed.partition) ?? 0)
      }
    }
    this.#onDemand()
  }

  #existing(info: TopicInfo, partition: number): number {
    if (info.partitions[partition] !== undefined) return partition
    throw noSuchPartition(info, partition)
  }

  // --- whose turn --------------------------------------------------------------------------

  /** The next feed with something to hand out, in turn, so that none starves. */
  next(): Feed | undefined {
    const list = this.#list
    for (let step = 0; step < list.length; step++) {
      const feed = list[(this.#turn + step) % list.length]
      if (!feed?.ready) continue
      this.#turn = (this.#turn + step + 1) % list.length
      return feed
    }
    return undefined
  }

  /** Resolves at the next `wake`. */
  awaken(): Promise<void> {
    return new Promise((resolve) => this.#wakers.push(resolve))
  }

  wake(): void {
    const wakers = this.#wakers
    if (wakers.length === 0) return
    this.#wakers = []
    for (const waker of wakers) waker()
  }

  close(reason: MinikafkaError): void {
    this.#stopWatch?.()
    for (const feed of this.#list) feed.abort(reason)
    this.wake()
  }
}

function noSuchPartition({ name, partitions }: TopicInfo, partition: number): MinikafkaError {
  return new MinikafkaError('INVALID_OPTION', {
    message: `'${name}' has ${partitions.length} partitions, 0 to ${partitions.length - 1}; there is no ${partition}`,
    topic: name,
    partition,
  })
}
