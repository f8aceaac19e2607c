// Fetching ahead: per broker one connection with one request outstanding; the next is sent before anything is decoded.
// Enters: feeds that want data. Leaves: raw batches in the feeds, or what is wrong with one of them.
import {
  type Apis,
  type ErrorName,
  errorName,
  isMinikafkaError,
  MinikafkaError,
  type RequestOf,
  type ResponseOf,
} from '@minikafka/protocol'
import { Alarm, type Core, knownError, type Lane } from '../core/index.ts'
import { traceFetch } from './channels.ts'
import type { Feed } from './feed.ts'
import { FetchInFlight } from './fetch-in-flight.ts'
import { type FetchPlan, planFetches } from './fetch-plan.ts'
import { diverged, isWithin, outOfRange, unreadable } from './out-of-range.ts'
import type { ConsumerSettings } from './settings.ts'

type Response = ResponseOf<Apis['fetch']>
type Result = Response['results'][number]

/** Errors that fresh metadata may cure. */
const STALE: ReadonlySet<ErrorName> = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'UNKNOWN_TOPIC_ID',
  'UNKNOWN_TOPIC_OR_PARTITION',
])

/** Polls of one broker that nobody waits for any more. */
const ABANDONED_MAX = 8

type Tell = {
  /** A feed has records or a failure that it had not before. */
  readonly news: () => void
  /** Something is wrong that trying again may not cure; it is tried again all the same. */
  readonly trouble: (error: MinikafkaError) => void
}

export class Fetcher {
  readonly #core: Core
  readonly #settings: ConsumerSettings
  readonly #feeds: () => readonly Feed[]
  readonly #tell: Tell
  readonly #lane: Lane
  readonly #alarm: Alarm
  /** Brokers with a request outstanding. */
  readonly #busy = new Map<number, FetchInFlight>()
  #rotation = 0
  #closed = false

  constructor(core: Core, settings: ConsumerSettings, feeds: () => readonly Feed[], tell: Tell) {
    this.#core = core
    this.#settings = settings
    this.#feeds = feeds
    this.#tell = tell
    this.#lane = core.fetchLane()
    this.#alarm = new Alarm(core.env.clock, () => this.demand())
  }

  /** Asks every broker that leads a feed which wants data and has no request outstanding. */
  demand(): void {
    if (this.#closed) return
    const nowMs = this.#core.env.clock.monotonicMs()
    const leaderOf = (feed: Feed) => this.#leaderOf(feed)
    const plans = planFetches(this.#feeds(), { settings: this.#settings, nowMs, leaderOf })
    if (plans.againInMs !== undefined) this.#alarm.in(plans.againInMs)
    for (const feed of plans.leaderless) {
      this.#later(feed, 'it has no leader')
      void this.#core.metadata.refresh('a partition has no leader', [feed.topic])
    }
    for (const plan of plans.fetches) if (!this.#busy.has(plan.leaderId)) this.#fetch(plan)
  }

  /** The same after `feed` has room again; cheap while its broker is being asked anyway. */
  demandFor(feed: Feed): void {
    if (!this.#busy.has(this.#leaderOf(feed))) this.demand()
  }

  /**
   * `feeds` were sent elsewhere: the poll that is outstanding at their broker asks for the wrong thing, perhaps for
   * long. Its answer is dropped when it comes. Those who seek faster than polls end wait for them.
   */
  redirect(feeds: readonly Feed[]): void {
    for (const leaderId of new Set(feeds.map((feed) => this.#leaderOf(feed)))) {
      const inFlight = this.#core.connections.now(leaderId, this.#lane)?.inFlight ?? 0
      if (inFlight <= ABANDONED_MAX) this.#abandon(leaderId)
    }
    this.demand()
  }

  close(): void {
    this.#closed = true
    this.#alarm.cancel()
    for (const leaderId of [...this.#busy.keys()]) this.#abandon(leaderId)
    this.#core.closeLane(this.#lane)
  }

  #abandon(leaderId: number): void {
    this.#busy.get(leaderId)?.abandon()
    this.#busy.delete(leaderId)
  }

  #leaderOf({ topic, partition }: Feed): number {
    return this.#core.metadata.topicNow(topic)?.partitions[partition]?.leaderId ?? -1
  }

  // --- out ---------------------------------------------------------------------------------

  #fetch(plan: FetchPlan): void {
    const inFlight = new FetchInFlight()
    this.#busy.set(plan.leaderId, inFlight)
    const about = () => ({
      brokerId: plan.leaderId,
      partitionCount: plan.feeds.length,
      maxWaitMs: plan.maxWaitMs,
    })
    const generations = plan.feeds.map(({ generation }) => generation)
    traceFetch(() => this.#ask(plan, inFlight), about, sizeOf)
      .then((response) => {
        if (!inFlight.isAbandoned) this.#answered(plan, generations, response)
      })
      .catch((error: unknown) => {
        if (!inFlight.isAbandoned) this.#failed(plan, generations, error)
      })
  }

  /** Within the call where the connection is open: the request is on its way before the last answer is decoded. */
  #ask(plan: FetchPlan, inFlight: FetchInFlight): Promise<Response> {
    const request = this.#request(plan)
    const timeoutMs = plan.maxWaitMs + this.#core.settings.requestTimeoutMs
    const open = this.#core.connections.now(plan.leaderId, this.#lane)
    if (open !== undefined)
      return this.#core.ask(open, 'fetch', request, { timeoutMs, canAbandon: inFlight.canAbandon })
    const options = { to: plan.leaderId, lane: this.#lane, timeoutMs, signal: inFlight.signal }
    return this.#core.call('fetch', request, options)
  }

  #request({ feeds, maxBytes, maxWaitMs }: FetchPlan): RequestOf<Apis['fetch']> {
    const { fetchMinBytes, isolation } = this.#settings
    const first = this.#rotation++ % feeds.length
    const rotated = [...feeds.slice(first), ...feeds.slice(0, first)]
    return {
      replicaId: -1,
      brokerEpoch: -1,
      sessionId: 0,
      sessionEpoch: -1,
      rack: '',
      isolation,
      maxWaitMs,
      minBytes: fetchMinBytes,
      maxBytes,
      partitions: rotated.map((feed) => this.#wanted(feed)),
    }
  }

  #wanted(feed: Feed) {
    const { topic, topicId, partition, fetchOffset, lastEpoch, suspectOffset } = feed
    feed.suspectOffset = -1
    const known = this.#core.metadata.topicNow(topic)?.partitions[partition]
    const isTiny = this.#core.env.random.buggify('consumer-tiny-fetch', 0.1)
    return {
      topicId,
      partition,
      leaderEpoch: known?.leaderEpoch ?? -1,
      fetchOffset,
      lastFetchedEpoch: lastEpoch,
      durableOffset: -1,
      logStartOffset: -1,
      maxBytes: isTiny ? 1 : this.#settings.partitionMaxBytes,
      suspectOffset,
    }
  }

  // --- in ----------------------------------------------------------------------------------

  #answered(plan: FetchPlan, generations: readonly number[], { results }: Response): void {
    this.#busy.delete(plan.leaderId)
    if (this.#closed) return
    const byTopic = new Map<string, Map<number, { feed: Feed; generation: number }>>()
    for (const [index, feed] of plan.feeds.entries()) {
      const byPartition = byTopic.get(feed.topicId) ?? new Map()
      byTopic.set(feed.topicId, byPartition)
      byPartition.set(feed.partition, { feed, generation: generations[index] ?? -1 })
    }
    let isNews = false
    for (const result of results) {
      const asked = byTopic.get(result.topicId)?.get(result.partition)
      // A seek came in between: this answers a question that nobody asks any more.
      if (asked === undefined || asked.generation !== asked.feed.generation) continue
      isNews = this.#takeOne(result, asked.feed, plan.leaderId) || isNews
    }
    this.demand()
    if (isNews) this.#tell.news()
  }

  #takeOne(result: Result, feed: Feed, askedId: number): boolean {
    if (result.errorCode !== 0) return this.#refused(result, feed, askedId)
    if (result.diverging !== null) return this.#diverged(result.diverging.endOffset, feed)
    feed.failures = 0
    feed.end = this.#settings.isolation === 1 ? result.lastStableOffset : result.highWatermark
    if (result.records.length === 0) return false
    try {
      const { records: blobs, aborted, compactedBelow: gapsBelow } = result
      feed.take({ blobs, aborted, gapsBelow })
    } catch (error) {
      if (!isMinikafkaError(error)) throw error
      const { topic, partition, fetchOffset: offset } = feed
      const where = { topic, partition, offset, message: `${feed.key}: ${error.message}` }
      feed.failure = new MinikafkaError(error.name, where, { cause: error })
    }
    return true
  }

  #refused(result: Result, feed: Feed, askedId: number): boolean {
    const name = errorName(result.errorCode)
    if (name === 'OFFSET_OUT_OF_RANGE') return this.#outOfRange(result, feed)
    if (name === 'KAFKA_STORAGE_ERROR' && isWithin(feed, result.unreadable)) {
      feed.failures = 0
      feed.miss(
        unreadable(feed, result.unreadable, result.errorMessage),
        result.unreadable.nextOffset,
      )
      return true
    }
    const { metadata } = this.#core
    const { topic, partition, topicId } = feed
    if (name === 'NOT_LEADER_OR_FOLLOWER') {
      const isKnown = metadata.leaderHint(topicId, partition, result.leaderId, result.leaderEpoch)
      if (isKnown && this.#leaderOf(feed) !== askedId) return false
    }
    const message = result.errorMessage ?? undefined
    const error = new MinikafkaError(name, { topic, partition, message })
    if (STALE.has(name)) void metadata.refresh(name, [topic]).then(() => this.demand())
    return this.#failedFor(feed, error)
  }

  #outOfRange({ logStartOffset, logEndOffset }: Result, feed: Feed): boolean {
    const { onOutOfRange } = this.#settings
    const error = outOfRange(feed, logStartOffset, logEndOffset)
    // What was fetched before is still handed out: the complaint comes behind it.
    if (onOutOfRange === 'error') {
      feed.failure = error
      return true
    }
    const to = onOutOfRange === 'earliest' ? logStartOffset : logEndOffset
    this.#core.logger.warn({ err: error, to }, 'offset out of range, reading goes on elsewhere')
    feed.jump(to)
    return false
  }

  /** The log was cut below what was fetched: those records are not in it any more (KIP-320). */
  #diverged(endOffset: number, feed: Feed): boolean {
    if (endOffset < 0 || endOffset >= feed.position) {
      feed.move(feed.position)
      return false
    }
    feed.failure = diverged(feed, endOffset)
    return true
  }

  // --- what failed -------------------------------------------------------------------------

  #failed({ leaderId, feeds }: FetchPlan, generations: readonly number[], error: unknown): void {
    this.#busy.delete(leaderId)
    if (this.#closed) return
    const known = knownError(error, 'a fetch')
    let isNews = false
    for (const [index, feed] of feeds.entries()) {
      // A seek came in between: what failed is a question that nobody asks any more.
      if (generations[index] === feed.generation) isNews = this.#failedFor(feed, known) || isNews
    }
    const topics = [...new Set(feeds.map(({ topic }) => topic))]
    void this.#core.metadata.refresh('a fetch failed', topics).then(() => this.demand())
    if (isNews) this.#tell.news()
  }

  /** Reading changes nothing, so that all is tried again but what needs the user. True: the reader must be told. */
  #failedFor(feed: Feed, error: MinikafkaError): boolean {
    const isUnexpected = error.name === 'UNKNOWN_SERVER_ERROR'
    // A disk that fails may be exchanged some day: until then somebody has to know.
    const isTold = isUnexpected || error.name === 'KAFKA_STORAGE_ERROR'
    if (!error.retriable && !isUnexpected) {
      feed.failure = error
      return true
    }
    if (isTold && feed.failures === 0) this.#tell.trouble(error)
    this.#later(feed, error.name)
    return false
  }

  /** Tries again after the back-off; each failure in a row makes it longer. */
  #later(feed: Feed, reason: string): void {
    const delayMs = this.#core.backoffMs(++feed.failures)
    const { topic, partition } = feed
    this.#core.logger.debug({ topic, partition, reason, delayMs }, 'fetching is tried later')
    feed.notBeforeMs = this.#core.env.clock.monotonicMs() + delayMs
    this.#alarm.in(delayMs)
  }
}

function sizeOf({ results }: Response): number {
  let size = 0
  for (const { records } of results) for (const { length } of records) size += length
  return size
}
