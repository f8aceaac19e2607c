// Room 9 of the walk, the last. Bytes to records to `for await (const record of consumer)`.
// Before: broker/handlers/01-fetch. After: the user's code.
// Enters: options. Leaves: records in order per partition, in one reading mode at a time.

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
import type {
  Done,
  NextOffset,
  OffsetSpec,
  PartitionLag,
  Partitions,
  TopicPartition,
  Wait,
} from '../words.ts'
import type { Assignment } from './assignment.ts'
import { BatchIterator } from './batch-iterator.ts'
import { Bell } from './bell.ts'
import { Callers } from './callers.ts'
import { publishLag, tracesLag } from './channels.ts'
import type { Commitable } from './commit-words.ts'
import type { Feed } from './feed.ts'
import { Feeds, placesOf } from './feeds.ts'
import { Fetcher } from './fetcher.ts'
import { FixedAssignment } from './fixed-assignment.ts'
import { GroupSide } from './group-side.ts'
import { healthOf, statsOf } from './health.ts'
import { lagKnown } from './lag.ts'
import { needsGroup } from './needs-group.ts'
import { Policy } from './policy.ts'
import { POLL_MODE, poll, pollSettings } from './poll.ts'
import { Positions } from './positions.ts'
import { recordStream } from './readable.ts'
import { Reading } from './reading.ts'
import { RecordIterator } from './record-iterator.ts'
import { Run } from './run.ts'
import { type ConsumerSettings, readRules, resolveConsumerOptions } from './settings.ts'
import { Source } from './source.ts'
import { Starts } from './starts.ts'
import type {
  AnyRecord,
  Batch,
  BatchesOptions,
  Consumer,
  ConsumerEvents,
  ConsumerHealth,
  ConsumerOptions,
  ConsumerRecord,
  Handler,
  PollOptions,
  RunOptions,
} from './types.ts'
import { Watch } from './watch.ts'

type CloseWait = Wait & { readonly leave?: boolean | undefined }

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
  readonly #assignment: Assignment
  /** Undefined: nobody keeps offsets. */
  readonly #group: GroupSide | undefined
  readonly #starts: Starts
  readonly #fetcher: Fetcher
  readonly #policy: Policy
  readonly #source: Source
  readonly #watch: Watch
  readonly #leave: () => void
  readonly #closing = new AbortController()
  readonly #callers = new Callers()
  readonly #assigned = new WeakSet<Feed>()
  readonly #reading: Reading
  readonly #positions: Positions
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
    this.#feeds = new Feeds(core, () => this.#bell.ring())
    this.#group = this.#newGroup()
    const told = { begun: () => this.#begun(), lost: trouble }
    this.#assignment =
      this.#group?.member ?? new FixedAssignment(core, settings.wanted, this.#feeds, told)
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
    this.#reading = new Reading({
      open: (signal) => this.#open(signal),
      finished: (count) => this.#group?.count(count),
      commit: (records, wait) => this.commit(records as unknown as readonly AnyRecord[], wait),
      ...{ bell: this.#bell, signal },
    })
    this.#positions = new Positions(core, {
      ...{ feeds: this.#feeds, starts: this.#starts, fetcher: this.#fetcher, group: this.#group },
      ...{ bell: this.#bell, signal, isolation },
      halt: () => this.#reading.halt(),
      found,
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
    this.#leave = core.enroll('consumer', {
      stats: () => this.stats(),
      close: (wait) => this.#end(wait),
    })
  }

  #newGroup(): GroupSide | undefined {
    const { group } = this.#settings
    if (group === undefined) return undefined
    return new GroupSide(this.#core, group, {
      ...{ feeds: this.#feeds, bell: this.#bell, signal: this.#closing.signal },
      calls: {
        commit: (what, wait) => this.commit(what, wait),
        seek: (at, to, wait) => this.seek(at, to, wait),
      },
      inside: (token, work) => this.#callers.during(() => this.#callers.inside(token, work)),
      report: (error) => this.#report(error),
      holds: (feed) => this.#reading.holds(feed),
      halt: () => this.#reading.halt(),
      begun: () => this.#begun(),
      found: (settled) => this.#found(settled),
      ready: () => {
        this.#fetcher.demand()
        this.#bell.ring()
      },
      told: (kind, partitions) => this.#events.emit(kind, partitions),
      failed: (error) => {
        this.#source.keep(error)
        this.#bell.ring()
      },
    })
  }

  // --- reading modes -----------------------------------------------------------------------

  [Symbol.asyncIterator](): AsyncIterator<ConsumerRecord<T>> {
    const iterator = this.#reading.enter(
      () => new RecordIterator(this.#reading.modeParts(), this.#source),
    )
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
    const open = () => new BatchIterator(this.#reading.modeParts(), this.#source, clock, settings)
    const batches = { [Symbol.asyncIterator]: () => this.#reading.enter(open) }
    return batches as unknown as AsyncIterable<Batch<T>>
  }

  async poll(options?: PollOptions): Promise<ConsumerRecord<T>[]> {
    const settings = pollSettings(options)
    this.#reading.enter(() => POLL_MODE)
    const parts = this.#reading.modeParts()
    const { clock } = this.#core.env
    try {
      const records = await poll(parts, this.#source, clock, settings, this.#reading.polled)
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
      ...this.#reading.modeParts(),
      core: this.#core,
      source: this.#source,
      policy: this.#policy,
      bell: this.#bell,
      inside: <R>(task: unknown, work: () => R) => this.#callers.inside(task, work),
    }
    const settings = { concurrency, order, signal }
    const run = this.#reading.enter(() => new Run(parts, handler as never, settings))
    await this.#callers.during(() => run.go())
  }

  readable(): Readable {
    return recordStream(this[Symbol.asyncIterator]())
  }

  async #open(signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.#core.env
    const deadline = new Deadline(clock, { signal }, undefined, 'opening')
    await deadline.hold(this.#assignment.open(this.#closing.signal))
    this.#closing.signal.throwIfAborted()
    this.#watch.start()
    this.#group?.start()
    this.#begun()
    this.#fetcher.demand()
  }

  /** There are feeds that need a place to begin. */
  #begun(): void {
    this.#group?.begun()
    this.#starts.go()
  }

  /** It is known where these begin, or why that cannot be found out. */
  #found(settled: readonly Feed[]): void {
    const news = settled.filter((feed) => feed.start === undefined && !this.#assigned.has(feed))
    for (const feed of news) this.#assigned.add(feed)
    if (news.length > 0) this.#events.emit('assigned', placesOf(news))
    this.#fetcher.redirect(settled)
    this.#bell.ring()
  }

  stop(): void {
    this.#reading.stop()
  }

  // --- positions ---------------------------------------------------------------------------

  assignment(): Partitions {
    return placesOf(this.#feeds.all())
  }

  nextOffset(at: TopicPartition): number | undefined {
    return this.#positions.nextOffset(at)
  }

  async seek(at: TopicPartition, to: OffsetSpec, wait?: Wait): Done {
    checkPoint('consumer.seek', to)
    const deadline = this.#deadline(wait, 'seek')
    await deadline.hold(this.#open(deadline.signal))
    await this.#positions.seek(at, to, deadline)
  }

  async commit(what?: Commitable, wait?: Wait): Done {
    if (this.#group === undefined) throw needsGroup('commit()')
    await this.#group.commit(what, this.#deadline(wait, 'commit'))
  }

  async committed(wait?: Wait): Promise<NextOffset[]> {
    if (this.#group === undefined) throw needsGroup('committed()')
    const deadline = this.#deadline(wait, 'committed')
    await deadline.hold(this.#open(deadline.signal))
    return await this.#group.committed(deadline)
  }

  pause(what: Partitions = this.assignment()): void {
    this.#feeds.pause(what.map((at) => this.#positions.feedOf(at)))
    this.#reading.halt()
  }

  resume(what?: Partitions): void {
    this.#feeds.resume(what?.map((at) => this.#positions.feedOf(at)))
    this.#fetcher.demand()
    this.#bell.ring()
  }

  paused(): Partitions {
    return placesOf(this.#feeds.all().filter(({ paused }) => paused))
  }

  async lag(wait?: Wait): Promise<PartitionLag[]> {
    const deadline = this.#deadline(wait, 'lag')
    await deadline.hold(this.#open(deadline.signal))
    return await this.#positions.lag(deadline)
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
    const { member } = this.#group ?? {}
    return healthOf(this.#feeds.all(), this.#watch, { nowMs, isClosed, member })
  }

  stats(): Record<string, number> {
    return statsOf(this.#feeds.all(), this.#reading.finished, this.#group?.stats())
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

  close(options?: CloseWait): Done {
    checkOptions<CloseWait>('consumer.close', options, readRules.close)
    // To close is to be done with what poll() has given.
    this.#reading.settlePolled()
    return this.#end(options)
  }

  /** It comes after an error too, and then what poll() has given is not done: it stays unfinished, as in client.close(). */
  [Symbol.asyncDispose](): Done {
    return this.#end(undefined)
  }

  #end(wait: CloseWait | undefined): Done {
    this.#callers.close()
    this.#bell.ring()
    this.#closed ??= this.#close(wait)
    return this.#closed
  }

  /** Stop, let what is in hand finish, commit, leave, disconnect. Never rejects, never waits longer than asked. */
  async #close(wait: CloseWait | undefined): Done {
    const deadline = new Deadline(this.#core.env.clock, wait, CLOSE_TIMEOUT_MS, 'close')
    this.stop()
    await this.#finishing(deadline)
    const leaving = { leave: wait?.leave, closers: this.#callers.closers }
    if (this.#group === undefined) await this.#assignment.close(deadline, leaving)
    else await this.#group.close(this.#assignment, deadline, leaving)
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
      await deadline.hold(this.#reading.finishing(this.#callers.closers))
    } catch (error) {
      this.#core.logger.warn({ err: error }, 'closing before everything in hand was finished')
    }
  }
}
