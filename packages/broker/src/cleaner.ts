// Compacts the logs of topics with cleanup.policy=compact, one at a time, the one with most to gain first.
// Enters: partitions and settings. Leaves: logs in which each key has its last record; counts; a line for what stopped.
import { DiskError, type Env, sleep } from '@minikafka/platform'
import { isMinikafkaError } from '@minikafka/protocol'
import { BackgroundPace } from './background-pace.ts'
import { isCompacted, type LiveConfig } from './config/index.ts'
import { type CompactionNeed, type Log, OffsetMap } from './log/index.ts'
import type { MemoryBudget } from './memory-budget.ts'
import { type Partition, type Partitions, SteadyClock } from './partition/index.ts'

/** While the loop is busy it takes at most so much longer: logs must not grow faster than they are compacted. */
const SLOWER_MAX = 4
/** The map of keys takes no more of the memory budget. */
const MEMORY_SHARE = 1 / 4
/** A log whose compaction failed is left alone for so long. */
const FAILED_MS = 10 * 60_000

export type CleanerCounts = {
  passes: number
  bytesRead: number
  bytesWritten: number
  droppedRecords: number
  unreadableBatches: number
  failures: number
}

type Candidate = { readonly partition: Partition; readonly log: Log; readonly need: CompactionNeed }

export class Cleaner {
  readonly counts: CleanerCounts = {
    passes: 0,
    bytesRead: 0,
    bytesWritten: 0,
    droppedRecords: 0,
    unreadableBatches: 0,
    failures: 0,
  }
  readonly #env: Env
  readonly #config: LiveConfig
  readonly #partitions: Partitions
  readonly #memory: MemoryBudget
  readonly #pace: BackgroundPace
  readonly #steadyClock: SteadyClock
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>
  /** Until when each is left alone, by the monotonic clock. */
  readonly #failedUntilMs = new WeakMap<Log, number>()
  /** Kept from pass to pass while there is work, and charged. */
  #map: OffsetMap | undefined

  constructor(env: Env, config: LiveConfig, partitions: Partitions, memory: MemoryBudget) {
    this.#env = env
    this.#config = config
    this.#partitions = partitions
    this.#memory = memory
    const bytesPerSecond = () => config.values['log.cleaner.io.max.bytes.per.second']
    this.#pace = new BackgroundPace(env, memory, { bytesPerSecond, slowerMax: SLOWER_MAX })
    this.#steadyClock = new SteadyClock(env.clock)
    this.#running = this.#run().catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) throw error
    })
  }

  /** Resolves when nothing is compacted any more; a pass that was under way is begun again at the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the cleaner stops'))
    await this.#running
    this.#dropMap()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    for (;;) {
      const nowMs = this.#steadyClock.wallMs()
      // The wall clock was set: no tombstone is old until the next look.
      const next = nowMs === undefined ? undefined : await this.#next(nowMs)
      if (nowMs !== undefined && next !== undefined) await this.#compact(next, nowMs)
      else {
        this.#dropMap()
        await sleep(this.#env.clock, this.#config.values['log.cleaner.backoff.ms'], signal)
      }
    }
  }

  /** Of those that are due, or have more that was never compacted than their setting allows: the dirtiest one. */
  async #next(nowMs: number): Promise<Candidate | undefined> {
    let best: Candidate | undefined
    for (const partition of this.#partitions.all()) {
      const { log, values } = partition
      if (log === undefined || partition.offline || !isCompacted(values)) continue
      if ((this.#failedUntilMs.get(log) ?? 0) > this.#env.clock.monotonicMs()) continue
      const need = await this.#needOf(partition, log, nowMs)
      this.#stopping.signal.throwIfAborted()
      if (need === undefined) continue
      const isDirty = need.dirtyBytes > 0 && need.share > values['min.cleanable.dirty.ratio']
      if (!isDirty && !need.isDue) continue
      if (best === undefined || rank(need) > rank(best.need)) best = { partition, log, need }
    }
    return best
  }

  async #needOf(
    partition: Partition,
    log: Log,
    nowMs: number,
  ): Promise<CompactionNeed | undefined> {
    try {
      return await log.compactionNeed(nowMs, limitOf(partition))
    } catch (error) {
      this.#failed(partition, log, error)
      return undefined
    }
  }

  async #compact({ partition, log, need }: Candidate, nowMs: number): Promise<void> {
    const { topic, number } = partition
    try {
      const report = await log.compact({
        nowMs,
        below: limitOf(partition),
        map: this.#mapFor(need),
        producerEnds: partition.producers.ends(log.durableEndOffset),
        pace: (bytes, closed) =>
          this.#pace.take(bytes, AbortSignal.any([this.#stopping.signal, closed])),
      })
      if (report === undefined) return
      const { counts } = this
      counts.passes++
      counts.bytesRead += report.bytesRead
      counts.bytesWritten += report.bytesWritten
      counts.droppedRecords += report.droppedRecords
      counts.unreadableBatches += report.unreadableBatches
      this.#env.logger.debug({ topic, partition: number, ...report }, 'compacted')
      this.#sayWhatStays(partition, report.unreadableBatches, report.damage?.fromOffset)
      // Where it got no further the next look must not choose it again at once.
      const isStuck = report.firstDirtyOffset <= need.firstDirtyOffset && need.dirtyBytes > 0
      if (isStuck) this.#leaveAlone(log)
    } catch (error) {
      if (this.#stopping.signal.aborted) throw error
      this.#failed(partition, log, error)
    }
  }

  #sayWhatStays({ topic, number }: Partition, unreadable: number, damagedAt?: number): void {
    const { logger } = this.#env
    if (damagedAt !== undefined)
      logger.error(
        { topic, partition: number, offset: damagedAt },
        'compaction stops before what is damaged: this log grows until it is repaired',
      )
    if (unreadable > 0)
      logger.warn(
        { topic, partition: number, batches: unreadable },
        'compaction left batches as they are whose records cannot be read',
      )
  }

  /** A full disk, a topic that was deleted, a log that was closed: the others go on. */
  #failed({ topic, number }: Partition, log: Log, error: unknown): void {
    if (!isMinikafkaError(error) && !(error instanceof DiskError)) throw error
    if (log.isClosed) return
    this.counts.failures++
    this.#leaveAlone(log)
    this.#env.logger.warn(
      { topic, partition: number, err: error },
      'compaction failed and is tried again later; the log is whole',
    )
  }

  #leaveAlone(log: Log): void {
    this.#failedUntilMs.set(log, this.#env.clock.monotonicMs() + FAILED_MS)
  }

  /** Large enough for every record to have a key of its own, within its bound. */
  #mapFor({ firstDirtyOffset, endOffset }: CompactionNeed): OffsetMap {
    const { values } = this.#config
    const bytesMax = Math.min(
      values['log.cleaner.dedupe.buffer.size'],
      values['memory.max.bytes'] * MEMORY_SHARE,
    )
    const wanted = OffsetMap.bytesFor(Math.max(0, endOffset - firstDirtyOffset), bytesMax)
    const fits = this.#map !== undefined && this.#map.bytes >= wanted && this.#map.bytes <= bytesMax
    if (!fits) {
      this.#dropMap()
      this.#map = new OffsetMap(this.#env.random, wanted)
      this.#memory.charge(this.#map.bytes)
    }
    return this.#map as OffsetMap
  }

  #dropMap(): void {
    if (this.#map !== undefined) this.#memory.release(this.#map.bytes)
    this.#map = undefined
  }
}

/** Nothing above is decided. */
function limitOf({ highWatermark, lastStableOffset }: Partition): number {
  return Math.min(highWatermark, lastStableOffset)
}

/** What is due goes before what is only dirty. */
function rank({ share, isDue }: CompactionNeed): number {
  return share + (isDue ? 1 : 0)
}
