// When written batches become durable: at most one fdatasync per file in flight, and what is written meanwhile rides the next.
// Enters: news of writes. Leaves: durableEndOffset, which never passes what a completed sync covers (REPLICATION 2.2).
import { assert, sleep, type Timer } from '@minikafka/platform'
import type { LogHooks, LogHost } from './log-host.ts'
import type { LogState } from './log-state.ts'
import { isOutOfDescriptors } from './open-files.ts'
import type { Segment } from './segment.ts'

/** Until a file that could not be opened for its sync is tried again. */
const RETRY_MS = 100

export class GroupCommit {
  readonly #host: LogHost
  readonly #state: LogState
  readonly #hooks: LogHooks
  /** A closed segment was synced: it may be sealed. */
  readonly #closedSynced: () => void
  /** Segments with batches that no completed sync covers, ascending. */
  #dirty: Segment[] = []
  /** A file was made and the directory not synced since: its name could be lost. */
  #directoryDirty = false
  /** Syncs go on until durableEndOffset reaches it. */
  #wanted = 0
  #running: Promise<void> | undefined
  /** Those who wait in `until`; each looks for itself. */
  #waiting: (() => void)[] = []
  /** flush=interval: the next sync. */
  #timer: Timer | undefined
  /** Set while there was no descriptor to sync with: until it fires nobody tries. */
  #retry: Timer | undefined
  #saidRetry = false

  constructor(host: LogHost, state: LogState, hooks: LogHooks, closedSynced: () => void) {
    this.#host = host
    this.#state = state
    this.#hooks = hooks
    this.#closedSynced = closedSynced
  }

  /** The active segment's file was made. */
  created(): void {
    this.#directoryDirty = true
  }

  /** The active segment grew to logEndOffset. */
  wrote(): void {
    const { active } = this.#state
    if (this.#dirty.at(-1) !== active) this.#dirty.push(active)
    this.configured()
  }

  /** Syncs now or later what is not durable, as the policy says. */
  configured(): void {
    const { flush, flushMs } = this.#state.settings
    if (flush === 'group') this.#want(this.#state.logEndOffset)
    else if (flush === 'interval') {
      this.#timer ??= this.#host.env.clock.timer(flushMs, () => {
        this.#timer = undefined
        this.#want(this.#state.logEndOffset)
      })
    }
  }

  /** The segment before the active one was closed: whatever the policy, it is synced now. */
  rolled(): void {
    const { baseOffset } = this.#state.active
    // The last sync may have covered all of it: no other one follows that would seal it.
    if (this.#state.durableEndOffset >= baseOffset) this.#closedSynced()
    else this.#want(baseOffset)
  }

  /** Syncs, whatever the policy says, until everything below `offset` is durable or the log is dead. */
  async until(offset: number): Promise<void> {
    const state = this.#state
    assert(offset <= state.logEndOffset, 'what is to be synced was written')
    this.#want(offset)
    while (!state.dead && state.durableEndOffset < offset) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** Its batches are cut or removed: they need no sync any more. */
  forget(segment: Segment): void {
    this.#dirty = this.#dirty.filter((dirty) => dirty !== segment)
  }

  isDirty(segment: Segment): boolean {
    return this.#dirty.includes(segment)
  }

  /** The log is dead: no timer fires and no sync begins after this. Resolves when the last one has ended. */
  async stop(): Promise<void> {
    assert(this.#state.dead !== undefined, 'syncs stop when the log is dead')
    this.died()
    await this.#running
  }

  /** The log is dead: whoever waits for a sync hears it now. */
  died(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#retry?.cancel()
    this.#retry = undefined
    this.#wake()
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resume of waiting) resume()
  }

  #want(offset: number): void {
    this.#wanted = Math.max(this.#wanted, offset)
    const isFree = this.#running === undefined && this.#retry === undefined
    if (isFree && this.#isBehind()) this.#running = this.#run()
  }

  #isBehind(): boolean {
    const { logEndOffset, durableEndOffset, dead } = this.#state
    return !dead && Math.min(this.#wanted, logEndOffset) > durableEndOffset
  }

  async #run(): Promise<void> {
    try {
      while (this.#isBehind()) await this.#syncOnce()
    } catch (error) {
      // No fsync failed where no file could be opened for one: all of it stays dirty.
      if (isOutOfDescriptors(error)) this.#tryAgainLater(error)
      // Never tried again: the pages are marked clean although they are not on the disk (trap T20).
      else this.#hooks.failed(error as Error)
    } finally {
      this.#running = undefined
      this.#wake()
    }
  }

  #tryAgainLater(error: unknown): void {
    if (this.#state.dead) return
    if (!this.#saidRetry)
      this.#hooks.warn(error, 'no file descriptor for a sync: it is tried again')
    this.#saidRetry = true
    this.#retry = this.#host.env.clock.timer(RETRY_MS, () => {
      this.#retry = undefined
      this.#want(this.#wanted)
    })
  }

  /** One fdatasync for each file with something new below the target, oldest first. */
  async #syncOnce(): Promise<void> {
    const { active } = this.#state
    const closedAreEnough = this.#wanted <= active.baseOffset
    // All that is claimed below is taken down before the first sync is issued.
    const target = closedAreEnough ? active.baseOffset : this.#state.logEndOffset
    const segments = this.#dirty.filter((segment) => segment.baseOffset < target)
    const syncsDirectory = this.#directoryDirty
    const { clock, random } = this.#host.env
    if (random.buggify('log-late-sync', 0.05)) await sleep(clock, random.below(300))
    for (const segment of segments) await this.#syncFile(segment)
    if (syncsDirectory) await this.#syncDirectory()
    if (this.#state.dead) return
    this.#advance(target, segments)
  }

  async #syncDirectory(): Promise<void> {
    this.#directoryDirty = false
    try {
      await this.#host.env.disk.syncDirectory(this.#state.directory)
    } catch (error) {
      this.#directoryDirty = true
      throw error
    }
  }

  async #syncFile(segment: Segment): Promise<void> {
    const open = await this.#host.files.acquire(segment.path)
    try {
      open.dirty = false
      const { clock } = this.#host.env
      const beganMs = clock.monotonicMs()
      await open.file.sync()
      this.#host.syncs.add(clock.monotonicMs() - beganMs)
    } finally {
      this.#host.files.release(open)
    }
  }

  #advance(target: number, synced: readonly Segment[]): void {
    const state = this.#state
    // A failed write may have cut the log meanwhile, but never below what was durable.
    const durable = Math.min(target, state.logEndOffset)
    assert(durable >= state.durableEndOffset, 'what is durable stays durable')
    this.#dirty = this.#dirty.filter(
      (segment) => !synced.includes(segment) || segment.nextOffset > durable,
    )
    state.durableEndOffset = durable
    this.#saidRetry = false
    this.#hooks.durable(durable)
    state.listener.advanced()
    this.#wake()
    if (synced.some((segment) => segment !== state.active)) this.#closedSynced()
  }
}
