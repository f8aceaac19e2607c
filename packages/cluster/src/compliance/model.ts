// The store as simple as it can be thought: whole maps, one per revision. What implementations are compared with.
import type { Cmp, Event, KeyValue, Op, OpResult, RangeOptions } from '../meta-store.ts'

type Keys = ReadonlyMap<string, KeyValue>
type ModelLease = { readonly ttlMs: number; deadlineMs: number }

export class ModelStore {
  /** Index 0 stands for revision `base`. */
  readonly #revisions: Keys[] = [new Map()]
  readonly #base: number
  readonly leases = new Map<string, ModelLease>()
  #nowMs = 0

  constructor(base: number) {
    this.#base = base
  }

  /** The revision it began with. */
  get oldest(): number {
    return this.#base
  }

  get rev(): number {
    return this.#base + this.#revisions.length - 1
  }

  at(rev: number): Keys {
    return this.#revisions[rev - this.#base] ?? new Map()
  }

  range(prefix: string, options: RangeOptions): KeyValue[] {
    const { rev = this.rev, limit = Number.MAX_SAFE_INTEGER, after = '' } = options
    return sorted(this.at(rev))
      .filter(({ key }) => key.startsWith(prefix) && key > after)
      .slice(0, limit)
  }

  txn(compares: readonly Cmp[], success: readonly Op[], failure: readonly Op[]) {
    const now = this.at(this.rev)
    const ok = compares.every((compare) => holds(now, compare))
    const next = new Map(now)
    const results = (ok ? success : failure).map((op) => this.#do(next, op))
    this.#commit(next)
    return { ok, rev: this.rev, results }
  }

  grant(id: string, ttlMs: number): void {
    this.leases.set(id, { ttlMs, deadlineMs: this.#nowMs + ttlMs })
  }

  keepAlive(id: string): number | 'lost' {
    const lease = this.leases.get(id)
    if (lease === undefined) return 'lost'
    lease.deadlineMs = this.#nowMs + lease.ttlMs
    return lease.ttlMs
  }

  revoke(id: string): void {
    this.leases.delete(id)
    this.#commit(new Map([...this.at(this.rev)].filter(([, { leaseId }]) => leaseId !== id)))
  }

  /** Leases that end on the way end in the order of their deadlines. */
  advance(ms: number): void {
    this.#nowMs += ms
    const ended = [...this.leases].filter(([, { deadlineMs }]) => deadlineMs <= this.#nowMs)
    for (const [id] of ended.sort(([, a], [, b]) => a.deadlineMs - b.deadlineMs)) this.revoke(id)
  }

  /** Everything that happened to keys with `prefix`, revision by revision. */
  history(prefix: string, fromRev: number): { rev: number; events: Event[] }[] {
    const items: { rev: number; events: Event[] }[] = []
    for (let rev = fromRev; rev <= this.rev; rev++) {
      const events = difference(this.at(rev - 1), this.at(rev), rev)
      const shown = events.filter((event) => keyOf(event).startsWith(prefix))
      if (shown.length > 0) items.push({ rev, events: shown })
    }
    return items
  }

  #do(keys: Map<string, KeyValue>, op: Op): OpResult {
    switch (op.op) {
      case 'put': {
        const before = keys.get(op.key)
        const rev = this.rev + 1
        const leaseId = op.ignoreLease ? before?.leaseId : op.leaseId
        const { key, value } = op
        keys.set(key, { key, value, createRev: before?.createRev ?? rev, modRev: rev, leaseId })
        return { op: 'put' }
      }
      case 'delete':
        return { op: 'delete', deleted: keys.delete(op.key) ? 1 : 0 }
      case 'deletePrefix': {
        const gone = [...keys.keys()].filter((key) => key.startsWith(op.prefix))
        for (const key of gone) keys.delete(key)
        return { op: 'delete', deleted: gone.length }
      }
      case 'get':
        return { op: 'get', kvs: sorted(keys).filter(({ key }) => key === op.key) }
      case 'getPrefix': {
        const found = sorted(keys).filter(({ key }) => key.startsWith(op.prefix))
        return { op: 'get', kvs: found.slice(0, op.limit ?? found.length) }
      }
    }
  }

  #commit(next: Keys): void {
    if (difference(this.at(this.rev), next, 0).length > 0) this.#revisions.push(next)
  }
}

export function keyOf(event: Event): string {
  return event.type === 'put' ? event.kv.key : event.key
}

function holds(keys: Keys, compare: Cmp): boolean {
  const kv = keys.get(compare.key)
  if ('createRev' in compare) return (kv?.createRev ?? 0) === compare.createRev
  if ('modRev' in compare) return (kv?.modRev ?? 0) === compare.modRev
  return kv !== undefined && kv.value === compare.value
}

function difference(before: Keys, after: Keys, rev: number): Event[] {
  const events: Event[] = []
  for (const kv of after.values()) {
    if (before.get(kv.key)?.modRev !== kv.modRev) events.push({ type: 'put', kv })
  }
  for (const key of before.keys()) {
    if (!after.has(key)) events.push({ type: 'delete', key, modRev: rev })
  }
  return events.sort((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1))
}

function sorted(keys: Keys): KeyValue[] {
  return [...keys.values()].sort((left, right) => (left.key < right.key ? -1 : 1))
}
