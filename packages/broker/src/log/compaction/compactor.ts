// The compaction of one log: what can be compacted, one pass at a time, and what is remembered of it.
// Enters: requests of the broker's cleaner. Leaves: a smaller log; a note how far it came.
import type { Env } from '@minikafka/platform'
import { batchMaxTimestampAt } from '@minikafka/protocol'
import type { GroupCommit } from '../group-commit.ts'
import type { LogHooks, LogHost } from '../log-host.ts'
import type { LogState } from '../log-state.ts'
import type { LogWriter } from '../log-writer.ts'
import type { RemovedFiles } from '../removed-files.ts'
import type { Segment } from '../segment.ts'
import { beyondSwaps, type SegmentAccess, SegmentReplaced } from '../segment-access.ts'
import { type Cleanable, cleanableOf, dirtyShare } from './cleanable.ts'
import type { CleanedSegment } from './cleaned-segment.ts'
import { type CompactedNote, loadCompactedNote, saveCompactedNote } from './compacted-note.ts'
import { CompactionPass, type CompactionReport, type CompactionRequest } from './compaction-pass.ts'
import { SwapBroken, swapIn } from './segment-swap.ts'

/** What a log could have done to it. */
export type CompactionNeed = Cleanable & {
  /** 0 to 1. */
  readonly share: number
  /** A record has waited for `max.compaction.lag.ms`, or a tombstone's time is over: whatever the share. */
  readonly isDue: boolean
}

export type CompactorTools = {
  readonly writer: LogWriter
  readonly commit: GroupCommit
  readonly access: SegmentAccess
  readonly removed: RemovedFiles
  /** One change of the list of segments after the other. */
  readonly inTurn: <T>(change: () => Promise<T>) => Promise<T>
  /** Writes `sealed` for the segments as they are now. */
  readonly seal: () => Promise<void>
}

export class Compactor {
  readonly #host: LogHost
  readonly #hooks: LogHooks
  readonly #state: LogState
  readonly #does: CompactorTools
  #note: CompactedNote | undefined
  #isStopped = false
  #running: { readonly stopping: AbortController; readonly done: Promise<unknown> } | undefined

  constructor(host: LogHost, hooks: LogHooks, state: LogState, does: CompactorTools) {
    this.#host = host
    this.#hooks = hooks
    this.#state = state
    this.#does = does
  }

  /** See `Log.compactionNeed`. */
  async need(nowMs: number, below: number): Promise<CompactionNeed> {
    await this.#closeOldActive(below)
    const { firstDirtyOffset, nextHorizonMs } = await this.#known()
    const plan = this.#plan(firstDirtyOffset, nowMs, below)
    const isDue =
      (nextHorizonMs !== undefined && nextHorizonMs <= nowMs && plan.cleanBytes > 0) ||
      (await this.#hasWaitedTooLong(plan, nowMs))
    return { ...plan, share: dirtyShare(plan), isDue }
  }

  /** See `Log.compact`. */
  async compact(
    request: CompactionRequest & { readonly below: number },
  ): Promise<CompactionReport | undefined> {
    if (this.#running !== undefined || this.#isStopped) return undefined
    const stopping = new AbortController()
    const done = this.#compact(request, stopping.signal)
    this.#running = { stopping, done: done.catch(() => undefined) }
    try {
      return await done
    } catch (error) {
      // Retention took a segment away, and the next pass finds what is left; or the log was closed.
      if (error instanceof SegmentReplaced || stopping.signal.aborted) return undefined
      throw error
    } finally {
      this.#running = undefined
    }
  }

  /** No pass begins or goes on after this. Resolves when the last one has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#running?.stopping.abort(new Error(`${this.#state.name} is closed`))
    await this.#running?.done
  }

  /** The log is going to end at `offset`: what comes there then has not been compacted. Durable. */
  async cutAt(offset: number): Promise<void> {
    const note = await this.#known()
    if (note.firstDirtyOffset > offset) await this.#remember({ ...note, firstDirtyOffset: offset })
  }

  async #compact(
    request: CompactionRequest & { readonly below: number },
    signal: AbortSignal,
  ): Promise<CompactionReport> {
    const { firstDirtyOffset } = await this.#known()
    const plan = this.#plan(firstDirtyOffset, request.nowMs, request.below)
    // Whatever the policy: what is written anew must not depend on what a power cut could take.
    await this.#does.commit.until(plan.endOffset)
    const pass = new CompactionPass(
      {
        host: this.#host,
        state: this.#state,
        hooks: this.#hooks,
        access: this.#does.access,
        beforeGaps: (endOffset) => this.#beforeGaps(endOffset),
        swap: (old, cleaned) => this.#swap(old, cleaned),
        pace: async (bytes) => {
          signal.throwIfAborted()
          await request.pace(bytes, signal)
          signal.throwIfAborted()
        },
      },
      request,
    )
    const report = await pass.run(plan)
    const { nextHorizonMs } = report
    await this.#remember({ firstDirtyOffset: report.firstDirtyOffset, nextHorizonMs })
    return report
  }

  #plan(firstDirtyOffset: number, nowMs: number, below: number): Cleanable {
    const { segments, bad, settings } = this.#state
    const damaged = segments.find(({ baseOffset }) => bad.in(baseOffset).length > 0)
    return cleanableOf(segments, {
      firstDirtyOffset,
      below: Math.min(below, damaged?.baseOffset ?? Number.POSITIVE_INFINITY),
      nowMs,
      minCompactionLagMs: settings.minCompactionLagMs,
    })
  }

  /** Records are going to vanish: what is known from their headers only is kept first; gaps are allowed from here on. */
  async #beforeGaps(endOffset: number): Promise<void> {
    await this.#state.listener.startMoves?.()
    if (endOffset <= this.#state.rules.compactedBelow) return
    await this.#hooks.raiseCompactedBelow(endOffset)
    this.#state.rules = { ...this.#state.rules, compactedBelow: endOffset }
  }

  #swap(old: readonly Segment[], cleaned: CleanedSegment): Promise<boolean> {
    return this.#does.inTurn(async () => {
      const state = this.#state
      // Retention may have taken one meanwhile, or a reader met damage.
      const isThere = (segment: Segment) =>
        state.segments.includes(segment) && state.bad.in(segment.baseOffset).length === 0
      if (!old.every(isThere)) return false
      for (const segment of old) segment.leaving = true
      try {
        await this.#does.seal()
        await swapIn(this.#host, state, this.#does.removed, { old, cleaned })
      } catch (error) {
        // Neither the old ones nor the new one can be relied on until a start has looked.
        if (error instanceof SwapBroken) this.#hooks.failed(error)
        for (const segment of old) segment.leaving = false
        throw error
      }
      this.#save(cleaned.segment.saveIndexes(), 'index not saved')
      this.#save(this.#does.seal(), 'sums of segments not saved')
      return true
    })
  }

  /** What is derived is made anew where it is missing. */
  #save(saving: Promise<void>, failed: string): void {
    saving.catch((error: unknown) => this.#hooks.warn(error, failed))
  }

  // --- when ------------------------------------------------------------------------------------

  /** Nobody appends, and its records wait for a pass: the active segment is closed as an append would close it. */
  async #closeOldActive(below: number): Promise<void> {
    const { active, settings } = this.#state
    if (settings.maxCompactionLagMs === undefined || active.size === 0) return
    if (active.nextOffset <= below)
      await this.#does.writer.rollOlderThan(settings.maxCompactionLagMs)
  }

  async #hasWaitedTooLong(
    { firstDirtyOffset, endOffset }: Cleanable,
    nowMs: number,
  ): Promise<boolean> {
    const { maxCompactionLagMs } = this.#state.settings
    if (maxCompactionLagMs === undefined || endOffset <= firstDirtyOffset) return false
    const firstMs = await beyondSwaps(async () => {
      const { segments } = this.#state
      const dirty = segments.find(
        ({ nextOffset, size }) => nextOffset > firstDirtyOffset && size > 0,
      )
      return dirty && (await this.#firstTimestampOf(dirty))
    })
    return firstMs !== undefined && nowMs - firstMs >= maxCompactionLagMs
  }

  async #firstTimestampOf(segment: Segment): Promise<number> {
    let timestampMs = segment.maxTimestamp
    await this.#does.access.walk(segment, segment.baseOffset, (bytes, at) => {
      timestampMs = batchMaxTimestampAt(bytes, at)
      return false
    })
    return timestampMs
  }

  // --- what is remembered ----------------------------------------------------------------------

  /** Within the log as it is: it may have been cut, or its front deleted. */
  async #known(): Promise<CompactedNote> {
    const { directory, identity } = this.#state
    this.#note ??= await loadCompactedNote(this.#disk, directory, identity)
    const { logStartOffset, logEndOffset } = this.#state
    const { firstDirtyOffset } = this.#note
    const isInside = firstDirtyOffset >= logStartOffset && firstDirtyOffset <= logEndOffset
    return isInside ? this.#note : { ...this.#note, firstDirtyOffset: logStartOffset }
  }

  async #remember(note: CompactedNote): Promise<void> {
    const { directory, identity } = this.#state
    await saveCompactedNote(this.#disk, directory, identity, note)
    this.#note = note
  }

  get #disk(): Env['disk'] {
    return this.#host.env.disk
  }
}
