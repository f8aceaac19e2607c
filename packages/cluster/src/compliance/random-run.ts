// One random run: every step is done on the store and on the model, answers and watch histories must agree.
import { expect } from 'vitest'
import type { Cmp, KeyValue, MetaStore, Op, WatchItem } from '../meta-store.ts'
import type { MetaStoreWorld } from './index.ts'
import { keyOf, ModelStore } from './model.ts'
import type { Compare, Step, StepOp } from './steps.ts'

const WATCHED = ['', 'a/', 'b/__proto__']

export async function randomRun(world: MetaStoreWorld, steps: readonly Step[]): Promise<void> {
  const { store } = world
  const { rev: base } = await store.range('')
  const run = new Run(world, new ModelStore(base))
  const live = WATCHED.map((prefix) => collect(store, prefix, base + 1))
  for (const step of steps) await run.do(step)
  const { model } = run
  expect(await store.range('')).toEqual({ rev: model.rev, kvs: model.range('', {}) })
  // One more revision that every watch sees ends them.
  const last = WATCHED.map((prefix): Op => ({ op: 'put', key: `${prefix}~end`, value: '' }))
  await store.txn([], last, [])
  model.txn([], last, [])
  for (const [index, prefix] of WATCHED.entries()) {
    const expected = model.history(prefix, base + 1)
    expect(await live[index]).toEqual(expected)
    expect(await collect(store, prefix, base + 1)).toEqual(expected)
  }
}

/** What a watch shows until the key that ends it. */
async function collect(store: MetaStore, prefix: string, fromRev: number) {
  const items: unknown[] = []
  for await (const item of store.watch(prefix, fromRev)) {
    if ('progress' in item) continue
    items.push(inOrder(item))
    if ('compacted' in item || item.events.some((event) => keyOf(event) === `${prefix}~end`)) break
  }
  return items
}

/** Within one revision the order of the keys is free. */
function inOrder(item: WatchItem): unknown {
  if (!('events' in item)) return item
  const events = item.events.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1))
  return { rev: item.rev, events }
}

class Run {
  readonly model: ModelStore
  readonly #world: MetaStoreWorld
  readonly #leaseIds: string[] = []

  constructor(world: MetaStoreWorld, model: ModelStore) {
    this.#world = world
    this.model = model
  }

  async do(step: Step): Promise<void> {
    const { store } = this.#world
    const { model } = this
    switch (step.step) {
      case 'txn':
        await this.#txn(step)
        break
      case 'range': {
        const { prefix, limit, after, back } = step
        const rev = back === undefined ? undefined : Math.max(model.rev - back, model.oldest)
        const kvs = model.range(prefix, { rev, limit, after })
        expect(await store.range(prefix, { rev, limit, after })).toEqual({
          rev: rev ?? model.rev,
          kvs,
        })
        break
      }
      case 'grant': {
        const lease = await store.grant(step.ttlMs)
        expect(lease.ttlMs).toBe(step.ttlMs)
        expect(this.#leaseIds).not.toContain(lease.id)
        this.#leaseIds.push(lease.id)
        model.grant(lease.id, step.ttlMs)
        break
      }
      case 'keepAlive': {
        const id = this.#leaseId(step.lease)
        if (id !== undefined) expect(await store.keepAlive(id)).toBe(model.keepAlive(id))
        break
      }
      case 'revoke': {
        const id = this.#leaseId(step.lease)
        if (id === undefined) break
        await store.revoke(id)
        model.revoke(id)
        break
      }
      case 'advance':
        await this.#world.advance(step.ms)
        model.advance(step.ms)
        break
    }
  }

  async #txn(step: Extract<Step, { step: 'txn' }>): Promise<void> {
    const compares = step.compares.map((compare) => this.#compare(compare))
    const success = step.success.flatMap((op) => this.#op(op))
    const failure = step.failure.flatMap((op) => this.#op(op))
    const answer = await this.#world.store.txn(compares, success, failure)
    expect(answer).toEqual(this.model.txn(compares, success, failure))
  }

  #compare(compare: Compare): Cmp {
    const kv = this.#present(compare.key)
    const { key } = compare
    switch (compare.kind) {
      case 'exists':
        return { key, createRev: kv?.createRev ?? 0 }
      case 'right':
        return { key, modRev: kv?.modRev ?? 0 }
      case 'wrong':
        return { key, modRev: (kv?.modRev ?? 0) + 1 }
      case 'value':
        return { key, value: compare.value }
    }
  }

  /** A lease that is gone and a key that is not there would be refused: such operations are left out. */
  #op(op: StepOp): Op[] {
    switch (op.op) {
      case 'put': {
        const leaseId = op.lease === undefined ? undefined : this.#leaseId(op.lease)
        const live = leaseId !== undefined && this.model.leases.has(leaseId) ? leaseId : undefined
        return [{ op: 'put', key: op.key, value: op.value, leaseId: live }]
      }
      case 'putIgnoreLease':
        if (this.#present(op.key) === undefined) return []
        return [{ op: 'put', key: op.key, value: op.value, ignoreLease: true }]
      default:
        return [op]
    }
  }

  #leaseId(number: number): string | undefined {
    return this.#leaseIds[number % Math.max(1, this.#leaseIds.length)]
  }

  #present(key: string): KeyValue | undefined {
    return this.model.at(this.model.rev).get(key)
  }
}
