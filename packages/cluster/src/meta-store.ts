// The metadata store as everybody sees it: an ordered map with revisions, transactions, watches and leases.
// Twins: the embedded store (`embedded/`) now, etcd later; `compliance/` says what all of them must do.
// Source: REPLICATION 3.7; etcd's KV, Watch and Lease APIs, reduced to what the controller uses.

export interface MetaStore {
  /**
   * Keys that begin with `prefix`, in byte order, linearizable.
   *
   * Shape   `after`: only keys above it; `limit`: at most so many (as many as that: ask on from the last).
   *         `rev`: as it was then; the answer's `rev` is that one, else the newest.
   * Errors  NotApplied `compacted` or `future`, where `rev` is out of reach; Unknown.
   */
  range(prefix: string, options?: RangeOptions): Promise<RangeResult>
  /**
   * Does `success` if every compare holds, else `failure`; atomically, each operation sees the ones before it.
   *
   * Holds   one revision for all its changes; without a change no new revision. `ok`: the compares held.
   *         Once it resolved, the outcome survives whatever the store promises to survive.
   * Errors  NotApplied: it did not and will not happen. Unknown: it may have; read, then decide.
   */
  txn(compares: readonly Cmp[], success: readonly Op[], failure: readonly Op[]): Promise<TxnResult>
  /**
   * Every change of keys with `prefix` from revision `fromRev` on, in order, none twice; a revision comes whole.
   *
   * Errors  `{compacted}` is the last item: the history up to there is gone, range again and watch from its rev + 1.
   *         The iterator throws Unknown where the store is lost. `return()` ends a pending `next()`.
   */
  watch(prefix: string, fromRev: number): AsyncIterable<WatchItem>
  /** A lease dies `ttlMs` after its last renewal, never earlier, and takes the keys bound to it along in one revision. */
  grant(ttlMs: number): Promise<Lease>
  /** Renews; answers the new time to live, or 'lost' where there is no such lease (any more). */
  keepAlive(leaseId: string): Promise<number | 'lost'>
  /** Ends the lease now and deletes its keys in one revision; a lease that is gone is fine. */
  revoke(leaseId: string): Promise<void>
}

export type RangeOptions = {
  readonly rev?: number | undefined
  readonly limit?: number | undefined
  readonly after?: string | undefined
}

export type RangeResult = { readonly rev: number; readonly kvs: readonly KeyValue[] }

export type KeyValue = {
  readonly key: string
  readonly value: string
  /** Revision that created the key; a deleted and re-created key has a new one. */
  readonly createRev: number
  readonly modRev: number
  /** The lease it lives by; undefined: its own. */
  readonly leaseId: string | undefined
}

/** Equality; revision 0 stands for "there is no such key". A value compare of an absent key does not hold. */
export type Cmp =
  | { readonly key: string; readonly createRev: number }
  | { readonly key: string; readonly modRev: number }
  | { readonly key: string; readonly value: string }

/**
 * `put` without a lease detaches the key from the one it had (T22); `ignoreLease` keeps it, and wants the key to exist.
 * In one list no key may be put twice, or put and deleted.
 */
export type Op =
  | {
      readonly op: 'put'
      readonly key: string
      readonly value: string
      readonly leaseId?: string | undefined
      readonly ignoreLease?: boolean | undefined
    }
  | { readonly op: 'delete'; readonly key: string }
  | { readonly op: 'deletePrefix'; readonly prefix: string }
  | { readonly op: 'get'; readonly key: string }
  | { readonly op: 'getPrefix'; readonly prefix: string; readonly limit?: number | undefined }

/** One per operation of the list that was done: what it deleted, what it found; empty for a put. */
export type OpResult =
  | { readonly op: 'put' }
  | { readonly op: 'delete'; readonly deleted: number }
  | { readonly op: 'get'; readonly kvs: readonly KeyValue[] }

export type TxnResult = {
  readonly ok: boolean
  /** The store's revision after it. */
  readonly rev: number
  readonly results: readonly OpResult[]
}

export type Event =
  | { readonly type: 'put'; readonly kv: KeyValue }
  | { readonly type: 'delete'; readonly key: string; readonly modRev: number }

export type WatchItem =
  | { readonly rev: number; readonly events: readonly Event[] }
  | { readonly compacted: number }
  | { readonly progress: number }

export type Lease = { readonly id: string; readonly ttlMs: number }

/** The larger of compares, success and failure may hold so many (etcd's default, REPLICATION 3.4). */
export const OPS_MAX = 128
/** Bytes of all keys and values of a transaction, counted as UTF-8 (etcd refuses requests above 1.5 MiB). */
export const TXN_BYTES_MAX = 1_536 * 1024
export const KEY_BYTES_MAX = 1024

export type NotAppliedReason =
  | 'too-many-operations'
  | 'too-large'
  | 'invalid'
  | 'no-such-key'
  | 'no-such-lease'
  | 'compacted'
  | 'future'
  | 'no-space'
  | 'busy'
  | 'closed'

/** Definite: it did not and will not happen. */
export class NotApplied extends Error {
  override name = 'NotApplied'
  declare readonly reason: NotAppliedReason
  constructor(reason: NotAppliedReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

/** Ambiguous: it may have happened, or may yet. Read, then decide. */
export class Unknown extends Error {
  override name = 'Unknown'
}
