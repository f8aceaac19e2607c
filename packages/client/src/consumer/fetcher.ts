// Fetching ahead: per broker one connection with one request outstanding; the next is sent before anything is decoded.
// Enters: feeds that want data. Leaves: raw batches in the feeds, or what is wrong with one of them.
import {
  type Apis,
  type ErrorName,
  errorName,
  isMinikafkaError,
  MinikafkaError,
  type ResponseOf,
} from '@minikafka/protocol'
import type { Core, Lane } from '../core/index.ts'
import type { Feed } from './feed.ts'
import type { Feeds } from './feeds.ts'
import type { ConsumerSettings } from './settings.ts'

type Result = ResponseOf<Apis['fetch']>['results'][number]
type Plan = { readonly feed: Feed; readonly generation: number; readonly offset: number }

/** Errors that fresh metadata may cure. */
const STALE: ReadonlySet<ErrorName> = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'UNKNOWN_TOPIC_ID',
  'UNKNOWN_TOPIC_OR_PARTITION',
])

export class Fetcher {
  readonly #core: Core
  readonly #settings: ConsumerSettings
  readonly #feeds: Feeds
  readonly #lane: Lane
  readonly #closing = new AbortController()
  /** Brokers with a request outstanding. */
  readonly #busy = new Set<number>()
  #rotation = 0

  constructor(core: Core, settings: ConsumerSettings, feeds: Feeds, lane: Lane) {
    this.#core = core
    this.#settings = settings
    this.#feeds = feeds
    this.#lane = lane
  }

  /** Asks every broker that leads a feed which wants data and has no request outstanding. */
  demand(): void {
    if (this.#closing.signal.aborted) return
    for (const [leaderId, plans] of this.#plans()) {
      if (this.#busy.has(leaderId)) continue
      this.#busy.add(leaderId)
      void this.#fetch(leaderId, plans)
    }
  }

  /** The same after `feed` has room again; cheap while its broker is being asked anyway. */
  demandFor(feed: Feed): void {
    if (!this.#busy.has(this.#leaderOf(feed))) this.demand()
  }

  close(): void {
    this.#closing.abort(new MinikafkaError('CLOSED'))
    this.#core.closeLane(this.#lane)
  }

  // --- what to ask -------------------------------------------------------------------------

  #plans(): Map<number, Plan[]> {
    const plans = new Map<number, Plan[]>()
    const all = this.#feeds.all()
    const share = Math.max(1, this.#settings.prefetchBytes / Math.max(1, all.length))
    const nowMs = this.#core.env.clock.monotonicMs()
    for (const feed of all) {
      if (feed.paused || feed.failure !== undefined || feed.fetchOffset < 0) continue
      if (feed.bufferedBytes >= share || feed.notBeforeMs > nowMs) continue
      const leaderId = this.#leaderOf(feed)
      if (leaderId < 0) {
        this.#postpone(feed, 'it has no leader')
        continue
      }
      const list = plans.get(leaderId)
      const plan = { feed, generation: feed.generation, offset: feed.fetchOffset }
      if (list) list.push(plan)
      else plans.set(leaderId, [plan])
    }
    return plans
  }

  #leaderOf(feed: Feed): number {
    return this.#core.metadata.topicNow(feed.topic)?.partitions[feed.partition]?.leaderId ?? -1
  }

  async #fetch(leaderId: number, plans: readonly Plan[]): Promise<void> {
    const { fetchMaxWaitMs, fetchMinBytes, fetchMaxBytes, isolation } = this.#settings
    const first = this.#rotation++ % plans.length
    const rotated = [...plans.slice(first), ...plans.slice(0, first)]
    try {
      const { results } = await this.#core.call(
        'fetch',
        {
          replicaId: -1,
          brokerEpoch: -1,
          sessionId: 0,
          sessionEpoch: -1,
          isolation,
          rack: '',
          maxWaitMs: fetchMaxWaitMs,
          minBytes: fetchMinBytes,
          maxBytes: fetchMaxBytes,
          partitions: rotated.map((plan) => this.#wanted(plan)),
        },
        {
          to: leaderId,
          lane: this.#lane,
          timeoutMs: fetchMaxWaitMs + this.#core.settings.requestTimeoutMs,
        },
      )
      this.#busy.delete(leaderId)
      this.#takeAll(results, plans)
    } catch (error) {
      this.#busy.delete(leaderId)
      if (this.#closing.signal.aborted) return
      this.#failed(plans, error)
    }
    this.demand()
  }

  #wanted({ feed, offset }: Plan) {
    return {
      topicId: feed.topicId,
      partition: feed.partition,
      leaderEpoch:
        this.#core.metadata.topicNow(feed.topic)?.partitions[feed.partition]?.leaderEpoch ?? -1,
      fetchOffset: offset,
      lastFetchedEpoch: feed.lastEpoch,
      durableOffset: -1,
      logStartOffset: -1,
      maxBytes: this.#settings.partitionMaxBytes,
    }
  }

  // --- what came ---------------------------------------------------------------------------

  #takeAll(results: readonly Result[], plans: readonly Plan[]): void {
    const byId = new Map(plans.map((plan) => [`${plan.feed.topicId}-${plan.feed.partition}`, plan]))
    let news = false
    for (const result of results) {
      const plan = byId.get(`${result.topicId}-${result.partition}`)
      // A seek or a pause-and-seek came in between: this answers a question that nobody asks any more.
      if (plan === undefined || plan.generation !== plan.feed.generation) continue
      news = this.#takeOne(result, plan.feed) || news
    }
    if (news) this.#feeds.wake()
  }

  #takeOne(result: Result, feed: Feed): boolean {
    if (result.errorCode !== 0) return this.#refused(errorName(result.errorCode), result, feed)
    if (result.diverging !== null) return this.#diverged(result, feed)
    feed.failures = 0
    feed.highWatermark =
      this.#settings.isolation === 1 ? result.lastStableOffset : result.highWatermark
    feed.logStartOffset = result.logStartOffset
    if (result.records.length === 0) return false
    feed.take(result.records, result.aborted)
    return true
  }

  #refused(name: ErrorName, result: Result, feed: Feed): boolean {
    if (name === 'OFFSET_OUT_OF_RANGE') return this.#outOfRange(result, feed)
    const { leaderId, leaderEpoch } = result
    if (name === 'NOT_LEADER_OR_FOLLOWER') {
      if (this.#core.metadata.leaderHint(feed.topicId, feed.partition, leaderId, leaderEpoch))
        return false
    }
    const error = new MinikafkaError(name, {
      topic: feed.topic,
      partition: feed.partition,
      message: result.errorMessage ?? undefined,
    })
    if (error.retriable) {
      if (STALE.has(name))
        void this.#core.metadata.refresh(name, [feed.topic]).then(() => this.demand())
      this.#postpone(feed, name)
      return false
    }
    feed.failure = error
    return true
  }

  #outOfRange({ logStartOffset, logEndOffset }: Result, feed: Feed): boolean {
    const { onOutOfRange } = this.#settings
    if (onOutOfRange !== 'error') {
      this.#core.logger.warn(
        {
          topic: feed.topic,
          partition: feed.partition,
          offset: feed.fetchOffset,
          logStartOffset,
          logEndOffset,
        },
        'offset out of range: reading goes on elsewhere, as onOutOfRange says',
      )
      feed.seek(onOutOfRange === 'earliest' ? logStartOffset : logEndOffset)
      return false
    }
    // What was fetched before is still handed out: the complaint comes in its place.
    feed.failure = outOfRange(feed, logStartOffset, logEndOffset)
    return true
  }

  /** The log was cut below what we hold: those records are not in the log any more (KIP-320). */
  #diverged({ diverging }: Result, feed: Feed): boolean {
    const endOffset = diverging?.endOffset ?? -1
    if (endOffset < 0 || endOffset >= feed.position) {
      feed.seek(feed.position)
      return false
    }
    feed.failure = new MinikafkaError('OFFSET_OUT_OF_RANGE', {
      topic: feed.topic,
      partition: feed.partition,
      offset: feed.position,
      message: `${feed.key}: the log was cut at offset ${endOffset}, this consumer had read up to ${feed.position}; seek to where it shall go on`,
    })
    return true
  }

  // --- what failed -------------------------------------------------------------------------

  #failed(plans: readonly Plan[], error: unknown): void {
    if (!isMinikafkaError(error)) {
      this.#core.logger.error({ err: error }, 'fetching failed unexpectedly')
    } else if (!error.retriable && error.name !== 'REQUEST_TIMED_OUT') this.#core.report(error)
    const topics = [...new Set(plans.map(({ feed }) => feed.topic))]
    void this.#core.metadata.refresh('a fetch failed', topics).then(() => this.demand())
    for (const { feed } of plans)
      this.#postpone(feed, isMinikafkaError(error) ? error.name : 'unexpected')
  }

  /** Tries again after the back-off; each failure in a row makes it longer. */
  #postpone(feed: Feed, reason: string): void {
    const delayMs = this.#core.backoffMs(++feed.failures)
    feed.notBeforeMs = this.#core.env.clock.monotonicMs() + delayMs
    this.#core.logger.debug(
      { topic: feed.topic, partition: feed.partition, reason, delayMs },
      'fetch later',
    )
    const timer = this.#core.env.clock.timer(delayMs, () => {
      this.#closing.signal.removeEventListener('abort', cancel)
      if (this.#leaderOf(feed) < 0)
        void this.#core.metadata.refresh('a partition has no leader', [feed.topic])
      this.demand()
    })
    const cancel = () => timer.cancel()
    this.#closing.signal.addEventListener('abort', cancel, { once: true })
  }
}

function outOfRange(feed: Feed, logStartOffset: number, logEndOffset: number): MinikafkaError {
  const offset = feed.fetchOffset
  const lost = Math.max(0, logStartOffset - offset)
  const what =
    lost > 0
      ? `${lost} records were deleted before they were read`
      : `the log ends at ${logEndOffset}, before the offset wanted`
  return new MinikafkaError('OFFSET_OUT_OF_RANGE', {
    topic: feed.topic,
    partition: feed.partition,
    offset,
    details: { logStartOffset, logEndOffset },
    message: `${feed.key} offset ${offset}: ${what}; seek to where it shall go on, or set onOutOfRange`,
  })
}
