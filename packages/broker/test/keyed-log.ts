// A log of keyed records and what must be readable of it, for the tests of compaction.
// Enters: histories of keys and values. Leaves: batches in a log on the bench, and what readers find there.
import { nodeEnv } from '@minikafka/platform'
import { batchSizeAt, decodeBatch, readBatchHeader } from '@minikafka/protocol'
import { OffsetMap } from '../src/log/compaction/offset-map.ts'
import type { LogSettings } from '../src/log/index.ts'
import { type BatchOptions, type BenchOptions, type Keyed, LogBench } from './log-bench.ts'

const { compress } = nodeEnv()

export type Found = {
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
}

export type PassOptions = {
  readonly below?: number
  readonly mapBytes?: number
  readonly nowMs?: number
  readonly producerEnds?: ReadonlyMap<number, number>
  readonly pace?: (bytes: number, signal: AbortSignal) => Promise<void>
}

export class KeyedLog {
  readonly bench: LogBench
  /** All that was ever appended, by offset. */
  readonly history: Found[] = []

  private constructor(bench: LogBench) {
    this.bench = bench
  }

  /** Segments of 1 KiB; readers are served from the files. */
  static async make(
    options: BenchOptions = {},
    settings: Partial<LogSettings> = {},
  ): Promise<KeyedLog> {
    const bench = await LogBench.make({
      tailBytesMax: 1,
      ...options,
      settings: { segmentBytes: 1024, deletes: false, ...settings },
    })
    return new KeyedLog(bench)
  }

  get log() {
    return this.bench.log
  }

  async append(records: readonly Keyed[], options: BatchOptions = {}): Promise<void> {
    const base = this.log.queuedEndOffset
    const timestampMs = this.bench.env.clock.wallMs()
    await this.bench.append(1, { timestampMs, ...options, records })
    for (const [index, [key, value]] of records.entries())
      this.history.push({ offset: base + index, key, value })
  }

  /** Batches of one record each. */
  async appendEach(records: readonly Keyed[]): Promise<void> {
    for (const record of records) await this.append([record])
  }

  /** Closes the active segment, so that all of it can be compacted. */
  async roll(): Promise<void> {
    await this.bench.run(this.log.compactionNeed(0, 0))
    await this.append([
      [`filler ${this.log.queuedEndOffset}`, '.'.repeat(this.bench.settings.segmentBytes)],
    ])
  }

  async compact(options: PassOptions = {}) {
    return await this.bench.run(this.compacting(options))
  }

  compacting(options: PassOptions = {}) {
    const { env } = this.bench
    return this.log.compact({
      nowMs: options.nowMs ?? env.clock.wallMs(),
      below: options.below ?? this.log.logEndOffset,
      map: new OffsetMap(env.random, options.mapBytes ?? 1024 * 1024),
      producerEnds: options.producerEnds ?? new Map(),
      pace: options.pace ?? (() => Promise.resolve()),
    })
  }

  /** What a reader finds from `from` on, batch by batch. */
  async batches(from = this.log.logStartOffset, bytesMax = 1024 * 1024): Promise<Buffer[]> {
    const bytes = await this.bench.read(from, bytesMax)
    const batches: Buffer[] = []
    for (let at = 0; at < bytes.length; at += batchSizeAt(bytes, at))
      batches.push(bytes.subarray(at, at + batchSizeAt(bytes, at)))
    return batches
  }

  async records(from?: number, bytesMax?: number): Promise<Found[]> {
    const batches = await this.batches(from, bytesMax)
    return batches.flatMap((batch) =>
      decodeBatch(batch, compress).map(({ offset, key, value }) => ({
        offset,
        key: key && String(key),
        value: value && String(value),
      })),
    )
  }

  async headers() {
    return (await this.batches()).map((batch) => readBatchHeader(batch))
  }

  /** Files of the partition, but for the checkpoints. */
  async files(pattern = /^\d/): Promise<string[]> {
    const names = await this.bench.run(this.bench.env.disk.list(this.bench.path))
    return names.filter((name) => pattern.test(name))
  }
}

/** The last record of each key; those without a key all. */
export function lastOfEach(records: readonly Found[]): Found[] {
  const last = new Map(records.map(({ key, offset }) => [key, offset]))
  return records.filter(({ key, offset }) => key === null || last.get(key) === offset)
}
