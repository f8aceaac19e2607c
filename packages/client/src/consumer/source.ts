// Where the reading modes get records from: the next feed that has some; what is broken meets the policy on the way.
import { sleep } from '@minikafka/platform'
import type { MinikafkaError } from '@minikafka/protocol'
import type { Core } from '../core/index.ts'
import type { Bell } from './bell.ts'
import type { Broken } from './decoder.ts'
import type { Feed } from './feed.ts'
import type { Feeds } from './feeds.ts'
import type { Fetcher } from './fetcher.ts'
import type { Policy } from './policy.ts'
import type { Starts } from './starts.ts'

export type SourceParts = {
  readonly feeds: Feeds
  readonly fetcher: Fetcher
  readonly starts: Starts
  readonly policy: Policy
  readonly bell: Bell
  /** Aborts when the consumer closes. */
  readonly signal: AbortSignal
}

export class Source {
  readonly #core: Core
  readonly #parts: SourceParts
  /** What stops the reader, found out while records of others were in hand. */
  #kept: { readonly error: unknown } | undefined

  constructor(core: Core, parts: SourceParts) {
    this.#core = core
    this.#parts = parts
  }

  /**
   * A feed with decoded records to hand out, if there is one now.
   *
   * Errors  what stops the reader: the policy's word on a broken record, OFFSET_OUT_OF_RANGE, a refusal. Asked
   *         again the consumer tries again: whoever caught it may have changed what was wrong.
   */
  next(): Feed | undefined {
    this.#throwKept()
    for (;;) {
      const feed = this.#parts.feeds.next()
      if (feed === undefined) {
        // What was handed out has made room.
        this.#parts.fetcher.demand()
        return undefined
      }
      if (feed.index < feed.records.length) return feed
      const filling = feed.fill()
      this.#parts.fetcher.demandFor(feed)
      if (filling !== undefined) this.#occupy(feed, filling)
      else if (feed.index < feed.records.length) return feed
      else if (feed.broken !== undefined) this.#settle(feed, feed.broken)
      else if (feed.failure !== undefined) this.#fail(feed, feed.failure)
    }
  }

  /** Decodes more of `feed`, up to `goal` records, as far as that takes no time. */
  gather(feed: Feed, goal: number): void {
    const filling = feed.fill(goal)
    if (filling !== undefined) this.#occupy(feed, filling)
    this.#parts.fetcher.demandFor(feed)
  }

  /** Resolves when something has changed, so that it is worth asking again. Errors: `signal.reason`. */
  change(signal: AbortSignal | undefined): Promise<void> {
    return this.#parts.bell.wait(signal)
  }

  /** Makes those look again who wait for a change. */
  wake(): void {
    this.#parts.bell.ring()
  }

  /** `error` is thrown by the following `next`. */
  keep(error: unknown): void {
    this.#kept = { error }
  }

  #throwKept(): void {
    const kept = this.#kept
    if (kept === undefined) return
    this.#kept = undefined
    throw kept.error
  }

  /** While `work` is on nothing of this partition is handed out; the others go on. */
  #occupy(feed: Feed, work: Promise<void>): void {
    const { generation } = feed
    feed.busy = true
    work
      .catch((error: unknown) => {
        if (generation === feed.generation) this.keep(error)
      })
      .finally(() => {
        if (generation === feed.generation) feed.busy = false
        this.#parts.bell.ring()
      })
  }

  /** Returns when the record is passed by, or will be, or is tried again. Errors: the record's, where it stops the reader. */
  #settle(feed: Feed, broken: Broken): void {
    const { error, record } = broken
    const failed = { error, record, attempt: ++feed.attempts }
    const verdict = this.#parts.policy.decide(failed)
    if (verdict === 'stop') {
      // Asked again it is fetched again: what was wrong may have been on the way, or may be repaired by then.
      if (record === undefined) {
        feed.move(broken.offset)
        this.#parts.fetcher.redirect([feed])
      }
      throw error
    }
    if (typeof verdict === 'object') this.#occupy(feed, this.#retry(feed, verdict.retryAfterMs))
    else if (verdict === 'skip') this.#passBy(feed, broken)
    else {
      const { generation } = feed
      const sending = this.#parts.policy.deadLetter(failed)
      const passing = sending.then(() => {
        if (generation === feed.generation) this.#passBy(feed, broken)
      })
      this.#occupy(feed, passing)
    }
  }

  /**
   * No more comes of this partition. Where it begins can be asked for again, if the policy says so: passing it by
   * has no other meaning, for there is no record yet. Errors: the failure, where it stops the reader.
   */
  #fail(feed: Feed, error: MinikafkaError): void {
    feed.failure = undefined
    if (feed.start === undefined || error.name !== 'KAFKA_STORAGE_ERROR') throw error
    const verdict = this.#parts.policy.decide({
      error,
      record: undefined,
      attempt: ++feed.attempts,
    })
    if (verdict === 'stop' || verdict === 'dead-letter') throw error
    this.#core.logger.warn(
      { err: error },
      'where a partition begins is asked for again, as onError says',
    )
    const isTimed = typeof verdict === 'object'
    const afterMs = isTimed ? verdict.retryAfterMs : this.#core.backoffMs(feed.attempts)
    feed.notBeforeMs = this.#core.env.clock.monotonicMs() + afterMs
    this.#parts.starts.go()
  }

  async #retry(feed: Feed, afterMs: number): Promise<void> {
    const { generation } = feed
    const { signal } = this.#parts
    await sleep(this.#core.env.clock, afterMs, signal).catch(() => undefined)
    if (signal.aborted || generation !== feed.generation) return
    await feed.retryBroken()
  }

  #passBy(feed: Feed, { error }: Broken): void {
    this.#core.logger.warn({ err: error }, 'a record was passed by, as onError says')
    feed.skipBroken()
  }
}
