// The one writer of a log: coalesces what queued into gather writes of at most 1 MiB, rolls segments, cuts failed writes back.
// Enters: stamped batches, in offset order. Leaves: logEndOffset, which moves when a write has resolved (REPLICATION 2.2, step 6).
import { assert, DiskError } from '@minikafka/platform'
import {
  BATCH_HEADER_SIZE,
  batchBaseOffsetAt,
  batchLastOffsetAt,
  batchLeaderEpochAt,
  batchMaxTimestampAt,
} from '@minikafka/protocol'
import { BATCH_BYTES_MAX } from './batch-chain.ts'
import type { GroupCommit } from './group-commit.ts'
import type { LogHooks, LogHost } from './log-host.ts'
import type { LogState } from './log-state.ts'
import type { OpenFile } from './open-files.ts'
import type { Segment } from './segment.ts'
import { LogTail } from './tail.ts'

/** Larger gather writes stall the loop: 2 MiB had a p99 of 12 ms (PERFORMANCE 4). */
const WRITE_BYTES_MAX = 1024 * 1024
/** Buffers of one gather write; the system takes 1,024. */
const WRITE_BUFFERS_MAX = 512

export class LogWriter {
  readonly #host: LogHost
  readonly #state: LogState
  readonly #hooks: LogHooks
  readonly #commit: GroupCommit
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  /** Invariant: logEndOffset <= queuedEndOffset, equal when nothing is queued or being written. */
  #queuedEndOffset: number
  #writing: Promise<void> | undefined
  /** What is to be done between two writes, in order. None of them rejects. */
  readonly #steps: (() => Promise<void>)[] = []
  /** Those who wait in `written`; each looks for itself. */
  #waiting: (() => void)[] = []
  #failureCount = 0
  /** A write was begun and has not succeeded: the file may be longer than the segment. */
  #overhang = false

  constructor(host: LogHost, state: LogState, hooks: LogHooks, commit: GroupCommit) {
    this.#host = host
    this.#state = state
    this.#hooks = hooks
    this.#commit = commit
    this.#queuedEndOffset = state.logEndOffset
  }

  get queuedEndOffset(): number {
    return this.#queuedEndOffset
  }

  /** See `Log.enqueue`. Nothing is written within this call. */
  enqueue(batch: Uint8Array): void {
    const state = this.#state
    if (state.dead) return
    assert(batch.length <= BATCH_BYTES_MAX, 'a batch that is queued is not too large')
    assert(
      batchBaseOffsetAt(batch, 0) === this.#queuedEndOffset,
      'a batch is stamped with the next offset',
    )
    assert(
      batchLeaderEpochAt(batch, 0) <= state.epochs.latest,
      'the epoch of a batch is in the epoch cache',
    )
    this.#queue.push(batch)
    this.#queuedBytes += batch.length
    this.#host.memory?.charge(batch.length)
    this.#host.frames.hold(batch.buffer)
    this.#queuedEndOffset = batchLastOffsetAt(batch, 0) + 1
    this.#writing ??= this.#write()
  }

  /** Resolves when nothing is queued and nothing under way: the log is dead, or nobody appends. */
  async idle(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
  }

  /**
   * Resolves when all that was queued before the call is written or given up. Others may go on appending: a wait for
   * an idle writer might never end.
   */
  async written(): Promise<void> {
    const end = this.#queuedEndOffset
    const failures = this.#failureCount
    while (this.#state.logEndOffset < end && this.#failureCount === failures && !this.#state.dead)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** The log was cut while nothing was queued. */
  reset(): void {
    assert(this.#writing === undefined, 'a log is cut while its writer is idle')
    this.#queuedEndOffset = this.#state.logEndOffset
  }

  /** Closes the active segment, unless it is empty: what is written next begins another one. */
  roll(): Promise<void> {
    return this.#betweenWrites(() => {
      if (this.#state.active.size > 0) this.#roll()
    })
  }

  /** Closes the active segment where its first batch came so long ago. Errors: DiskError. */
  rollOlderThan(ageMs: number): Promise<void> {
    return this.#betweenWrites(async () => {
      if (this.#state.active.size === 0) return
      const open = await this.#openActive()
      this.#host.files.release(open)
      const { active } = this.#state
      const createdMs = active.createdMs ?? Number.POSITIVE_INFINITY
      if (this.#host.env.clock.wallMs() - createdMs >= ageMs) this.#roll()
    })
  }

  /** Makes the file of the active segment where it has none yet. Errors: DiskError. */
  createActive(): Promise<void> {
    return this.#betweenWrites(async () => {
      if (!this.#state.active.exists) this.#host.files.release(await this.#openActive())
    })
  }

  /** Before the next write, so that it never waits for an idle writer. Nothing is done where the log is dead. */
  #betweenWrites(step: () => void | Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const run = async () => (this.#state.dead ? undefined : await step())
      this.#steps.push(() => run().then(resolve, reject))
      this.#writing ??= this.#write()
    })
  }

  #roll(): void {
    const state = this.#state
    const old = state.active
    old.finishTimeIndex()
    this.#saveIndexes(old)
    state.segments.push(old.next())
    this.#commit.rolled()
  }

  #saveIndexes(segment: Segment): void {
    segment.saveIndexes().catch((error: unknown) => this.#hooks.warn(error, 'index not saved'))
  }

  /** The log is dead: whoever waits for a write hears it now. */
  died(): void {
    this.#wake()
  }

  async #write(): Promise<void> {
    // What is queued in the same turn rides along.
    await undefined
    while (this.#steps.length > 0 || (this.#queue.length > 0 && !this.#state.dead)) {
      const step = this.#steps.shift()
      await (step === undefined ? this.#writeNext() : step())
    }
    this.#drop()
    this.#writing = undefined
    this.#wake()
  }

  async #writeNext(): Promise<void> {
    try {
      // Never a missing entry: an epoch without one could not be told from damage (REPLICATION 2.1, 2.12.1).
      while (!this.#state.epochs.isDurable) await this.#state.epochs.save()
      await this.#host.writeTurns.take(Math.min(this.#queuedBytes, WRITE_BYTES_MAX))
      if (this.#state.dead) return
      const ready = this.#readyFile()
      const open = ready ?? (await this.#openActive())
      try {
        // Its age may be known only now: then it is rolled first.
        const mustRoll = ready === undefined && this.#mustRoll(this.#queue[0] as Uint8Array)
        if (!mustRoll && !this.#state.dead) await this.#writeGroup(open)
      } finally {
        this.#host.files.release(open)
      }
    } catch (error) {
      await this.#cutBack(error)
    }
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resume of waiting) resume()
  }

  /** Gives up what is still queued: the log is dead, or a write before it failed. */
  #drop(): void {
    this.#host.memory?.release(this.#queuedBytes)
    this.#letGo(this.#queue)
    this.#queue = []
    this.#queuedBytes = 0
  }

  /** The active segment's file, held, where it is open already; rolls first where the next batch wants that. */
  #readyFile(): OpenFile | undefined {
    if (this.#mustRoll(this.#queue[0] as Uint8Array)) this.#roll()
    const { active } = this.#state
    if (!active.exists || active.createdMs === undefined) return undefined
    const open = this.#host.files.peek(active.path)
    if (open !== undefined) this.#host.files.hold(open)
    return open
  }

  #mustRoll(batch: Uint8Array): boolean {
    const { active, settings } = this.#state
    if (active.size === 0) return false
    if (this.#host.env.random.buggify('log-early-roll', 0.02)) return true
    if (active.size + batch.length > settings.segmentBytes) return true
    if (!active.reaches(batchLastOffsetAt(batch, 0))) return true
    const ageMs = this.#host.env.clock.wallMs() - (active.createdMs ?? Number.POSITIVE_INFINITY)
    return ageMs >= settings.segmentMs
  }

  /** Opens or makes the active segment's file, held: with few descriptors it could be closed again at once. */
  async #openActive(): Promise<OpenFile> {
    const { active } = this.#state
    const open = await this.#host.files.acquire(active.path, !active.exists)
    try {
      if (!active.exists) {
        active.exists = true
        this.#commit.created()
      }
      active.createdMs ??= await this.#ageOf(open)
      return open
    } catch (error) {
      this.#host.files.release(open)
      throw error
    }
  }

  /**
   * When the segment began. After a restart its first batch's time says so, unless that was an old record: at the
   * last write the segment was younger than segment.ms, or it had been rolled.
   */
  async #ageOf(open: OpenFile): Promise<number> {
    const { env } = this.#host
    const nowMs = env.clock.wallMs()
    if (this.#state.active.size === 0) return nowMs
    const header = Buffer.allocUnsafeSlow(BATCH_HEADER_SIZE)
    await open.file.read(header, 0)
    const firstMs = batchMaxTimestampAt(header, 0)
    const writtenMs = (await env.disk.stat(open.path))?.modifiedMs ?? nowMs
    const isPlausible = firstMs >= writtenMs - this.#state.settings.segmentMs
    return Math.min(isPlausible ? firstMs : writtenMs, nowMs)
  }

  async #writeGroup(open: OpenFile): Promise<void> {
    const { active } = this.#state
    const group = this.#takeGroup()
    const bytes = sizeOf(group)
    this.#queuedBytes -= bytes
    open.dirty = true
    this.#overhang = true
    try {
      // Nothing bounds what the system holds back without syncs: a write may stall, so it goes to the pool.
      const where = this.#state.settings.flush === 'group' ? 'call' : 'pool'
      const written = open.file.append(group, active.size, where)
      if (written !== undefined) await written
      this.#overhang = false
      if (!this.#state.dead) this.#written(group)
    } finally {
      this.#host.memory?.release(bytes)
      this.#letGo(group)
    }
  }

  /** The tail holds by itself what it keeps. */
  #letGo(batches: readonly Uint8Array[]): void {
    for (const { buffer } of batches) this.#host.frames.letGo(buffer)
  }

  /** The first of the queue, and what fits beside it into one write and this segment. */
  #takeGroup(): Uint8Array[] {
    const { active, settings } = this.#state
    if (this.#host.env.random.buggify('log-lone-batch', 0.2)) return this.#queue.splice(0, 1)
    const room = Math.min(WRITE_BYTES_MAX, settings.segmentBytes - active.size)
    const countMax = Math.min(this.#queue.length, WRITE_BUFFERS_MAX)
    let bytes = (this.#queue[0] as Uint8Array).length
    let count = 1
    for (; count < countMax; count++) {
      const batch = this.#queue[count] as Uint8Array
      bytes += batch.length
      if (bytes > room || !active.reaches(batchLastOffsetAt(batch, 0))) break
    }
    if (count < this.#queue.length) return this.#queue.splice(0, count)
    const group = this.#queue
    this.#queue = []
    return group
  }

  #written(group: readonly Uint8Array[]): void {
    const state = this.#state
    const { active } = state
    const { indexIntervalBytes } = state.settings
    state.tail ??= new LogTail()
    for (const batch of group) {
      const baseOffset = batchBaseOffsetAt(batch, 0)
      const nextOffset = batchLastOffsetAt(batch, 0) + 1
      active.note(batch, 0, { baseOffset, nextOffset }, indexIntervalBytes)
      this.#host.tail.append(state.tail, batch, baseOffset, nextOffset)
    }
    if (this.#host.env.random.buggify('log-tail-evicted', 0.1)) this.#host.tail.clear(state.tail)
    state.logEndOffset = active.nextOffset
    assert(state.logEndOffset <= this.#queuedEndOffset, 'nothing is written that was not queued')
    if (active.wantsIndexSaving) this.#saveIndexes(active)
    this.#commit.wrote()
    this.#wake()
    state.listener.advanced()
  }

  /** A write failed: the file is cut to its last good size, everything queued is given up as unknown. */
  async #cutBack(error: unknown): Promise<void> {
    if (!(error instanceof DiskError)) throw error
    // After EIO the device, not its fill, is in doubt (REPLICATION 2.12.3).
    if (error.code === 'EIO') return this.#hooks.failed(error)
    try {
      if (this.#overhang) await this.#truncateActive()
    } catch (cause) {
      return this.#hooks.failed(cause as Error)
    }
    if (this.#state.dead) return
    this.#drop()
    this.#queuedEndOffset = this.#state.logEndOffset
    this.#failureCount++
    this.#wake()
    this.#state.listener.writeFailed(this.#state.logEndOffset, error)
  }

  async #truncateActive(): Promise<void> {
    const { active } = this.#state
    const open = await this.#host.files.acquire(active.path)
    try {
      await open.file.truncate(active.size)
      this.#overhang = false
    } finally {
      this.#host.files.release(open)
    }
  }
}

function sizeOf(batches: readonly Uint8Array[]): number {
  let size = 0
  for (const { length } of batches) size += length
  return size
}
