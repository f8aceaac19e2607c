// A log in a simulated world, for the tests of broker/log: batches made to order, and ends of every kind.
import type { CompressionName, Env } from '@minikafka/platform'
import { BatchWriter, stampBatch } from '@minikafka/protocol'
import { createWorld, type World, type WorldOptions } from '@minikafka/testing'
import {
  DataDirectory,
  type Log,
  type LogListener,
  type LogSettings,
  type OpenLogOptions,
  type RecoveryReport,
} from '../src/log/index.ts'

export const ROOT = '/data'
export const TOPIC_ID = '0b5e7a0e-54c8-4d5a-9d0f-3c1d5e8a7b11'
export const CLUSTER_ID = 'kq3vZx'

export const SETTINGS: LogSettings = {
  segmentBytes: 1024 * 1024,
  segmentMs: 7 * 86_400_000,
  retentionMs: -1,
  retentionBytes: -1,
  deletes: true,
  deleteRetentionMs: 86_400_000,
  minCompactionLagMs: 0,
  maxCompactionLagMs: undefined,
  flush: 'group',
  flushMs: 1_000,
  deleteDelayMs: 60_000,
  indexIntervalBytes: 4096,
}

export type BatchOptions = {
  readonly baseOffset?: number
  readonly count?: number
  readonly valueSize?: number
  readonly timestampMs?: number
  readonly leaderEpoch?: number
  /** Instead of `count` and `valueSize`: null values are tombstones. */
  readonly records?: readonly Keyed[]
  readonly compression?: CompressionName
  readonly producer?: { readonly id: number; readonly sequence: number }
}

export type Keyed = readonly [key: string | null, value: string | null]

/** A batch whose values say at which offset they stand; record `i` is `i` ms younger than the first. */
export function batchOf(env: Env, options: BatchOptions = {}): Buffer {
  const {
    baseOffset = 0,
    count = 1,
    valueSize = 20,
    timestampMs = 1_000,
    leaderEpoch = 1,
    compression = 'none',
    producer = { id: -1, sequence: -1 },
  } = options
  const valued = (index: number): Keyed => [null, String(baseOffset + index).padEnd(valueSize, '.')]
  const records = options.records ?? Array.from({ length: count }, (_, index) => valued(index))
  const sizes = records.map(([key, value]) => BatchWriter.recordSizeMax(key, value, undefined))
  const writer = new BatchWriter(Buffer.alloc(sizes.reduce((sum, size) => sum + size, 0)))
  for (const [index, [key, value]] of records.entries())
    writer.tryAppend(timestampMs + index, key, value, undefined)
  const sealed = writer.seal(env.compress, {
    compression,
    producerId: producer.id,
    producerEpoch: producer.id < 0 ? -1 : 0,
    baseSequence: producer.sequence,
  })
  const batch = Buffer.from(new Uint8Array(sealed).buffer)
  stampBatch(batch, baseOffset, leaderEpoch)
  return batch
}

/** Writes down what a log says. */
export class Heard implements LogListener {
  log: Log | undefined
  /** Highest durableEndOffset that was told. */
  durable = 0
  readonly failures: { fromOffset: number; code: string }[] = []
  readonly offlines: Error[] = []
  onAdvanced: (() => void) | undefined

  advanced(): void {
    this.durable = Math.max(this.durable, this.log?.durableEndOffset ?? 0)
    this.onAdvanced?.()
  }

  writeFailed(fromOffset: number, error: { code: string }): void {
    this.failures.push({ fromOffset, code: error.code })
  }

  offline(error: Error): void {
    this.offlines.push(error)
  }
}

export type BenchOptions = {
  readonly seed?: number
  readonly world?: Omit<WorldOptions, 'seed'>
  readonly settings?: Partial<LogSettings>
  readonly tailBytesMax?: number
  readonly filesOpenMax?: number
  /** Wraps the disk of every process. */
  readonly disk?: (disk: Env['disk']) => Env['disk']
}

export class LogBench {
  readonly world: World
  readonly settings: LogSettings
  readonly #options: BenchOptions
  env: Env
  heard = new Heard()
  recovered: RecoveryReport | undefined
  #directory: DataDirectory | undefined
  #log: Log | undefined

  private constructor(options: BenchOptions) {
    this.#options = options
    this.settings = { ...SETTINGS, ...options.settings }
    this.world = createWorld({ ...options.world, seed: options.seed ?? 1 })
    this.env = this.#newEnv()
  }

  /** A new directory with one empty log, led in epoch 1. */
  static async make(options: BenchOptions = {}): Promise<LogBench> {
    const bench = new LogBench(options)
    await bench.run(bench.#begin())
    return bench
  }

  get log(): Log {
    if (this.#log === undefined) throw new Error('the log is open')
    return this.#log
  }

  get directory(): DataDirectory {
    if (this.#directory === undefined) throw new Error('the directory is open')
    return this.#directory
  }

  get path(): string {
    return `${ROOT}/orders-0`
  }

  /** Runs the world until `work` settles. */
  run<T>(work: Promise<T>): Promise<T> {
    return this.world.complete(work, { timeout: 600_000 })
  }

  /** Queues batches at the end of the log; returns them. */
  enqueue(count = 1, options: BatchOptions = {}): Buffer[] {
    return Array.from({ length: count }, () => {
      const { latest } = this.log.epochs
      const baseOffset = this.log.queuedEndOffset
      const batch = batchOf(this.env, { leaderEpoch: latest, ...options, baseOffset })
      this.log.enqueue(batch)
      return batch
    })
  }

  /** As `enqueue`, and waits until they are durable. */
  async append(count = 1, options: BatchOptions = {}): Promise<Buffer[]> {
    const batches = this.enqueue(count, options)
    await this.run(this.log.flush())
    return batches
  }

  /** All bytes of the log from `from` on, read in steps. */
  async read(from = this.log.logStartOffset, bytesMax = 1024 * 1024): Promise<Buffer> {
    const parts: Uint8Array[] = []
    const end = this.log.logEndOffset
    for (let offset = from; offset < end; ) {
      const slice = await this.run(Promise.resolve(this.log.read(offset, end, bytesMax, true)))
      if (slice.nextOffset <= offset) throw new Error(`no progress at ${offset}`)
      parts.push(...slice.buffers)
      offset = slice.nextOffset
    }
    return Buffer.concat(parts)
  }

  /** Ends the process and opens what it left in another one. */
  async restart(how: 'clean' | 'kill' | 'powerCut'): Promise<RecoveryReport> {
    await this.stop(how)
    return await this.start()
  }

  async stop(how: 'clean' | 'kill' | 'powerCut'): Promise<void> {
    if (how === 'clean') await this.run(this.directory.close({ clean: true, brokerEpoch: 7 }))
    else if (how === 'kill') this.world.kill('a')
    else this.world.powerCut('a')
    this.#log = undefined
    this.#directory = undefined
  }

  /** Opens the directory and its log. */
  async start(): Promise<RecoveryReport> {
    this.env = this.#newEnv()
    return await this.run(this.#reopen())
  }

  /** Opens the directory alone. */
  async startDirectory(): Promise<DataDirectory> {
    this.env = this.#newEnv()
    const directory = await this.run(this.#openDirectory())
    await this.run(directory.markOpened(0))
    return directory
  }

  openOptions(partition = 0): OpenLogOptions {
    this.heard = new Heard()
    return {
      topic: 'orders',
      topicId: TOPIC_ID,
      partition,
      settings: this.settings,
      listener: this.heard,
      highWatermark: () => this.#log?.durableEndOffset ?? 0,
    }
  }

  /** Replaces a file of the stopped directory; undefined removes it. */
  edit(path: string, change: (content: Buffer) => Uint8Array | undefined): Promise<void> {
    return this.run(this.#edit(path, change))
  }

  /** Changes bytes of a file in place, under a running process. */
  async overwrite(path: string, bytes: Uint8Array, position: number): Promise<void> {
    const overwrite = async () => {
      const file = await this.world.env('a').disk.open(path, 'write')
      await file.append([bytes], position)
      await file.close()
    }
    await this.run(overwrite())
  }

  async #edit(path: string, change: (content: Buffer) => Uint8Array | undefined): Promise<void> {
    const { disk } = this.world.env('a')
    const content = await disk.readFile(path)
    if (content === undefined) throw new Error(`${path} is there`)
    const changed = change(content)
    if (changed === undefined) await disk.removeFile(path)
    else await disk.replaceFile(path, changed)
  }

  async #begin(): Promise<void> {
    const directory = await this.#openDirectory()
    await directory.markOpened(0)
    this.#take(await directory.createLog(this.openOptions()))
    this.log.epochs.assign(1, 0)
  }

  async #reopen(): Promise<RecoveryReport> {
    const directory = await this.#openDirectory()
    await directory.markOpened(0)
    const { log, recovered } = await directory.openLog(this.openOptions())
    this.#take(log)
    this.recovered = recovered
    log.epochs.assign(Math.max(1, log.epochs.latest), log.logEndOffset)
    return recovered
  }

  #take(log: Log): void {
    this.#log = log
    this.heard.log = log
  }

  async #openDirectory(): Promise<DataDirectory> {
    this.#directory = await DataDirectory.open(this.env, {
      path: ROOT,
      nodeId: 1,
      clusterIdIfNew: CLUSTER_ID,
      tailBytesMax: this.#options.tailBytesMax ?? 1024 * 1024,
      filesOpenMax: this.#options.filesOpenMax ?? 100,
      logger: this.env.logger,
    })
    return this.#directory
  }

  #newEnv(): Env {
    const env = this.world.env('a')
    return { ...env, disk: this.#options.disk?.(env.disk) ?? env.disk }
  }
}

/** Everything that an inspection says. */
export async function allOf<T>(lines: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const line of lines) all.push(line)
  return all
}
