// Room 9 of the walk, the last. Bytes to records to `for await (const record of consumer)`.
// Before: broker/handlers/01-fetch. After: the user's code.
// Enters: options. Leaves: records in order per partition, in one reading mode at a time.

import { AsyncLocalStorage } from 'node:async_hooks'
import { setMaxListeners } from 'node:events'
import type { Readable } from 'node:stream'
import { MinikafkaError } from '@minikafka/protocol'
import { checkPoint } from '../admin/index.ts'
import {
  CLOSE_TIMEOUT_MS,
  type Core,
  checkOptions,
  Deadline,
  Events,
  waitRules,
} from '../core/index.ts'
import type { TopicLike } from '../topic/index.ts'
import type { Done, NextOffset, OffsetSpec, Partitions, TopicPartition, Wait } from '../words.ts'
import { BatchIterator } from './batch-iterator.ts'
import { Bell } from './bell.ts'
import { publishLag, tracesLag } from './channels.ts'
import type { Feed } from './feed.ts'
import { Feeds } from './feeds.ts'
import { Fetcher } from './fetcher.ts'
import { healthOf, placeOf, statsOf } from './health.ts'
import { lagKnown, lagOf } from './lag.ts'
import type { Mode, ModeParts } from './mode.ts'
import { needsGroup } from './needs-group.ts'
import { Policy } from './policy.ts'
import { poll } from './poll.ts'
import { recordStream } from './readable.ts'
import { RecordIterator } from './record-iterator.ts'
import { Run } from './run.ts'
import { type ConsumerSettings, readRules, resolveConsumerOptions } from './settings.ts'
import { Source } from './source.ts'
import { Starts } from './starts.ts'
import type {
  Batch,
  BatchesOptions,
  Consumer,
  ConsumerEvents,
  ConsumerHealth,
  ConsumerOptions,
  ConsumerRecord,
  Handler,
  PartitionLag,
  PollOptions,
  RunOptions,
} from './types.ts'
import { Watch } from './watch.ts'

const POLL_RECORDS = 500
const POLL_WAIT_MS = 500

export function openConsumer<const T extends TopicLike>(
  core: Core,
  options: ConsumerOptions<T>,
): Consumer<T> {
  return new CoreConsumer<T>(core, resolveConsumerOptions(options))
}

class CoreConsumer<T extends TopicLike> implements Consumer<T> {
  readonly #core: Core
  readonly #settings: ConsumerSettings
  readonly #events: Events<ConsumerEvents>
  readonly #bell = new Bell()
  readonly #feeds: Feeds
  readonly #starts: Starts
  readonly #fetcher: Fetcher
  readonly #policy: Policy
  readonly #source: Source
  readonly #watch: Watch
  readonly #leave: () => void
  readonly #closing = new AbortController()
  /** Which handler of run() a call comes from, so that close() does not wait for the one that calls it. */
  readonly #handling = new AsyncLocalStorage<unknown>()
  /** Handlers that wait for close() themselves. */
  readonly #closers = new Set<unknown>()
  readonly #assigned = new Set<Feed>()
  #mode: Mode | undefined
  #isStopped = false
  #finished = 0
  #closed: Done | undefined

  constructor(core: Core, settings: ConsumerSettings) {
    this.#core = core
    this.#settings = settings
    this.#events = new Events<ConsumerEvents>(core.logger)
    const { signal } = this.#closing
    // One listener for each partition whose place is asked for.
    setMaxListeners(0, signal)
    const { clock } = core.env
    const feeds = () => this.#feeds.all()
    const trouble = (error: MinikafkaError) => this.#report(error)
    this.#feeds = new Feeds(core, settings.wanted, {
      begun: () => this.#starts.go(),
      acked: () => this.#bell.ring(),
      lost: trouble,
    })
    const { isolation } = settings
    const found = (settled: readonly Feed[]) => this.#found(settled)
    this.#starts = new Starts(core, { isolation, signal }, feeds, { found, trouble })
    const news = () => this.#bell.ring()
    this.#fetcher = new Fetcher(core, settings, feeds, { news, trouble })
    this.#policy = new Policy(core, settings)
    this.#source = new Source(core, {
      feeds: this.#feeds,
      fetcher: this.#fetcher,
      starts: this.#starts,
      policy: this.#policy,
      bell: this.#bell,
      signal,
    })
    this.#watch = new Watch(clock, {
      afterMs: settings.stalledAfterMs,
      feeds,
      stalled: (stall) => {
        core.logger.warn(stall, 'a partition has records and makes no progress')
        this.#events.emit('stalled', stall)
      },
      looked: () => this.#tellLag(),
    })
    this.#leave = core.enroll('consumer', this)
  }

  // --- reading modes -----------------------------------------------------------------------

  [Symbol.asyncIterator](): AsyncIterator<ConsumerRecord<T>> {
    const iterator = this.#enter(() => new RecordIterator(this.#modeParts(), this.#source))
    return iterator as unknown as AsyncIterator<ConsumerRecord<T>>
  }

  batches(options?: BatchesOptions): AsyncIterable<Batch<T>> {
    const {
      maxRecords = Number.POSITIVE_INFINITY,
      maxWaitMs = 0,
      signal,
    } = checkOptions<BatchesOptions>('consumer.batches', options, readRules.batches)
    const settings = { maxRecords, maxWaitMs, signal }
    const { clock } = this.#core.env
    const open = () => new BatchIterator(this.#modeParts(), this.#source, clock, settings)
    const batches = { [Symbol.asyncIterator]: () => this.#enter(open) }
    return batches as unknown as AsyncIterable<Batch<T>>
  }

  async poll(options?: PollOptions): Promise<ConsumerRecord<T>[]> {
    const {
      max = POLL_RECORDS,
      maxWaitMs = POLL_WAIT_MS,
      signal,
    } = checkOptions<PollOptions>('consumer.poll', options, readRules.poll)
    this.#enter(() => ({ name: 'poll()', halt: () => {}, isUnfinished: () => false }))
    const settings = { max, maxWaitMs, signal }
    const parts = this.#modeParts()
    try {
      const records = await poll(parts, this.#source, this.#core.env.clock, settings)
      parts.finished(records.length)
      return records as unknown as ConsumerRecord<T>[]
    } finally {
      parts.ended()
    }
  }

  async run(handler: Handler<T>, options?: RunOptions): Done {
    const {
      concurrency = 1,
      order = 'partition',
      signal,
    } = checkOptions<RunOptions>('consumer.run', options, readRules.run)
    const parts = {
      ...this.#modeParts(),
      core: this.#core,
      source: this.#source,
      policy: this.#policy,
      bell: this.#bell,
      inside: <R>(task: unknown, work: () => R) => this.#handling.run(task, work),
    }
    const settings = { concurrency, order, signal }
    const run = this.#enter(() => new Run(parts, handler as never, settings))
    // The storage slows down every promise of the process as long as it is in use.
    await run.go().finally(() => this.#handling.disable())
  }

  readable(): Readable {
    return recordStream(this[Symbol.asyncIterator]())
  }

  #enter<M extends Mode>(open: () => M): M {
    this.#closing.signal.throwIfAborted()
    if (this.#mode !== undefined) {
      const message = `the consumer is being read by ${this.#mode.name}; end that first`
      throw new MinikafkaError('BUSY', { message })
    }
    const mode = open()
    this.#mode = mode
    return mode
  }

  #modeParts(): ModeParts {
    return {
      stopped: () => this.#isStopped,
      open: (signal) => this.#openUnlessStopped(signal),
      ended: () => {
        this.#mode = undefined
        this.#bell.ring()
      },
      finished: (count) => {
        this.#finished += count
      },
    }
  }

  async #open(signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.#core.env
    const deadline = new Deadline(clock, { signal }, undefined, 'opening')
    await deadline.hold(this.#feeds.open(this.#closing.signal))
    this.#closing.signal.throwIfAborted()
    this.#watch.start()
    this.#starts.go()
    this.#fetcher.demand()
  }

  /** For a mode, which ends when the consumer is stopped meanwhile, whether there is a broker or not. */
  async #openUnlessStopped(signal: AbortSignal | undefined): Promise<void> {
    let outcome: { readonly error?: unknown } | undefined
    const settle = (how: { readonly error?: unknown }) => {
      outcome = how
      this.#bell.ring()
    }
    this.#open(signal).then(
      () => settle({}),
      (error: unknown) => settle({ error }),
    )
    while (outcome === undefined && !this.#isStopped) await this.#bell.wait()
    if (outcome?.error !== undefined && !this.#isStopped) throw outcome.error
  }

  /** It is known where these begin, or why that cannot be found out. */
  #found(settled: readonly Feed[]): void {
    const news = settled.filter((feed) => feed.start === undefined && !this.#assigned.has(feed))
    for (const feed of news) this.#assigned.add(feed)
    if (news.length > 0) this.#events.emit('assigned', news.map(placeOf))
    this.#fetcher.redirect(settled)
    this.#bell.ring()
  }

  stop(): void {
    this.#isStopped = true
    this.#mode?.halt()
    this.#bell.ring()
  }

  // --- positions ---------------------------------------------------------------------------

  assignment(): Partitions {
    return this.#feeds.all().map(placeOf)
  }

  nextOffset(at: TopicPartition): number | undefined {
    const position = this.#feeds.get(at)?.position ?? -1
    return position < 0 ? undefined : position
  }

  async seek(at: TopicPartition, to: OffsetSpec, wait?: Wait): Done {
    checkPoint('consumer.seek', to)
    const deadline = this.#deadline(wait, 'seek')
    await deadline.hold(this.#open(deadline.signal))
    const feed = this.#feedOf(at)
    if (typeof to === 'number') feed.seek(to)
    else feed.restart(to)
    this.#mode?.halt()
    this.#starts.go()
    this.#fetcher.redirect([feed])
    await this.#positioned(feed, deadline)
  }

  /** Until it is known where `feed` begins, or another seek came. Errors: why that cannot be found out. */
  async #positioned(feed: Feed, deadline: Deadline): Promise<void> {
    const { readGeneration } = feed
    while (feed.start !== undefined && feed.readGeneration === readGeneration) {
      if (feed.failure !== undefined) throw feed.failure
      this.#closing.signal.throwIfAborted()
      await deadline.hold(this.#bell.wait())
    }
  }

  async commit(_what?: unknown, _wait?: Wait): Done {
    throw needsGroup('consumer.commit()')
  }

  async committed(_wait?: Wait): Promise<NextOffset[]> {
    throw needsGroup('consumer.committed()')
  }

  pause(what: Partitions = this.assignment()): void {
    for (const feed of what.map((at) => this.#feedOf(at))) feed.paused = true
    this.#mode?.halt()
  }

  resume(what: Partitions = this.paused()): void {
    for (const feed of what.map((at) => this.#feedOf(at))) feed.paused = false
    this.#fetcher.demand()
    this.#bell.ring()
  }

  paused(): Partitions {
    const all = this.#feeds.all()
    return all.filter(({ paused }) => paused).map(placeOf)
  }

  async lag(wait?: Wait): Promise<PartitionLag[]> {
    const deadline = this.#deadline(wait, 'lag')
    await deadline.hold(this.#open(deadline.signal))
    const feeds = this.#feeds.all()
    await Promise.all(feeds.map((feed) => this.#positioned(feed, deadline)))
    return await deadline.hold(lagOf(this.#core, this.#settings, feeds, deadline))
  }

  #feedOf(at: TopicPartition): Feed {
    const feed = this.#feeds.get(at)
    if (feed !== undefined) return feed
    const { topic, partition } = at
    const message = `${topic}-${partition} is not assigned to this consumer`
    throw new MinikafkaError('INVALID_OPTION', { message, topic, partition })
  }

  #deadline(wait: Wait | undefined, what: string): Deadline {
    checkOptions<Wait>(`consumer.${what}`, wait, waitRules)
    this.#closing.signal.throwIfAborted()
    return new Deadline(this.#core.env.clock, wait, this.#core.settings.requestTimeoutMs, what)
  }

  // --- life --------------------------------------------------------------------------------

  on<K extends keyof ConsumerEvents>(
    event: K,
    listener: (data: ConsumerEvents[K]) => void,
  ): () => void {
    return this.#events.on(event, listener)
  }

  health(): ConsumerHealth {
    const nowMs = this.#core.env.clock.monotonicMs()
    const isClosed = this.#closing.signal.aborted
    return healthOf(this.#feeds.all(), this.#watch, { nowMs, isClosed })
  }

  stats(): Record<string, number> {
    return statsOf(this.#feeds.all(), this.#finished)
  }

  #tellLag(): void {
    const wallMs = this.#core.env.clock.wallMs()
    const lags = this.#feeds.all().map((feed) => lagKnown(feed, wallMs))
    this.#events.emit('lag', lags)
    if (tracesLag()) publishLag(lags)
  }

  #report(error: MinikafkaError): void {
    if (!this.#events.emit('error', error))
      this.#core.logger.error({ err: error }, 'consumer error')
  }

  close(options?: Wait & { readonly leave?: boolean | undefined }): Done {
    checkOptions<Wait>('consumer.close', options, readRules.close)
    const handler = this.#handling.getStore()
    if (handler !== undefined) this.#closers.add(handler)
    this.#bell.ring()
    this.#closed ??= this.#close(options)
    return this.#closed
  }

  [Symbol.asyncDispose](): Done {
    return this.close()
  }

  /** Stop, let what is in hand finish, disconnect. Never rejects, never waits longer than asked. */
  async #close(wait: Wait | undefined): Done {
    const deadline = new Deadline(this.#core.env.clock, wait, CLOSE_TIMEOUT_MS, 'close')
    this.stop()
    await this.#finishing(deadline)
    const closed = new MinikafkaError('CLOSED', { message: 'the consumer is closed' })
    this.#closing.abort(closed)
    this.#watch.stop()
    this.#starts.close()
    this.#fetcher.close()
    this.#feeds.close(closed)
    this.#bell.ring()
    await this.#policy.close(Math.max(1, deadline.leftMs)).catch(() => undefined)
    this.#leave()
  }

  async #finishing(deadline: Deadline): Promise<void> {
    try {
      while (this.#mode?.isUnfinished(this.#closers)) await deadline.hold(this.#bell.wait())
    } catch (error) {
      this.#core.logger.warn({ err: error }, 'closing before everything in hand was finished')
    }
  }
}
