// What may go: whole segments from the front of a log, by time, by size, and below the log start.
// Enters: the wall clock and the high watermark. Leaves: a new log start, made durable before any file is touched.
import type { GroupCommit } from './group-commit.ts'
import type { LogHooks, LogHost } from './log-host.ts'
import type { LogState } from './log-state.ts'
import type { LogWriter } from './log-writer.ts'
import type { RemovedFiles } from './removed-files.ts'
import type { Segment } from './segment.ts'

export class Retention {
  readonly #host: LogHost
  readonly #hooks: LogHooks
  readonly #state: LogState
  readonly #writer: LogWriter
  readonly #commit: GroupCommit
  readonly #removed: RemovedFiles
  /** Out of the log, and not all of their files renamed yet: where that fails the next change tries again. */
  readonly #gone: Segment[] = []

  constructor(
    host: LogHost,
    hooks: LogHooks,
    state: LogState,
    does: { writer: LogWriter; commit: GroupCommit; removed: RemovedFiles },
  ) {
    this.#host = host
    this.#hooks = hooks
    this.#state = state
    this.#writer = does.writer
    this.#commit = does.commit
    this.#removed = does.removed
  }

  /** See `Log.applyRetention`. */
  async apply(nowWallMs: number | undefined, highWatermark: number): Promise<number> {
    if (!this.#state.settings.deletes) return await this.#removeSegments()
    await this.#raiseLogStart(await this.#expiredBelow(nowWallMs, highWatermark))
    const count = await this.#removeSegments()
    const { active, settings } = this.#state
    const exceeds = settings.retentionBytes >= 0 && active.size > settings.retentionBytes
    if (exceeds) await this.#writer.roll()
    return count
  }

  /** See `Log.deleteBefore`. */
  async deleteBefore(offset: number): Promise<void> {
    if (offset > this.#state.logEndOffset) throw this.#state.outOfRange(offset)
    await this.#raiseLogStart(offset)
    await this.#removeSegments()
  }

  /**
   * End of the last segment, counted from the front, that is too old or too much.
   *
   * Holds   no segment that reaches beyond `highWatermark`; by size never less than retention.bytes is left.
   */
  async #expiredBelow(nowWallMs: number | undefined, highWatermark: number): Promise<number> {
    const { segments, settings } = this.#state
    let excessBytes = this.#state.sizeBytes - settings.retentionBytes
    let expired = this.#state.logStartOffset
    for (const segment of [...segments]) {
      if (segment.size === 0 || segment.nextOffset > highWatermark) break
      const tooMuch = settings.retentionBytes >= 0 && excessBytes >= segment.size
      const goes =
        tooMuch ||
        segment.nextOffset <= expired ||
        (nowWallMs !== undefined && (await this.#isOld(segment, nowWallMs)))
      if (!goes) break
      excessBytes -= segment.size
      expired = Math.max(expired, segment.nextOffset)
    }
    return expired
  }

  async #isOld(segment: Segment, nowWallMs: number): Promise<boolean> {
    const { retentionMs } = this.#state.settings
    if (retentionMs < 0) return false
    return nowWallMs - (await this.#newestMs(segment)) > retentionMs
  }

  /** Largest timestamp; the time of the last write where no record has one. */
  async #newestMs(segment: Segment): Promise<number> {
    if (segment.maxTimestamp >= 0) return segment.maxTimestamp
    const stat = await this.#host.env.disk.stat(segment.path)
    return stat?.modifiedMs ?? Number.POSITIVE_INFINITY
  }

  /** Durable before a file goes: a restart must not find a log that begins with a hole. */
  async #raiseLogStart(offset: number): Promise<void> {
    if (offset <= this.#state.logStartOffset || this.#state.dead) return
    await this.#state.listener.startMoves?.()
    await this.#hooks.saveLogStart(offset)
    this.#state.logStartOffset = Math.max(this.#state.logStartOffset, offset)
    this.#state.epochs.cutStart(this.#state.logStartOffset)
  }

  /** Removes the segments that end at or before the log start; the active one is closed first where it does. */
  async #removeSegments(): Promise<number> {
    const gone = await this.#takeOut()
    this.#gone.push(...gone)
    if (this.#gone.length > 0) await this.#renameGone()
    return gone.length
  }

  async #takeOut(): Promise<readonly Segment[]> {
    const state = this.#state
    if (state.active.nextOffset <= state.logStartOffset) await this.#writer.roll()
    const isGone = ({ nextOffset }: Segment) => nextOffset <= state.logStartOffset
    const gone = state.segments.slice(0, -1).filter(isGone)
    const last = gone.at(-1)
    if (last === undefined) return []
    // A log without any file would have to be believed empty from offset 0 if log-start-offset were damaged.
    await this.#writer.createActive()
    // Whatever the policy: a sync of a file that is being removed would fail.
    await this.#commit.until(last.nextOffset)
    if (state.dead) return []
    state.segments = state.segments.filter((segment) => !gone.includes(segment))
    return gone
  }

  async #renameGone(): Promise<void> {
    const renamed: string[] = []
    try {
      for (;;) {
        const [segment] = this.#gone
        if (segment === undefined) break
        await this.#removed.renameAway(segment, segment.paths, renamed)
        this.#gone.shift()
      }
      await this.#host.env.disk.syncDirectory(this.#state.directory)
    } finally {
      if (!this.#state.dead) this.#removed.later(renamed)
    }
  }
}
