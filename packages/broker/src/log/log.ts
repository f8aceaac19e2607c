// Room 6 of the walk. Batch bytes into segments: append, roll, flush; and out again by offset and by time.
// Before: broker/partition. After: broker/log/offset-index.
// Enters: stamped batches. Leaves: offsets that moved, slices of whole batches.
import { DiskError } from '@minikafka/platform'
import type { BatchHeader } from '@minikafka/protocol'
import type { ClosedLog } from './closed-log.ts'
import { Coalesced } from './coalesced.ts'
import type { CompactionReport, CompactionRequest } from './compaction/compaction-pass.ts'
import { type CompactionNeed, Compactor } from './compaction/compactor.ts'
import type { Damage } from './damage.ts'
import { saveDamages } from './damage-note.ts'
import { GroupCommit } from './group-commit.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import type { LogHooks, LogHost } from './log-host.ts'
import { LogReader, type SliceRequest } from './log-reader.ts'
import { LogState, type OpenedLog } from './log-state.ts'
import { cutLog, findCut } from './log-truncation.ts'
import type { LogListener, LogSettings, LogSlice } from './log-types.ts'
import { LogWriter } from './log-writer.ts'
import { RemovedFiles } from './removed-files.ts'
import { Retention } from './retention.ts'
import { type ScrubPace, type ScrubReport, scrubLog } from './scrub.ts'
import { type SealedSegment, saveSealed } from './sealed-segments.ts'
import type { Segment } from './segment.ts'
import { SegmentAccess } from './segment-access.ts'
import { type RecordTime, TimeSearch } from './time-search.ts'

/** Opened by `DataDirectory`, which also closes it. */
export class Log {
  readonly #host: LogHost
  readonly #hooks: LogHooks
  readonly #state: LogState
  readonly #commit: GroupCommit
  readonly #writer: LogWriter
  readonly #access: SegmentAccess
  readonly #reader: LogReader
  readonly #times: TimeSearch
  readonly #retention: Retention
  readonly #removed: RemovedFiles
  readonly #compactor: Compactor
  /** Segments are removed and the log is cut one at a time. */
  #lastChange: Promise<void> = Promise.resolve()
  readonly #sealing = new Coalesced(() => this.#seal())
  readonly #telling = new Coalesced(async () => this.#state.listener.rolled?.())
  readonly #noting = new Coalesced(() =>
    saveDamages(this.#host.env.disk, this.directory, this.#state.bad.damages),
  )
  /** What the file `sealed` says. */
  #sealed: readonly SealedSegment[]

  constructor(
    host: LogHost,
    hooks: LogHooks,
    opened: OpenedLog,
    uses: { settings: LogSettings; listener: LogListener },
  ) {
    this.#host = host
    this.#hooks = hooks
    this.#state = new LogState(opened, uses.settings, uses.listener)
    this.#commit = new GroupCommit(host, this.#state, hooks, () => this.#sealSoon())
    this.#writer = new LogWriter(host, this.#state, hooks, this.#commit)
    const damaged = (damage: Damage) => {
      hooks.damaged(damage)
      this.#noteDamage()
    }
    this.#access = new SegmentAccess(host, this.#state, { ...hooks, damaged })
    this.#reader = new LogReader(this.#state, this.#access, host.frames)
    this.#times = new TimeSearch(host.env, this.#state, this.#access)
    this.#removed = new RemovedFiles(host, hooks, this.#state)
    const does = {
      writer: this.#writer,
      commit: this.#commit,
      access: this.#access,
      removed: this.#removed,
    }
    this.#retention = new Retention(host, hooks, this.#state, does)
    this.#compactor = new Compactor(host, hooks, this.#state, {
      ...does,
      inTurn: (change) => this.#inTurn(change),
      seal: () => this.#sealing.run(),
    })
    this.#sealed = opened.sealed
  }

  get topic(): string {
    return this.#state.identity.topic
  }

  get topicId(): string {
    return this.#state.identity.topicId
  }

  get partition(): number {
    return this.#state.identity.partition
  }

  get directory(): string {
    return this.#state.directory
  }

  get epochs(): LeaderEpochs {
    return this.#state.epochs
  }

  get logStartOffset(): number {
    return this.#state.logStartOffset
  }

  /** The offset that the next batch gets. */
  get queuedEndOffset(): number {
    return this.#writer.queuedEndOffset
  }

  /** Everything below is written, in the page cache at least. */
  get logEndOffset(): number {
    return this.#state.logEndOffset
  }

  /** A completed fdatasync covers everything below. */
  get durableEndOffset(): number {
    return this.#state.durableEndOffset
  }

  /** Below it offsets may have gaps. */
  get compactedBelow(): number {
    return this.#state.rules.compactedBelow
  }

  get sizeBytes(): number {
    return this.#state.sizeBytes
  }

  /** Nothing works any more: it was closed, or its directory failed. */
  get isClosed(): boolean {
    return this.#state.dead !== undefined
  }

  get segmentCount(): number {
    return this.#state.segments.length
  }

  get settings(): LogSettings {
    return this.#state.settings
  }

  /** Takes effect with the next write, roll and check. */
  configure(settings: LogSettings): void {
    this.#state.settings = settings
    if (this.#state.logEndOffset > this.#state.durableEndOffset) this.#commit.configured()
  }

  /**
   * Queue one batch for the next write.
   *
   * Shape   `batch`: stamped, base offset = queuedEndOffset, its epoch assigned in `epochs`. Given: it is written
   *         later in this turn of the loop and may be kept by the in-memory tail, with its whole ArrayBuffer.
   * Errors  none here: `listener.writeFailed` or `listener.offline`, and never from within this call.
   * Holds   afterwards queuedEndOffset is behind it; logEndOffset moves when it is written, in the same order.
   */
  enqueue(batch: Uint8Array): void {
    this.#writer.enqueue(batch)
  }

  /**
   * Read whole batches, the first of which holds `from`.
   *
   * Shape   all batches end at or before `below` and together have at most `bytesMax` bytes; the first comes whole
   *         even above that with `firstWhole`. Fewer may come: ask again at `nextOffset`. At once from the tail.
   * Errors  OFFSET_OUT_OF_RANGE; KAFKA_STORAGE_ERROR with the range of offsets where `from` cannot be read.
   * Source  REPLICATION 2.3, KIP-74.
   */
  read(
    from: number,
    below: number,
    bytesMax: number,
    firstWhole: boolean,
  ): LogSlice | Promise<LogSlice> {
    const slice = this.lend(from, below, bytesMax, firstWhole)
    // Nobody tells when the last of these views is done with; what comes from a file stays held for ever.
    if (!(slice instanceof Promise))
      for (const { buffer } of slice.buffers) this.#host.frames.giveAway(buffer)
    return slice
  }

  /**
   * As `read`, for those who tell when they are done: what comes is lent. Its memory is from the pool of the frames, and
   * used again from the next turn on unless it is held there. Where `isHeld` is set it is held once, and to be let go.
   */
  lend(
    from: number,
    below: number,
    bytesMax: number,
    firstWhole: boolean,
  ): LogSlice | Promise<LogSlice> {
    const state = this.#state
    if (state.dead) return Promise.reject(this.#unusable())
    if (from < state.logStartOffset || from > state.logEndOffset) {
      return Promise.reject(state.outOfRange(from))
    }
    const bad = state.bad.at(from)
    if (bad !== undefined) return Promise.reject(state.unreadable(bad))
    const end = Math.min(below, state.logEndOffset, state.bad.nextFrom(from))
    if (from >= end) return { buffers: [], bytes: 0, nextOffset: from }
    const kept = state.tail?.read(from, end, bytesMax, firstWhole)
    if (kept === undefined) return this.#readFiles({ from, below: end, bytesMax, firstWhole })
    this.#host.tail.touch(state.tail as NonNullable<typeof state.tail>)
    return kept
  }

  /** Where even the first batch, whole, does not end before what cannot be read, it is a part of that. */
  async #readFiles(request: SliceRequest): Promise<LogSlice> {
    const slice = await this.#reader.read(request)
    if (slice.bytes > 0 || !request.firstWhole) return slice
    const bad = this.#state.bad.at(request.below)
    if (bad === undefined) return slice
    throw this.#state.unreadable({ ...bad, fromOffset: request.from })
  }

  /**
   * The first record at or after `timestampMs`, as long as it lies below `below`.
   *
   * Errors  KAFKA_STORAGE_ERROR; CORRUPT_MESSAGE or INVALID_RECORD where its batch does not decode.
   */
  async offsetForTime(timestampMs: number, below: number): Promise<RecordTime | undefined> {
    if (this.#state.dead) throw this.#unusable()
    const { logStartOffset: from } = this.#state
    return await this.#times.find({ timestampMs, from, below })
  }

  /**
   * Visits the header of every batch from the one that holds `from` on: replay of producer state.
   *
   * Units   `position`: of the batch in its segment.
   * Errors  KAFKA_STORAGE_ERROR: a file cannot be read.
   * Holds   `begin` is called before the first visit, and again where damage was met: all visits so far are void then.
   *         Damaged batches are not visited.
   */
  async headers(
    from: number,
    begin: () => void,
    visit: (header: BatchHeader, position: number) => void,
  ): Promise<void> {
    if (this.#state.dead) throw this.#unusable()
    await this.#reader.headers(Math.max(from, this.#state.logStartOffset), begin, visit)
  }

  /**
   * Reads the batch that holds `offset` from the disk, its CRC too, and marks it where it is damaged. What memory keeps
   * of the log is forgotten.
   *
   * Errors  KAFKA_STORAGE_ERROR: a file cannot be read.
   */
  async examine(offset: number): Promise<void> {
    const { dead, logStartOffset, logEndOffset, bad } = this.#state
    const isThere =
      offset >= logStartOffset && offset < logEndOffset && bad.at(offset) === undefined
    if (dead || !isThere) return
    // What came wrong may have been wrong in memory only: from now on the file is read.
    if (this.#state.tail !== undefined) this.#host.tail.clear(this.#state.tail)
    await this.#reader.examine(offset)
  }

  /**
   * Reads all that is there now, from the disk, and marks what is damaged.
   *
   * Errors  KAFKA_STORAGE_ERROR where the log is offline; what `pace` throws.
   */
  async scrub(pace: ScrubPace): Promise<ScrubReport> {
    if (this.#state.dead) throw this.#unusable()
    return await scrubLog(this.#state, this.#access, async (bytes) => {
      await pace(bytes)
      if (this.#state.dead) throw this.#unusable()
    })
  }

  /** Resolves when everything queued so far is in its file, or was given up. */
  written(): Promise<void> {
    return this.#writer.written()
  }

  /**
   * Resolves when everything queued so far is durable, or was given up by a failed write; others may go on appending.
   *
   * Errors  KAFKA_STORAGE_ERROR where nothing becomes durable any more.
   */
  async flush(): Promise<void> {
    const end = this.#writer.queuedEndOffset
    await this.#writer.written()
    await this.#commit.until(Math.min(end, this.#state.logEndOffset))
    if (this.#state.dead) throw this.#unusable()
  }

  /**
   * Records below `offset` are gone: DeleteRecords, or a follower on its leader's word.
   *
   * Errors  OFFSET_OUT_OF_RANGE above logEndOffset (the caller refuses what is above the high watermark); DiskError.
   * Holds   the log start is durable before a file goes; it never moves back.
   */
  deleteBefore(offset: number): Promise<void> {
    return this.#inTurn(async () => {
      await this.#retention.deleteBefore(offset)
      this.#forgetDamage()
    })
  }

  /**
   * Removes what retention.ms and retention.bytes no longer keep; returns how many segments went.
   *
   * Units   `nowWallMs`: wall clock, for ages only; undefined: it was set just now, and no segment counts as old (T21).
   * Errors  DiskError.
   * Holds   whole segments from the front, all below `highWatermark`; the active one is rolled where it alone exceeds
   *         the limit. The log start is durable first; files go file.delete.delay.ms later. Source: REPLICATION 2.12.7.
   */
  applyRetention(nowWallMs: number | undefined, highWatermark: number): Promise<number> {
    return this.#inTurn(async () => {
      const count = await this.#retention.apply(nowWallMs, highWatermark)
      this.#forgetDamage()
      return count
    })
  }

  /**
   * What compaction would have to do here.
   *
   * Units   `nowWallMs`: wall clock. `below`: the high watermark, or the last stable offset where that is lower.
   * Errors  DiskError; KAFKA_STORAGE_ERROR.
   */
  compactionNeed(nowWallMs: number, below: number): Promise<CompactionNeed> {
    if (this.#state.dead) return Promise.reject(this.#unusable())
    return this.#compactor.need(nowWallMs, below)
  }

  /**
   * One pass of compaction: of each key its last record stays, up to where the map of the request is full. Offsets, order
   * and the place of every reader stay. undefined: another one is at work, or the log changed or was closed on the way.
   *
   * Errors  DiskError; what `pace` throws. The log is whole then.
   * Holds   nothing at or above `below`, of the active segment, or from the first damage on is touched. A crash at any
   *         moment leaves each segment as it was or as it is afterwards. Source: REPLICATION 2.12.7.
   */
  compact(request: CompactionRequest & { below: number }): Promise<CompactionReport | undefined> {
    return this.#compactor.compact(request)
  }

  /**
   * Cuts the log to end at `offset`, or at the start of the batch that holds it (REPLICATION 2.3).
   *
   * Holds   both floors are lower, durably, before a byte goes. Nothing may be enqueued until it resolves.
   */
  truncateTo(offset: number): Promise<void> {
    return this.#inTurn(async () => {
      await this.flush()
      await this.#writer.idle()
      if (offset >= this.#state.logEndOffset) return
      const place = await findCut(this.#state, this.#access, offset)
      await this.#compactor.cutAt(place.offset)
      await this.#hooks.lowerFloor(place.offset)
      await cutLog(this.#host, this.#state, place, { commit: this.#commit, access: this.#access })
      this.#reader.forgetPositions()
      this.#writer.reset()
      await this.#sealing.run()
      this.#state.listener.advanced()
    })
  }

  /** The directory failed: nothing is written, synced or read any more, not even from memory (REPLICATION 2.12.3). */
  goOffline(error: Error): void {
    if (this.#state.dead) return
    this.#die(error)
    this.#state.listener.offline(error)
  }

  /**
   * Stops. With `clean` everything is written and synced first, and the last segment's sums are returned: the next
   * start compares its size.
   *
   * Errors  what kept it from a clean end; it is closed all the same.
   */
  async close({ clean }: { clean: boolean }): Promise<ClosedLog | undefined> {
    try {
      // A segment that takes its place after `sealed` was written would be scanned at the next start.
      await this.#compactor.stop()
      return clean ? await this.#finish() : undefined
    } finally {
      this.#die(new Error(`${this.#state.name} is closed`))
      await this.#writer.idle()
      await this.#commit.stop()
      await this.#lastChange
      await this.#sealing.idle()
      await this.#telling.idle()
      await this.#noting.idle()
    }
  }

  async #finish(): Promise<ClosedLog> {
    await this.flush()
    const { active, epochs, listener, segments } = this.#state
    await Promise.all(segments.map((segment) => segment.saveIndexes()))
    await this.#sealing.run()
    const note = listener.closing?.()
    return { lastSegment: active.sealed, epochs: epochs.entries, note }
  }

  #die(why: Error): void {
    const { tail } = this.#state
    this.#state.dead ??= why
    this.#commit.died()
    this.#writer.died()
    if (tail) this.#host.tail.clear(tail)
    this.#removed.stop()
    void this.#compactor.stop()
  }

  #unusable(): Error {
    const cause = this.#state.dead
    return this.#state.storageError(`the log is offline: ${cause?.message}`, { cause })
  }

  /** One change of the segments' list after the other. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#lastChange.then(async () => {
      if (this.#state.dead) throw this.#unusable()
      try {
        return await change()
      } catch (error) {
        // A sync of a cut file or of the directory, above all: it is not tried again (REPLICATION 2.12.3).
        if (error instanceof DiskError && error.code === 'EIO') this.#hooks.failed(error)
        throw error
      }
    })
    this.#lastChange = result.then(
      () => undefined,
      () => undefined,
    )
    return result
  }

  /** A closed segment is on the disk: its sum is kept, then the recovery point may pass it. */
  #sealSoon(): void {
    this.#sealing.run().then(
      () => this.#hooks.rolled(),
      (error: unknown) => this.#notSealed(error),
    )
    this.#telling.run().catch((error: unknown) => {
      if (!this.#state.dead) this.#hooks.warn(error, 'what is known of a closed segment not saved')
    })
  }

  #notSealed(error: unknown): void {
    this.#hooks.warn(error, 'sums of segments not saved')
  }

  #forgetDamage(): void {
    if (this.#state.bad.dropBelow(this.#state.logStartOffset)) this.#noteDamage()
  }

  #noteDamage(): void {
    this.#noting
      .run()
      .catch((error: unknown) => this.#hooks.warn(error, 'what is damaged was not written down'))
  }

  async #seal(): Promise<void> {
    const { active, directory, segments } = this.#state
    const isDone = (segment: Segment) =>
      segment !== active && !this.#commit.isDirty(segment) && !segment.leaving
    const sealed = segments.filter(isDone).map((segment) => segment.sealed)
    if (sameSums(sealed, this.#sealed)) return
    await saveSealed(this.#host.env.disk, directory, sealed)
    this.#sealed = sealed
  }
}

function sameSums(some: readonly SealedSegment[], others: readonly SealedSegment[]): boolean {
  return JSON.stringify(some) === JSON.stringify(others)
}
