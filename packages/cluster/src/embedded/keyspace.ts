// The keys in memory: an ordered map with revisions, changed by transactions. No I/O, no time.
// Enters: compares and operations. Leaves: results and the changes, which can be undone newest first.
import { assert } from '@minikafka/platform'
import { type Cmp, type KeyValue, NotApplied, type Op, type OpResult } from '../meta-store.ts'
import { type Change, History } from './history.ts'

export type Outcome = {
  readonly ok: boolean
  /** Newest revision after it. */
  readonly rev: number
  readonly results: readonly OpResult[]
  /** Empty: no new revision. */
  readonly changes: readonly Change[]
}

export class Keyspace {
  readonly #byKey = new Map<string, KeyValue>()
  /** Invariant: the keys of `#byKey`, ascending (ASCII: code units are bytes). */
  readonly #sorted: string[] = []
  readonly history: History

  constructor(rev: number, kvs: readonly KeyValue[], historyMax: number) {
    this.history = new History(rev, historyMax)
    for (const kv of kvs) this.#set(kv.key, kv)
  }

  get rev(): number {
    return this.history.last
  }

  /** Errors: NotApplied, nothing changed. What can be checked without the state was checked by `checkTxn`. */
  execute(
    txn: { compares: readonly Cmp[]; success: readonly Op[]; failure: readonly Op[] },
    hasLease: (leaseId: string) => boolean,
  ): Outcome {
    const ok = txn.compares.every((compare) => this.#holds(compare))
    const ops = ok ? txn.success : txn.failure
    for (const op of ops) this.#checkPut(op, hasLease)
    const rev = this.rev + 1
    const changes: Change[] = []
    const results = ops.map((op) => this.#do(op, rev, changes))
    if (changes.length > 0) this.history.add(changes)
    return { ok, rev: this.rev, results, changes }
  }

  /** Applies changes that were decided before, in another life: replay of the journal. */
  replay(changes: readonly { key: string; value?: string; leaseId?: string | undefined }[]): void {
    const rev = this.rev + 1
    const done: Change[] = []
    for (const { key, value, leaseId } of changes) {
      if (value === undefined) this.#delete(key, done)
      else this.#put({ key, value, leaseId }, rev, done)
    }
    this.history.add(done)
  }

  /** Deletes the keys of one lease, as one revision; undefined where it has none. */
  deleteOfLease(leaseId: string): Outcome | undefined {
    const keys = this.#sorted.filter((key) => this.#byKey.get(key)?.leaseId === leaseId)
    if (keys.length === 0) return undefined
    const success = keys.map((key): Op => ({ op: 'delete', key }))
    return this.execute({ compares: [], success, failure: [] }, () => true)
  }

  /** The leases that keys are bound to. */
  leaseIds(): Set<string> {
    const ids = new Set<string>()
    for (const { leaseId } of this.#byKey.values()) if (leaseId !== undefined) ids.add(leaseId)
    return ids
  }

  /** As if nothing above `rev` had happened. */
  undoTo(rev: number): void {
    while (this.rev > rev) {
      for (const { key, before } of this.history.pop().changes.toReversed()) this.#set(key, before)
    }
  }

  /** All keys in order. */
  all(): KeyValue[] {
    return this.#find('', '', Number.MAX_SAFE_INTEGER)
  }

  /** Keys with `prefix` above `after`, as they were at `rev`. */
  range(prefix: string, after: string, limit: number, rev: number): KeyValue[] {
    if (rev === this.rev) return this.#find(prefix, after, limit)
    const then = this.history.since(rev)
    const kvs = this.#find(prefix, after, Number.MAX_SAFE_INTEGER).filter(
      ({ key }) => !then.has(key),
    )
    for (const [key, kv] of then) {
      if (kv !== undefined && key.startsWith(prefix) && key > after) kvs.push(kv)
    }
    return kvs.sort((left, right) => (left.key < right.key ? -1 : 1)).slice(0, limit)
  }

  #find(prefix: string, after: string, limit: number): KeyValue[] {
    const found: KeyValue[] = []
    let index = this.#indexOf(after > prefix ? after : prefix)
    if (after !== '' && this.#sorted[index] === after) index++
    for (; index < this.#sorted.length && found.length < limit; index++) {
      const key = this.#sorted[index] as string
      if (!key.startsWith(prefix)) break
      found.push(this.#byKey.get(key) as KeyValue)
    }
    return found
  }

  #holds(compare: Cmp): boolean {
    const kv = this.#byKey.get(compare.key)
    if ('createRev' in compare) return (kv?.createRev ?? 0) === compare.createRev
    if ('modRev' in compare) return (kv?.modRev ?? 0) === compare.modRev
    return kv?.value === compare.value
  }

  #checkPut(op: Op, hasLease: (leaseId: string) => boolean): void {
    if (op.op !== 'put') return
    if (op.ignoreLease && !this.#byKey.has(op.key)) {
      throw new NotApplied('no-such-key', `there is no key ${op.key} whose lease could be kept`)
    }
    if (op.leaseId !== undefined && !hasLease(op.leaseId)) {
      throw new NotApplied('no-such-lease', `there is no lease ${op.leaseId}`)
    }
  }

  #do(op: Op, rev: number, changes: Change[]): OpResult {
    switch (op.op) {
      case 'put': {
        const leaseId = op.ignoreLease ? this.#byKey.get(op.key)?.leaseId : op.leaseId
        this.#put({ key: op.key, value: op.value, leaseId }, rev, changes)
        return { op: 'put' }
      }
      case 'delete':
        return { op: 'delete', deleted: this.#delete(op.key, changes) ? 1 : 0 }
      case 'deletePrefix': {
        const kvs = this.#find(op.prefix, '', Number.MAX_SAFE_INTEGER)
        for (const { key } of kvs) this.#delete(key, changes)
        return { op: 'delete', deleted: kvs.length }
      }
      case 'get': {
        const kv = this.#byKey.get(op.key)
        return { op: 'get', kvs: kv === undefined ? [] : [kv] }
      }
      case 'getPrefix':
        return { op: 'get', kvs: this.#find(op.prefix, '', op.limit ?? Number.MAX_SAFE_INTEGER) }
    }
  }

  #put(
    { key, value, leaseId }: { key: string; value: string; leaseId: string | undefined },
    rev: number,
    changes: Change[],
  ): void {
    const before = this.#byKey.get(key)
    // Written out: V8 gives each object that is spread and then grows a shape of its own, 314 bytes in place of 73.
    const after = { key, value, leaseId, createRev: before?.createRev ?? rev, modRev: rev }
    this.#set(key, after)
    changes.push({ key, before, after })
  }

  #delete(key: string, changes: Change[]): boolean {
    const before = this.#byKey.get(key)
    if (before === undefined) return false
    this.#set(key, undefined)
    changes.push({ key, before, after: undefined })
    return true
  }

  #set(key: string, kv: KeyValue | undefined): void {
    if (kv === undefined) {
      const index = this.#indexOf(key)
      assert(this.#sorted[index] === key, 'a key that is deleted stands in the order')
      this.#sorted.splice(index, 1)
      this.#byKey.delete(key)
      return
    }
    if (!this.#byKey.has(key)) this.#sorted.splice(this.#indexOf(key), 0, key)
    this.#byKey.set(key, kv)
  }

  /** Where `key` stands or would stand. */
  #indexOf(key: string): number {
    let low = 0
    let high = this.#sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#sorted[middle] as string) < key) low = middle + 1
      else high = middle
    }
    return low
  }
}
