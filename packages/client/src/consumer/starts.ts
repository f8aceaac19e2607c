// Where partitions begin: turns starts and seeks into offsets, asking again until it works.
// Each leader is asked for itself, so that a slow one does not delay the others (CLIENT 3, 12).
import { isMinikafkaError, MinikafkaError } from '@minikafka/protocol'
import { findOffsets } from '../admin/index.ts'
import { Alarm, type Core, Deadline, type TopicInfo } from '../core/index.ts'
import type { OffsetSpec } from '../words.ts'
import type { Feed } from './feed.ts'
import { isGroupStart } from './group-starts.ts'

/** How often it is told that a place to begin cannot be read. */
const TELL_MS = 10_000

type Tell = {
  /** These feeds now know where to begin, or nobody knows: their `failure` says why. */
  readonly found: (feeds: readonly Feed[]) => void
  /** Something is wrong that trying again may not cure; it is tried again all the same. */
  readonly trouble: (error: MinikafkaError) => void
}

/** Since when a broker cannot read where a feed begins, and when that was told last. */
type Unreadable = { readonly generation: number; readonly sinceMs: number; toldMs: number }

type Group = { readonly info: TopicInfo; readonly at: OffsetSpec; readonly feeds: Feed[] }

export class Starts {
  readonly #core: Core
  readonly #isolation: number
  readonly #feeds: () => readonly Feed[]
  readonly #tell: Tell
  readonly #signal: AbortSignal
  readonly #alarm: Alarm
  /** Feeds with a question on its way, and in which generation it was asked. */
  readonly #asked = new Map<Feed, number>()
  readonly #unreadable = new WeakMap<Feed, Unreadable>()

  constructor(
    core: Core,
    options: { readonly isolation: number; readonly signal: AbortSignal },
    feeds: () => readonly Feed[],
    tell: Tell,
  ) {
    this.#core = core
    this.#isolation = options.isolation
    this.#signal = options.signal
    this.#feeds = feeds
    this.#tell = tell
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
    if (settled.length > 0) this.#tell.found(settled)
  }

  #answered(feed: Feed, info: TopicInfo, answer: number | MinikafkaError | undefined): boolean {
    const isUnreadable = isMinikafkaError(answer) && answer.name === 'KAFKA_STORAGE_ERROR'
    if (!isUnreadable) this.#unreadable.delete(feed)
    if (typeof answer === 'number') {
      if (feed.topicId === '') feed.topicId = info.topicId
      feed.move(answer)
      return true
    }
    const failure = isUnreadable ? this.#overdue(feed, answer) : answer
    if (isMinikafkaError(failure) && (isUnreadable || !failure.retriable)) {
      feed.failure = failure
      return true
    }
    this.#later(feed, answer?.name ?? 'unexpected')
    return false
  }

  /**
   * A disk that cannot be read may be exchanged some day: it is asked again and told of meanwhile, but not for longer
   * than a request may take. Then it is the reader's to decide, and this is the error that it gets.
   */
  #overdue(feed: Feed, cause: MinikafkaError): MinikafkaError | undefined {
    const { topic, partition, generation } = feed
    const { requestTimeoutMs } = this.#core.settings
    const nowMs = this.#core.env.clock.monotonicMs()
    const known = this.#unreadable.get(feed)
    const isKnown = known?.generation === generation
    const state = isKnown ? known : { generation, sinceMs: nowMs, toldMs: Number.NEGATIVE_INFINITY }
    this.#unreadable.set(feed, state)
    const where = `${feed.key}: where to begin (${JSON.stringify(feed.start)})`
    const error = (what: string) => {
      const message = `${where} ${what}: ${cause.message}`
      return new MinikafkaError(cause.name, { topic, partition, message }, { cause })
    }
    if (nowMs + this.#core.backoffMs(feed.failures + 1) >= state.sinceMs + requestTimeoutMs) {
      this.#unreadable.delete(feed)
      return error(`could not be read for ${Math.round(nowMs - state.sinceMs)} ms`)
    }
    if (nowMs < state.toldMs + TELL_MS) return undefined
    state.toldMs = nowMs
    this.#tell.trouble(error('cannot be read, and is asked for again'))
    return undefined
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
