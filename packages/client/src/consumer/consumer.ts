// Room 9 of the walk, the last. Bytes to records to `for await (const record of consumer)`.
// Before: broker/handlers/01-fetch. After: the user's code.
// Enters: options. Leaves: records in order per partition, in one reading mode at a time.
import { AsyncLocalStorage } from 'node:async_hooks'
import { Readable } from 'node:stream'
import { withDeadline } from '@minikafka/platform'
import { MinikafkaError } from '@minikafka/protocol'
import { CLOSE_TIMEOUT_MS, type Core, Deadline, Events } from '../core/index.ts'
import type { TopicLike } from '../topic/index.ts'
import type { Done, OffsetSpec, Partitions, TopicPartition, Wait } from '../words.ts'
import type { Feed } from './feed.ts'
import { Feeds } from './feeds.ts'
import { Fetcher } from './fetcher.ts'
import { BatchIterator, type LoopParts, RecordIterator } from './iterate.ts'
import { lagOf } from './lag.ts'
import { Policy } from './policy.ts'
import { Run } from './run.ts'
import { type ConsumerSettings, resolveConsumerOptions } from './settings.ts'
import { Source } from './source.ts'
import { StallWatch } from './stall-watch.ts'
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
  readonly #feeds: Feeds
  readonly #fetcher: Fetcher
  readonly #policy: Policy
  readonly #source: Source
  readonly #stalls: StallWatch
  readonly #leave: () => void
  readonly #closing = new AbortController()
  /** Which run() a call comes from, so that a close() inside a handler does not wait for that handler. */
  readonly #inHandler = new AsyncLocalStorage<boolean>()
  #mode: string | undefined
  #reading: Promise<void> | undefined
  #opened = false
  #stopped = false
  #finished = 0
  #closed: Done | undefined

  constructor(core: Core, settings: ConsumerSettings) {
    this.#core = core
    this.#settings = settings
    this.#events = new Events<ConsumerEvents>(core.logger)
    this.#feeds = new Feeds(core, settings, {
      assigned: (feeds) => this.#events.emit('assigned', feeds.map(placeOf)),
      demand: () => this.#fetcher.demand(),
    })
    this.#fetcher = new Fetcher(core, settings, this.#feeds, core.fetchLane())
    this.#policy = new Policy(core, settings)
    this.#source = new Source(core, {
      feeds: this.#feeds,
      fetcher: this.#fetcher,
      policy: this.#policy,
      stopped: () => this.#stopped,
    })
    this.#stalls = new StallWatch(core.env.clock, settings.stalledAfterMs, this.#feeds, (stall) =>
      this.#events.emit('stalled', stall),
    )
    this.#leave = core.enroll('consumer', this)
  }

  // --- reading modes -----------------------------------------------------------------------

  [Symbol.asyncIterator](): AsyncIterator<ConsumerRecord<T>> {
    return this.#iterator(undefined) as unknown as AsyncIterator<ConsumerRecord<T>>
  }

  #iterator(signal: AbortSignal | undefined): RecordIterator {
    this.#enter('a loop over records')
    return new RecordIterator(this.#loopParts(), signal)
  }

  batches(options: BatchesOptions = {}): AsyncIterable<Batch<T>> {
    const { maxRecords = Number.POSITIVE_INFINITY, signal } = options
    return {
      [Symbol.asyncIterator]: () => {
        this.#enter('a loop over batches')
        const iterator = new BatchIterator(this.#loopParts(), { maxRecords, signal })
        return iterator as unknown as AsyncIterator<Batch<T>>
      },
    }
  }

  async poll(options: PollOptions = {}): Promise<ConsumerRecord<T>[]> {
    const { max = POLL_RECORDS, maxWaitMs = POLL_WAIT_MS, signal } = options
    this.#enter('poll()')
    try {
      const records: unknown[] = []
      const ending = this.#endOfWait(maxWaitMs, signal)
      try {
        await this.#open(ending.signal)
        while (records.length < max) {
          const waited =
            records.length === 0 ? await this.#source.wait(ending.signal) : this.#source.now()
          if (waited === undefined) break
          if (waited instanceof Promise) await waited
          else records.push(...waited.hand(max - records.length, this.#nowMs()))
        }
      } catch (error) {
        if (error !== ending.over) throw error
      } finally {
        ending.stop()
      }
      this.#finished += records.length
      return records as ConsumerRecord<T>[]
    } finally {
      this.#release()
    }
  }

  /** A signal that aborts with `over` after `waitMs`, or with the user's own reason. */
  #endOfWait(waitMs: number, signal: AbortSignal | undefined) {
    const over = new MinikafkaError('TIMED_OUT')
    const controller = new AbortController()
    const abort = () => controller.abort(signal?.reason)
    const timer = this.#core.env.clock.timer(waitMs, () => controller.abort(over))
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort, { once: true })
    const stop = () => {
      timer.cancel()
      signal?.removeEventListener('abort', abort)
    }
    return { signal: controller.signal, over, stop }
  }

  async run(handler: Handler<T>, options: RunOptions = {}): Done {
    const { concurrency = 1, order = 'partition', signal } = options
    this.#enter('run()')
    const parts = {
      core: this.#core,
      source: this.#source,
      policy: this.#policy,
      stopped: () => this.#stopped,
      finished: (count: number) => this.#count(count),
      inside: <R>(work: () => R) => this.#inHandler.run(true, work),
    }
    const run = new Run(parts, handler as never, { concurrency, order, signal })
    this.#reading = this.#open(signal)
      .then(() => run.go())
      .finally(() => this.#release())
    try {
      await this.#reading
    } catch (error) {
      if (signal?.aborted && error === signal.reason) return
      throw error
    }
  }

  readable(): Readable {
    const iterator = this.#iterator(undefined)
    const readable = new Readable({
      objectMode: true,
      read() {
        iterator.next().then(
          ({ done, value }) => readable.push(done ? null : value),
          (error: Error) => readable.destroy(error),
        )
      },
      destroy(error, done) {
        iterator.return().then(
          () => done(error),
          () => done(error),
        )
      },
    })
    return readable
  }

  #loopParts(): LoopParts {
    return {
      source: this.#source,
      open: (signal) => this.#open(signal),
      release: () => this.#release(),
      nowMs: () => this.#nowMs(),
      finished: (count) => this.#count(count),
    }
  }

  #enter(mode: string): void {
    if (this.#closing.signal.aborted) throw this.#closing.signal.reason
    if (this.#mode !== undefined) {
      throw new MinikafkaError('BUSY', {
        message: `the consumer is being read by ${this.#mode}; end it first`,
      })
    }
    this.#mode = mode
    this.#stopped = false
  }

  #release(): void {
    this.#mode = undefined
  }

  async #open(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#opened) {
      const opening = this.#feeds.open(this.#closing.signal)
      await withDeadline(
        this.#core.env.clock,
        opening,
        { signal },
        () => new MinikafkaError('TIMED_OUT'),
      )
      if (!this.#opened) {
        this.#opened = true
        this.#stalls.start()
        this.#events.emit('assigned', this.assignment())
      }
    }
    this.#fetcher.demand()
  }

  stop(): void {
    this.#stopped = true
    this.#feeds.wake()
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
    const deadline = new Deadline(
      this.#core.env.clock,
      wait,
      this.#core.settings.requestTimeoutMs,
      'seek',
    )
    if (!this.#opened) await deadline.hold(this.#open(wait?.signal))
    const feed = this.#feedOf(at)
    if (typeof to === 'number') feed.seek(to)
    else {
      feed.restart(to)
      await deadline.hold(this.#feeds.resolveStarts(this.#closing.signal))
    }
    this.#fetcher.demand()
    this.#feeds.wake()
  }

  pause(what: Partitions = this.assignment()): void {
    for (const at of what) this.#feedOf(at).paused = true
  }

  resume(what: Partitions = this.paused()): void {
    for (const at of what) this.#feedOf(at).paused = false
    this.#fetcher.demand()
    this.#feeds.wake()
  }

  paused(): Partitions {
    return this.#feeds
      .all()
      .filter(({ paused }) => paused)
      .map(placeOf)
  }

  async lag(wait?: Wait): Promise<PartitionLag[]> {
    const deadline = new Deadline(
      this.#core.env.clock,
      wait,
      this.#core.settings.requestTimeoutMs,
      'lag',
    )
    if (!this.#opened) await deadline.hold(this.#open(wait?.signal))
    return deadline.hold(lagOf(this.#core, this.#settings, this.#feeds.all(), deadline))
  }

  #feedOf(at: TopicPartition): Feed {
    const feed = this.#feeds.get(at)
    if (feed !== undefined) return feed
    throw new MinikafkaError('INVALID_OPTION', {
      message: `${at.topic}-${at.partition} is not assigned to this consumer`,
      topic: at.topic,
      partition: at.partition,
    })
  }

  // --- life --------------------------------------------------------------------------------

  health(): ConsumerHealth {
    const nowMs = this.#nowMs()
    return {
      state: this.#closing.signal.aborted ? 'closed' : this.#stopped ? 'stopped' : 'reading',
      partitions: this.#feeds.all().map((feed) => {
        const waitingFor = this.#stalls.reason(feed)
        return {
          ...placeOf(feed),
          nextOffset: feed.position,
          end: feed.highWatermark,
          lastProgressMsAgo: nowMs - feed.lastProgressMs,
          ...(waitingFor === undefined ? {} : { waitingFor }),
        }
      }),
    }
  }

  stats(): Record<string, number> {
    let prefetchedBytes = 0
    let lagRecords = 0
    for (const { bufferedBytes, highWatermark, position } of this.#feeds.all()) {
      prefetchedBytes += bufferedBytes
      lagRecords += Math.max(0, highWatermark - Math.max(0, position))
    }
    return { prefetchedBytes, finished: this.#finished, committed: 0, rebalances: 0, lagRecords }
  }

  on<K extends keyof ConsumerEvents>(
    event: K,
    listener: (data: ConsumerEvents[K]) => void,
  ): () => void {
    return this.#events.on(event, listener)
  }

  close(wait?: Wait): Done {
    this.#closed ??= this.#close(wait)
    return this.#closed
  }

  [Symbol.asyncDispose](): Done {
    return this.close()
  }

  /** Stop, let handlers finish, disconnect. Never rejects, never waits longer than asked. */
  async #close(wait: Wait | undefined): Done {
    const { clock } = this.#core.env
    const deadline = new Deadline(clock, wait, CLOSE_TIMEOUT_MS, 'close')
    this.stop()
    const inside = this.#inHandler.getStore() === true
    if (this.#reading !== undefined && !inside)
      await deadline.hold(this.#reading).catch(() => undefined)
    const closed = new MinikafkaError('CLOSED', { message: 'the consumer is closed' })
    this.#closing.abort(closed)
    this.#stalls.stop()
    this.#fetcher.close()
    this.#feeds.close(closed)
    await this.#policy.close(Math.max(1, deadline.leftMs)).catch(() => undefined)
    this.#leave()
  }

  #count(count: number): void {
    this.#finished += count
  }

  #nowMs(): number {
    return this.#core.env.clock.monotonicMs()
  }
}

function placeOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition }
}
