// What a log needs of the data directory it lies in. Enters: the directory's shared parts. Leaves: news of one log.
import type { Env } from '@minikafka/platform'
import type { FramePool, MemoryAccount } from '@minikafka/protocol'
import type { Durations } from '../durations.ts'
import type { Damage } from './damage.ts'
import type { IndexShelf } from './index-file.ts'
import type { Tail } from './tail.ts'
import type { WriteTurns } from './write-turns.ts'

/** Shared by all logs of a data directory. */
export type LogHost = IndexShelf & {
  readonly env: Env
  readonly tail: Tail
  /** Holds the memory of batches that came in large frames: while they are queued, and while the tail keeps them. */
  readonly frames: FramePool
  readonly writeTurns: WriteTurns
  /** How long each fdatasync of a segment took. */
  readonly syncs: Durations
  /** Charged for what is queued and not written: a frame may be given back to its budget before (acks 0). */
  memory: QueueAccount | undefined
}

export type QueueAccount = Pick<MemoryAccount, 'charge' | 'release'>

/** What one log tells its directory. */
export type LogHooks = {
  /** An fdatasync covers everything below `offset`: both floors may rise. */
  durable(offset: number): void
  /** A closed segment was synced: `recovery-point` is due. */
  rolled(): void
  /** Makes a higher log start durable; segments are removed after it. */
  saveLogStart(offset: number): Promise<void>
  /** Lowers both floors, durably, before the log is cut to `offset`. */
  lowerFloor(offset: number): Promise<void>
  /** Below it compaction leaves gaps from now on: durable before the first one. */
  raiseCompactedBelow(offset: number): Promise<void>
  /** The disk failed: the whole directory goes offline (REPLICATION 2.12.3). */
  failed(error: Error): void
  /** Part of the log cannot be read any more: it is not served from now on. Called once for each. */
  damaged(damage: Damage): void
  /** Something derived could not be written; it is tried again or rebuilt. */
  warn(error: unknown, what: string): void
}
