// Where partitions begin: turns starts and seeks into offsets, asking again until it works.
// Each leader is asked for itself, so that a slow one does not delay the others (CLIENT 3, 12).
import { isMinikafkaError, type MinikafkaError } from '@minikafka/protocol'
import { findOffsets } from '../admin/index.ts'
import { Alarm, type Core, Deadline, type TopicInfo } from '../core/index.ts'
import type { OffsetSpec } from '../words.ts'
import type { Feed } from './feed.ts'
import { isGroupStart } from './group-starts.ts'

type Group = { readonly info: TopicInfo; readonly at: OffsetSpec; readonly feeds: Feed[] }

export class Starts {
  readonly #core: Core
  readonly #isolation: number
  readonly #feeds: () => readonly Feed[]
  readonly #found: (feeds: readonly Feed[]) => void
  readonly #signal: AbortSignal
  readonly #alarm: Alarm
  /** Feeds with a question on its way, and in which generation it was asked. */
  readonly #asked = new Map<Feed, number>()

  /** `found` is told the feeds that now know where to begin, or that never will: their `failure` says why. */
  constructor(
    core: Core,
    options: { readonly isolation: number; readonly signal: AbortSignal },
    feeds: () => readonly Feed[],
    found: (feeds: readonly Feed[]) => void,
  ) {
    this.#core = core
    this.#isolation = options.isolation
    this.#signal = options.signal
    this.#feeds = feeds
    this.#found = found
    this.#alarm = new Alarm(core.env.clock, () => this.go())
  }

  /** Asks for all that wait and are due. */
  go(): void {
    if (this.#signal.aborted) return
    for (const group of this.#groups()) void this.#resolve(group)
  }

  close(): void {
    this.#alarm.cancel()
  }

  #groups(): Iterable<Group> {
    const groups = new Map<string, Group>()
    const nowMs = this.#core.env.clock.monotonicMs()
    for (const feed of this.#feeds()) {
      const { start: at } = feed
      // Where its group stands is asked first, and not here.
      if (at === undefined || isGroupStart(at) || feed.failure !== undefined) continue
      if (this.#asked.get(feed) === feed.generation) continue
      if (feed.notBeforeMs > nowMs) {
        this.#alarm.in(feed.notBeforeMs - nowMs)
        continue
      }
      const info = this.#core.metadata.topicNow(feed.topic)
      const leaderId = info?.partitions[feed.partition]?.leaderId ?? -1
      if (info === undefined || leaderId < 0) {
        this.#later(feed, 'it has no leader')
        continue
      }
      this.#asked.set(feed, feed.generation)
      const id = `${feed.topic} ${leaderId} ${JSON.stringify(at)}`
      const group = groups.get(id)
      if (group) group.feeds.push(feed)
      else groups.set(id, { info, at, feeds: [feed] })
    }
    return groups.values()
  }

  async #resolve({ info, at, feeds }: Group): Promise<void> {
    const { clock } = this.#core.env
    const { requestTimeoutMs } = this.#core.settings
    const deadline = new Deadline(clock, { signal: this.#signal }, requestTimeoutMs, 'offsets')
    const generations = feeds.map(({ generation }) => generation)
    const partitions = feeds.map(({ partition }) => partition)
    const question = { topic: info, partitions, isolation: this.#isolation }
    const found = await findOffsets(this.#core, question, at, deadline).catch(() => undefined)
    const settled: Feed[] = []
    for (const [index, feed] of feeds.entries()) {
      // A seek while we asked wins; it has asked for itself.
      if (this.#asked.get(feed) !== generations[index]) continue
      this.#asked.delete(feed)
      if (feed.generation !== generations[index] || this.#signal.aborted) continue
      const answer = found?.get(feed.partition)
      if (this.#answered(feed, info, answer)) settled.push(feed)
    }
    if (settled.length > 0) this.#found(settled)
  }

  #answered(feed: Feed, info: TopicInfo, answer: number | MinikafkaError | undefined): boolean {
    if (typeof answer === 'number') {
      if (feed.topicId === '') feed.topicId = info.topicId
      feed.move(answer)
      return true
    }
    if (isMinikafkaError(answer) && !answer.retriable) {
      feed.failure = answer
      return true
    }
    this.#later(feed, answer?.name ?? 'unexpected')
    return false
  }

  /** Again after the back-off, with fresh metadata: the leader may be another one by then. */
  #later(feed: Feed, reason: string): void {
    const delayMs = this.#core.backoffMs(++feed.failures)
    const { topic, partition } = feed
    this.#core.logger.debug({ topic, partition, reason, delayMs }, 'where to begin is asked later')
    feed.notBeforeMs = this.#core.env.clock.monotonicMs() + delayMs
    this.#alarm.in(delayMs)
    void this.#core.metadata.refresh(reason, [topic])
  }
}
