// Where the reading modes get records from: the next feed with data, its complaints settled by the policy on the way.

import { sleep } from '@minikafka/platform'
import { MinikafkaError } from '@minikafka/protocol'
import type { Core } from '../core/index.ts'
import type { Feed } from './feed.ts'
import type { Feeds } from './feeds.ts'
import type { Fetcher } from './fetcher.ts'
import type { Policy } from './policy.ts'

export class Source {
  readonly #core: Core
  readonly #feeds: Feeds
  readonly #fetcher: Fetcher
  readonly #policy: Policy
  readonly #stopped: () => boolean
  readonly #attempts = new Map<string, number>()

  constructor(
    core: Core,
    parts: { feeds: Feeds; fetcher: Fetcher; policy: Policy; stopped: () => boolean },
  ) {
    this.#core = core
    this.#feeds = parts.feeds
    this.#fetcher = parts.fetcher
    this.#policy = parts.policy
    this.#stopped = parts.stopped
  }

  /** A feed with decoded records to hand out, without waiting; undefined: there is none now. Errors: what stops the reader. */
  now(): Feed | undefined | Promise<void> {
    for (;;) {
      if (this.#stopped()) return undefined
      const feed = this.#feeds.next()
      if (feed === undefined) return undefined
      const filling = feed.fill()
      this.#fetcher.demandFor(feed)
      if (filling !== undefined) return filling
      if (feed.index < feed.records.length) return feed
      if (feed.broken !== undefined) return this.#settleBroken(feed)
      if (feed.failure !== undefined) throw this.#takeFailure(feed)
    }
  }

  /** Waits for one; undefined: the consumer was stopped. `signal` rejects with its reason. */
  async wait(signal: AbortSignal | undefined): Promise<Feed | undefined> {
    while (!this.#stopped()) {
      signal?.throwIfAborted()
      const awake = this.#feeds.awaken()
      const found = this.now()
      if (found instanceof Promise) await found
      else if (found !== undefined) {
        this.#feeds.wake()
        return found
      } else await untilAborted(awake, signal, () => this.#feeds.wake())
    }
    return undefined
  }

  /** Bytes wait at the broker as long as nobody asks: whoever took records says so. */
  handedOut(feed: Feed): void {
    this.#fetcher.demandFor(feed)
  }

  #takeFailure(feed: Feed): MinikafkaError {
    const error = feed.failure ?? new MinikafkaError('UNKNOWN_SERVER_ERROR')
    // Asked again, the consumer tries again: whoever caught it may have changed what was wrong.
    feed.failure = undefined
    return error
  }

  async #settleBroken(feed: Feed): Promise<void> {
    const { broken, generation } = feed
    if (broken === undefined) return
    const id = `${feed.key}@${broken.offset}`
    const attempt = (this.#attempts.get(id) ?? 0) + 1
    const verdict = this.#policy.decide(broken.error, broken.raw, attempt)
    if (typeof verdict === 'object') {
      this.#attempts.set(id, attempt)
      await sleep(this.#core.env.clock, verdict.retryAfterMs)
      if (feed.generation === generation) feed.seek(broken.offset)
      this.#fetcher.demandFor(feed)
      return
    }
    this.#attempts.delete(id)
    if (verdict === 'stop') throw broken.error
    if (verdict === 'dead-letter') {
      if (broken.raw === undefined) throw broken.error
      await this.#policy.deadLetter(broken.raw, broken.error, attempt)
    }
    this.#core.logger.warn({ err: broken.error }, 'a record was passed by, as onError says')
    if (feed.generation === generation) feed.skipBroken()
    this.#fetcher.demandFor(feed)
  }
}

/** Resolves with `work`, rejects with the signal's reason; `abandon` lets the work end. */
async function untilAborted(
  work: Promise<void>,
  signal: AbortSignal | undefined,
  abandon: () => void,
): Promise<void> {
  if (signal === undefined) return work
  signal.addEventListener('abort', abandon, { once: true })
  try {
    await work
  } finally {
    signal.removeEventListener('abort', abandon)
  }
  signal.throwIfAborted()
}
