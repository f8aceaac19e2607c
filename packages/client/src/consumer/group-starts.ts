// Where partitions of a group begin: where the group stands, and only where it stands nowhere as the options say.
// Enters: feeds that wait for that. Leaves: their position, or the point that Starts has to find.
import { isMinikafkaError, MinikafkaError } from '@minikafka/protocol'
import { Alarm, type Core, Deadline } from '../core/index.ts'
import { type Asker, fetchCommitted, keyOf } from '../group/index.ts'
import type { Feed } from './feed.ts'
import type { FeedStart, GroupStart } from './settings.ts'

export type GroupStartsParts = {
  readonly signal: AbortSignal
  readonly feeds: () => readonly Feed[]
  readonly asker: () => Asker
  /** The coordinator sees the membership differently: ask it. */
  readonly doubt: () => void
  /** As in Starts: these know where to begin, or never will. */
  readonly found: (feeds: readonly Feed[]) => void
  /** These have a point now that has to be found. */
  readonly begun: () => void
}

type Asked = { readonly feed: Feed; readonly generation: number }
type Answer = number | undefined | MinikafkaError

export function isGroupStart(start: FeedStart | undefined): start is GroupStart {
  return typeof start === 'object' && 'orElse' in start
}

export class GroupStarts {
  readonly #core: Core
  readonly #parts: GroupStartsParts
  readonly #alarm: Alarm
  /** Feeds with a question on its way, and in which generation it was asked. */
  readonly #asked = new Map<Feed, number>()

  constructor(core: Core, parts: GroupStartsParts) {
    this.#core = core
    this.#parts = parts
    this.#alarm = new Alarm(core.env.clock, () => this.go())
  }

  /** Asks for all that wait and are due, at once. */
  go(): void {
    if (this.#parts.signal.aborted) return
    const nowMs = this.#core.env.clock.monotonicMs()
    const asked: Asked[] = []
    for (const feed of this.#parts.feeds()) {
      const { generation } = feed
      if (!isGroupStart(feed.start) || feed.failure !== undefined || feed.topicId === '') continue
      if (this.#asked.get(feed) === generation) continue
      if (feed.notBeforeMs > nowMs) this.#alarm.in(feed.notBeforeMs - nowMs)
      else asked.push({ feed, generation })
    }
    for (const { feed, generation } of asked) this.#asked.set(feed, generation)
    if (asked.length > 0) void this.#ask(asked)
  }

  close(): void {
    this.#alarm.cancel()
  }

  async #ask(asked: readonly Asked[]): Promise<void> {
    const found = await this.#fetch(asked.map(({ feed }) => feed))
    const settled: Feed[] = []
    let isBegun = false
    for (const { feed, generation } of asked) {
      if (this.#asked.get(feed) !== generation) continue
      this.#asked.delete(feed)
      // A seek while we asked wins.
      if (feed.generation !== generation || !isGroupStart(feed.start)) continue
      if (this.#answered(feed, feed.start, found(feed))) settled.push(feed)
      else isBegun ||= !isGroupStart(feed.start)
    }
    if (this.#parts.signal.aborted) return
    if (isBegun) this.#parts.begun()
    if (settled.length > 0) this.#parts.found(settled)
  }

  /** What was answered of each; the error of the whole where there is one. */
  async #fetch(feeds: readonly Feed[]): Promise<(feed: Feed) => Answer> {
    const { asker, signal } = this.#parts
    const { clock } = this.#core.env
    const { requestTimeoutMs } = this.#core.settings
    const deadline = new Deadline(clock, { signal }, requestTimeoutMs, 'committed offsets')
    try {
      const found = await fetchCommitted(this.#core, asker(), feeds, deadline)
      return (feed) => found.get(keyOf(feed))
    } catch (error) {
      const known = isMinikafkaError(error) ? error : new MinikafkaError('UNKNOWN_SERVER_ERROR')
      return () => known
    }
  }

  /** True: it knows where to begin, or never will. */
  #answered(feed: Feed, { orElse }: GroupStart, answer: Answer): boolean {
    if (typeof answer === 'number') {
      feed.move(answer)
      feed.committed = answer
      return true
    }
    if (answer !== undefined) return this.#refused(feed, answer)
    feed.failures = 0
    if (orElse !== 'error') {
      feed.start = orElse
      return false
    }
    feed.failure = nothingCommitted(feed, this.#parts.asker().groupId)
    return true
  }

  #refused(feed: Feed, error: MinikafkaError): boolean {
    const { name } = error
    const isDoubtful = name === 'STALE_MEMBER_EPOCH' || name === 'UNKNOWN_MEMBER_ID'
    if (!isDoubtful && !error.retriable && name !== 'UNKNOWN_SERVER_ERROR') {
      feed.failure = error
      return true
    }
    // The epoch moved while we asked, or the partition is about to be lost: the next heartbeat tells.
    if (isDoubtful) this.#parts.doubt()
    const delayMs = this.#core.backoffMs(++feed.failures)
    const { topic, partition } = feed
    const about = { err: error, topic, partition, delayMs }
    this.#core.logger.debug(about, 'where the group stands is asked later')
    feed.notBeforeMs = this.#core.env.clock.monotonicMs() + delayMs
    this.#alarm.in(delayMs)
    return false
  }
}

function nothingCommitted({ topic, partition, key }: Feed, group: string): MinikafkaError {
  const cure = 'give start a point, or commit one: admin.resetOffsets, group seek'
  const message = `${key}: group '${group}' has committed nothing there, and start is 'error'; ${cure}`
  return new MinikafkaError('OFFSET_OUT_OF_RANGE', { topic, partition, message })
}
