// The metadata store of one broker: a log of transactions in its data directory, everything in memory.
// Enters: transactions, applied at once. Leaves: answers and events, once an fdatasync covers what they show.
// Source: REPLICATION 3.7.
import { type DiskError, type Env, type File, isNoSpace, type Timer } from '@minikafka/platform'
import {
  type Cmp,
  type Lease,
  type MetaStore,
  NotApplied,
  type Op,
  type RangeOptions,
  type RangeResult,
  type TxnResult,
  Unknown,
  type WatchItem,
} from '../meta-store.ts'
import { checkPrefix, checkTxn } from './check-txn.ts'
import { FloorSlot } from './floor.ts'
import { encodeHeader, encodeRevision } from './frame.ts'
import { storeFiles } from './inspect-store.ts'
import { Journal } from './journal.ts'
import type { Keyspace, Outcome } from './keyspace.ts'
import { Leases } from './leases.ts'
import { type Loaded, loadStore, type StoreFiles } from './load.ts'
import { encodeSnapshot } from './snapshot.ts'
import { Watchers } from './watchers.ts'

export type EmbeddedStoreOptions = {
  /** The data directory; it exists and is locked. Files: metadata.log, metadata.snapshot, metadata.synced. */
  readonly directory: string
  /** Size of metadata.log above which a snapshot takes its place; default 8 MiB. */
  readonly logBytesMax?: number | undefined
  /** Revisions kept for watches; default 10,000. */
  readonly historyMax?: number | undefined
}

const LOG_BYTES_MAX = 8 * 1024 * 1024
const HISTORY_MAX = 10_000
/** Revisions that wait for the disk at most; more are refused. */
const WAITING_MAX = 10_000
/** After a full disk kept the keys of an ended lease alive. */
const SWEEP_AGAIN_MS = 1000

/**
 * Opens the store, or makes it where there is none. Leases of an earlier process are over: their keys are deleted.
 *
 * Errors  StoreDamaged: what was acknowledged is not there; nothing was changed. DiskError. Where only the keys of those
 *         leases could not be deleted, NotApplied `no-space` or Unknown. Nothing is left open.
 */
export async function openEmbeddedStore(
  env: Env,
  options: EmbeddedStoreOptions,
): Promise<EmbeddedStore> {
  const files = storeFiles(options.directory)
  const loaded = await loadStore(env, files, options.historyMax ?? HISTORY_MAX)
  const journal = await openFiles(env, files, loaded)
  const store = new EmbeddedStore(
    env,
    loaded.keyspace,
    (listener) =>
      new Journal(
        env,
        files,
        { ...journal, logBytesMax: options.logBytesMax ?? LOG_BYTES_MAX },
        listener,
      ),
  )
  try {
    await store.endForeignLeases()
  } catch (error) {
    await store.close()
    throw error
  }
  return store
}

/** The first change of a file is made here, after everything was read and found whole. */
async function openFiles(env: Env, files: StoreFiles, loaded: Loaded) {
  const { base, tornBytes, keyspace } = loaded
  const header = encodeHeader(base)
  if (loaded.position === undefined) await env.disk.replaceFile(files.logPath, header)
  const position = loaded.position ?? header.length
  const file = await env.disk.open(files.logPath, 'write')
  try {
    if (tornBytes > 0) {
      env.logger.warn(
        { path: files.logPath, position, tornBytes },
        'cut a torn tail of the metadata',
      )
      await file.truncate(position)
    }
    await writeAgain(env, file, files.logPath)
    const floor = await FloorSlot.open(env, files.floorPath)
    return { file, floor, base, position, rev: keyspace.rev }
  } catch (error) {
    await file.close()
    throw error
  }
}

/**
 * Writes the log over itself and syncs it. What a killed process wrote may be in the page cache alone; and after a
 * failed fsync its pages count as written, so that a sync passes them by (Rebello, ATC'20).
 */
async function writeAgain(env: Env, file: File, path: string): Promise<void> {
  const content = await env.disk.readFile(path)
  try {
    if (content !== undefined && content.length > 0) await file.append([content], 0)
  } catch (error) {
    // A file system that writes elsewhere needs room even for this; the bytes that are there are whole.
    if (!isNoSpace(error)) throw error
    env.logger.warn({ path }, 'the disk is full: the metadata was not written again')
  }
  await file.sync()
}

type Waiter = { readonly rev: number; resolve(): void; reject(error: Error): void }

export class EmbeddedStore implements MetaStore {
  readonly #env: Env
  readonly #keyspace: Keyspace
  readonly #journal: Journal
  readonly #leases: Leases
  readonly #watchers: Watchers
  /** Answers that show revisions which are not durable yet. */
  #waiters: Waiter[] = []
  readonly #failureListeners = new Set<(error: Error) => void>()
  #closed: Error | 'closed' | undefined
  #closing: Promise<void> | undefined
  #sweepTimer: Timer | undefined
  /** The last write found no room. */
  #isFull = false

  constructor(
    env: Env,
    keyspace: Keyspace,
    openJournal: (listener: ConstructorParameters<typeof Journal>[3]) => Journal,
  ) {
    this.#env = env
    this.#keyspace = keyspace
    this.#watchers = new Watchers(keyspace.history, keyspace.rev)
    this.#leases = new Leases(env, (leaseId) => this.#deleteOfLease(leaseId))
    this.#journal = openJournal({
      durable: (rev) => this.#durable(rev),
      undone: (rev, error) => this.#undone(rev, error),
      failed: (error) => this.#failed(error),
      snapshot: () => ({
        rev: keyspace.rev,
        bytes: encodeSnapshot({ rev: keyspace.rev, kvs: keyspace.all() }),
      }),
    })
  }

  /** Newest revision that is durable. */
  get rev(): number {
    return this.#journal.durableRev
  }

  async range(prefix: string, options: RangeOptions = {}): Promise<RangeResult> {
    this.#assertOpen()
    checkPrefix(prefix)
    const { limit = Number.MAX_SAFE_INTEGER, after = '' } = options
    const rev = options.rev ?? this.#keyspace.rev
    const { compacted, last } = this.#keyspace.history
    if (rev < compacted)
      throw new NotApplied('compacted', `revision ${rev} is gone, the oldest known is ${compacted}`)
    if (rev > last)
      throw new NotApplied('future', `revision ${rev} is still to come, the newest is ${last}`)
    const kvs = this.#keyspace.range(prefix, after, limit, rev)
    await this.#whenDurable(rev)
    return { rev, kvs }
  }

  async txn(
    compares: readonly Cmp[],
    success: readonly Op[],
    failure: readonly Op[],
  ): Promise<TxnResult> {
    this.#assertOpen()
    const txn = { compares, success, failure }
    checkTxn(txn)
    if (this.#journal.waitingCount >= WAITING_MAX) {
      throw new NotApplied('busy', `${WAITING_MAX} changes wait for the disk already`)
    }
    const outcome = this.#keyspace.execute(txn, (leaseId) => this.#leases.has(leaseId))
    this.#log(outcome)
    await this.#whenDurable(outcome.rev)
    return { ok: outcome.ok, rev: outcome.rev, results: outcome.results }
  }

  watch(prefix: string, fromRev: number): AsyncIterable<WatchItem> {
    checkPrefix(prefix)
    return this.#watchers.watch(prefix, fromRev)
  }

  async grant(ttlMs: number): Promise<Lease> {
    this.#assertOpen()
    if (!Number.isSafeInteger(ttlMs) || ttlMs <= 0) {
      throw new NotApplied(
        'invalid',
        `the time to live of a lease is a positive integer, not ${ttlMs}`,
      )
    }
    return this.#leases.grant(ttlMs)
  }

  async keepAlive(leaseId: string): Promise<number | 'lost'> {
    this.#assertOpen()
    return this.#leases.keepAlive(leaseId)
  }

  async revoke(leaseId: string): Promise<void> {
    this.#assertOpen()
    if (this.#leases.remove(leaseId)) this.#deleteOfLease(leaseId)
    await this.#whenDurable(this.#keyspace.rev)
  }

  /** At start-up: no lease of an earlier process is alive. */
  async endForeignLeases(): Promise<void> {
    this.#deleteOrphans()
    await this.#whenDurable(this.#keyspace.rev)
  }

  /** The disk failed: nothing is answered any more, the process should end (exit 74, no clean-shutdown file). */
  onFailure(listener: (error: Error) => void): () => void {
    this.#failureListeners.add(listener)
    return () => this.#failureListeners.delete(listener)
  }

  /** Refuses what comes, waits for what is under way; watches end. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#closed ??= 'closed'
    this.#leases.close()
    this.#sweepTimer?.cancel()
    await this.#journal.close()
    this.#watchers.end()
  }

  #log(outcome: Outcome): void {
    if (outcome.changes.length > 0)
      this.#journal.append(outcome.rev, encodeRevision(outcome.rev, outcome.changes))
  }

  /** Keys whose lease is over: of an earlier process, or while there was no room to delete them. */
  #deleteOrphans(): void {
    for (const leaseId of this.#keyspace.leaseIds()) {
      if (!this.#leases.has(leaseId)) this.#deleteOfLease(leaseId)
    }
  }

  #deleteOfLease(leaseId: string): void {
    if (this.#closed !== undefined) return
    const outcome = this.#keyspace.deleteOfLease(leaseId)
    if (outcome !== undefined) this.#log(outcome)
  }

  /** An answer may show `rev` only once it survives. */
  #whenDurable(rev: number): Promise<void> | undefined {
    if (rev <= this.#journal.durableRev) return undefined
    return new Promise((resolve, reject) => this.#waiters.push({ rev, resolve, reject }))
  }

  // --- what the journal says ---------------------------------------------------------------------

  #durable(rev: number): void {
    this.#isFull = false
    const waiters = this.#waiters
    this.#waiters = waiters.filter((waiter) => waiter.rev > rev)
    for (const waiter of waiters) if (waiter.rev <= rev) waiter.resolve()
    this.#watchers.show(rev)
    this.#keyspace.history.trim(rev)
  }

  #undone(rev: number, error: DiskError): void {
    this.#keyspace.undoTo(rev)
    const refusal = new NotApplied('no-space', 'the disk is full: the metadata stays as it was', {
      cause: error,
    })
    for (const waiter of this.#waiters.splice(0)) waiter.reject(refusal)
    // Who waits for it tries again and again: it is told once.
    if (!this.#isFull)
      this.#env.logger.warn({ rev, reason: error.message }, 'no room to write metadata')
    this.#isFull = true
    this.#sweepTimer?.cancel()
    if (this.#closed !== undefined) return
    this.#sweepTimer = this.#env.clock.timer(SWEEP_AGAIN_MS, () => this.#deleteOrphans())
  }

  #failed(error: Error): void {
    this.#closed = error
    this.#leases.close()
    this.#sweepTimer?.cancel()
    const unknown = new Unknown('the disk failed while metadata was written', { cause: error })
    for (const waiter of this.#waiters.splice(0)) waiter.reject(unknown)
    this.#watchers.end(unknown)
    for (const listener of this.#failureListeners) listener(error)
  }

  #assertOpen(): void {
    if (this.#closed === undefined) return
    if (this.#closed === 'closed') throw new NotApplied('closed', 'the metadata store is closed')
    throw new NotApplied('closed', 'the metadata store stopped: its disk failed', {
      cause: this.#closed,
    })
  }
}
