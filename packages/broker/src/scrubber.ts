// Looks for rot before a reader meets it: reads every log again and again in the background, slowly (REPLICATION 2.12.5).
// Enters: partitions, how often and how fast. Leaves: damage, marked and named; when each log was read last, over restarts.
import { DiskError, type Env, sleep } from '@minikafka/platform'
import { isMinikafkaError } from '@minikafka/protocol'
import { BackgroundPace } from './background-pace.ts'
import type { LiveConfig } from './config/index.ts'
import type { ScrubTimes } from './log/index.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { Partition, Partitions } from './partition/index.ts'

/** A log is due before its time is over, so that it has been read by then. */
const DUE_SHARE = 0.75
/** How often it looks for partitions that are new: they must be due in time, too. */
const LOOK_SHARE = 1 / 8
const LOOK_MS_MAX = 3_600_000
/** While the loop is busy it may take so much longer: the interval has room for that. */
const SLOWER_MAX = 16

export type ScrubCounts = { logs: number; bytes: number; damages: number }

export class Scrubber {
  readonly counts: ScrubCounts = { logs: 0, bytes: 0, damages: 0 }
  readonly #env: Env
  readonly #config: LiveConfig
  readonly #partitions: Partitions
  readonly #pace: BackgroundPace
  readonly #times: ScrubTimes
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>

  constructor(
    env: Env,
    config: LiveConfig,
    partitions: Partitions,
    uses: { memory: MemoryBudget; times: ScrubTimes },
  ) {
    this.#env = env
    this.#config = config
    this.#partitions = partitions
    const bytesPerSecond = () => config.values['log.scrub.io.max.bytes.per.second']
    this.#pace = new BackgroundPace(env, uses.memory, { bytesPerSecond, slowerMax: SLOWER_MAX })
    this.#times = uses.times
    this.#noteUnknown()
    this.#running = this.#run().catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) throw error
    })
  }

  /** Resolves when nothing is read any more; with `clean` what was read to its end is remembered. */
  async stop({ clean }: { clean: boolean }): Promise<void> {
    this.#stopping.abort(new Error('the scrubber stops'))
    await this.#running
    if (clean) await this.#remember()
  }

  async #run(): Promise<void> {
    for (;;) {
      const { partition, inMs } = this.#next()
      if (partition !== undefined) {
        await this.#scrub(partition)
        await this.#turn()
      } else {
        await this.#remember()
        await this.#sleep(inMs)
      }
    }
  }

  /** A log that ends at once, closed meanwhile, has no read to wait for: many of them must not hold the loop up. */
  async #turn(): Promise<void> {
    await new Promise<void>((resolve) => this.#env.clock.soon(resolve))
    this.#stopping.signal.throwIfAborted()
  }

  /** The log that was read longest ago, if it is due; or when to look again. */
  #next(): { partition?: Partition; inMs: number } {
    const intervalMs = this.#config.values['log.scrub.interval.ms']
    if (intervalMs === 0) return { inMs: LOOK_MS_MAX }
    const lookMs = Math.min(LOOK_MS_MAX, intervalMs * LOOK_SHARE)
    const nowMs = this.#env.clock.wallMs()
    let oldest: Partition | undefined
    let oldestMs = Number.POSITIVE_INFINITY
    for (const partition of this.#partitions.all()) {
      if (partition.offline || partition.log === undefined) continue
      const lastMs = this.#lastOf(partition, nowMs)
      if (lastMs >= oldestMs) continue
      // Nothing to read is read: what comes is new.
      if (partition.log.sizeBytes === 0) {
        this.#times.set(partition.topicId, partition.number, nowMs)
        continue
      }
      oldest = partition
      oldestMs = lastMs
    }
    if (oldest === undefined) return { inMs: lookMs }
    const inMs = oldestMs + intervalMs * DUE_SHARE - nowMs
    return inMs <= 0 ? { partition: oldest, inMs: 0 } : { inMs: Math.min(inMs, lookMs) }
  }

  /** What is new was summed when it came. A wall clock that was set back must not put a log off for ever. */
  #lastOf({ topicId, number }: Partition, nowMs: number): number {
    const lastMs = this.#times.get(topicId, number)
    if (lastMs !== undefined && lastMs <= nowMs) return lastMs
    this.#times.set(topicId, number, nowMs)
    return nowMs
  }

  /** At the start: of what lies there and has no time nobody knows when it was read. */
  #noteUnknown(): void {
    for (const { topicId, number, log } of this.#partitions.all()) {
      const isKnown = this.#times.get(topicId, number) !== undefined
      if (!isKnown && log !== undefined && log.sizeBytes > 0) this.#times.set(topicId, number, 0)
    }
  }

  /** A changed setting is obeyed at once. */
  async #sleep(delayMs: number): Promise<void> {
    const woken = new AbortController()
    const stopListening = this.#config.onChange(() => woken.abort())
    const signal = AbortSignal.any([this.#stopping.signal, woken.signal])
    try {
      await sleep(this.#env.clock, delayMs, signal)
    } catch (error) {
      if (this.#stopping.signal.aborted) throw error
    } finally {
      stopListening()
    }
  }

  async #scrub(partition: Partition): Promise<void> {
    const { topic, topicId, number } = partition
    const beganMs = this.#env.clock.wallMs()
    const { signal } = this.#stopping
    try {
      const report = await partition.log?.scrub((bytes) => this.#pace.take(bytes, signal))
      this.counts.logs++
      this.counts.bytes += report?.bytes ?? 0
      this.counts.damages += report?.damages ?? 0
      for (const error of report?.unreadable ?? [])
        this.#env.logger.error({ topic, partition: number, err: error }, 'a segment is unreadable')
    } catch (error) {
      if (this.#stopping.signal.aborted) throw error
      // Closed or offline meanwhile; that is told elsewhere.
      if (!isMinikafkaError(error) && !(error instanceof DiskError)) throw error
    }
    this.#times.set(topicId, number, beganMs)
  }

  async #remember(): Promise<void> {
    this.#times.keepOnly(
      [...this.#partitions.all()].map(({ topicId, number }) => ({ topicId, number })),
    )
    await this.#times
      .save()
      .catch((error: unknown) => this.#env.logger.warn({ err: error }, 'scrub times not saved'))
  }
}
