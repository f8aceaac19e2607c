// What every MetaStore must do (REPLICATION 3.7): one suite for the embedded store, the simulated one and etcd.
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type MetaStore, NotApplied, OPS_MAX, type Op } from '../meta-store.ts'
import { randomRun } from './random-run.ts'
import { steps } from './steps.ts'

/** A fresh store, alone in its world. */
export type MetaStoreWorld = {
  readonly store: MetaStore
  /** Lets so much time pass; afterwards leases whose time is over are gone. */
  advance(ms: number): Promise<void>
  /** Makes the history up to now unreachable; may write keys that begin with `~`. */
  compact(): Promise<void>
  close(): Promise<void>
}

export function metaStoreCompliance(name: string, makeWorld: () => Promise<MetaStoreWorld>): void {
  describe(`MetaStore: ${name}`, () => {
    let world: MetaStoreWorld
    beforeEach(async () => {
      world = await makeWorld()
    })
    afterEach(() => world.close())

    test('random operations: every answer and every watch history is that of the model', async () => {
      await fc.assert(
        fc.asyncProperty(steps, async (list) => {
          const fresh = await makeWorld()
          try {
            await randomRun(fresh, list)
          } finally {
            await fresh.close()
          }
        }),
        { numRuns: 60 },
      )
    })

    describe('transactions', () => transactions(() => world))
    describe('leases', () => leases(() => world))
    describe('watches and history', () => watches(() => world))
  })
}

// --- transactions ------------------------------------------------------------------------------

function transactions(world: () => MetaStoreWorld): void {
  test('of many writers at once none is lost: each compare sees the write before it', async () => {
    const { store } = world()
    await Promise.all(Array.from({ length: 10 }, () => increment(store, 'counter')))
    expect(await read(store, 'counter')).toMatchObject({ value: '10' })
  })

  test('an answered write is seen by the next read', async () => {
    const { store } = world()
    const { rev } = await store.txn([], [put('a', '1')], [])
    const range = await store.range('a')
    expect(range.rev).toBe(rev)
    expect(range.kvs).toMatchObject([{ key: 'a', value: '1', createRev: rev, modRev: rev }])
  })

  test('a deleted key that is made again has a new create revision', async () => {
    const { store } = world()
    const first = await store.txn([], [put('a', '1')], [])
    await store.txn([], [{ op: 'delete', key: 'a' }], [])
    const again = await store.txn([{ key: 'a', createRev: 0 }], [put('a', '2')], [])
    expect(again.ok).toBe(true)
    expect(again.rev).toBeGreaterThan(first.rev)
    expect(await read(store, 'a')).toMatchObject({ createRev: again.rev })
  })

  test('without a change there is no new revision', async () => {
    const { store } = world()
    const { rev } = await store.txn([], [put('a', '1')], [])
    const idle = await store.txn(
      [],
      [
        { op: 'delete', key: 'b' },
        { op: 'get', key: 'a' },
      ],
      [],
    )
    expect(idle.rev).toBe(rev)
    expect(idle.results).toMatchObject([{ deleted: 0 }, { kvs: [{ key: 'a' }] }])
  })

  test(`${OPS_MAX} operations are taken, one more in any list is refused and changes nothing`, async () => {
    const { store } = world()
    const many = Array.from({ length: OPS_MAX }, (_, index) => put(`k/${index}`, 'x'))
    const compares = many.map(({ key }) => ({ key, createRev: 0 }))
    const { ok, rev } = await store.txn(compares, many, [])
    expect(ok).toBe(true)
    const more = [...many, put('one-more', 'x')]
    const moreCompares = more.map(({ key }) => ({ key, createRev: 0 }))
    await refused(store.txn([], more, []), 'too-many-operations')
    await refused(store.txn([], [], more), 'too-many-operations')
    await refused(store.txn(moreCompares, [], []), 'too-many-operations')
    expect((await store.range('')).rev).toBe(rev)
  })

  test('a key put twice, or put and deleted, is refused', async () => {
    const { store } = world()
    await refused(store.txn([], [put('a', '1'), put('a', '2')], []), 'invalid')
    await refused(store.txn([], [put('a', '1'), { op: 'delete', key: 'a' }], []), 'invalid')
    await refused(
      store.txn([], [{ op: 'deletePrefix', prefix: 'a' }, put('a/1', '')], []),
      'invalid',
    )
    expect((await store.range('')).kvs).toEqual([])
  })

  test('two megabytes are refused and change nothing', async () => {
    const { store } = world()
    await refused(store.txn([], [put('a', 'x'.repeat(2 * 1024 * 1024))], []), 'too-large')
    expect((await store.range('')).kvs).toEqual([])
  })
}

// --- leases ------------------------------------------------------------------------------------

function leases(world: () => MetaStoreWorld): void {
  test('one that ends takes its keys along in one revision, and no others', async () => {
    const { store, advance } = world()
    const lease = await store.grant(10_000)
    const { rev } = await store.txn(
      [],
      [bound('a', lease.id), bound('b', lease.id), put('c', '')],
      [],
    )
    await advance(9_000)
    expect((await store.range('')).kvs).toHaveLength(3)
    await advance(2_000)
    const after = await store.range('')
    expect(after.kvs.map(({ key }) => key)).toEqual(['c'])
    expect(after.rev).toBe(rev + 1)
    expect(await store.keepAlive(lease.id)).toBe('lost')
  })

  test('one that is renewed in time lives on', async () => {
    const { store, advance } = world()
    const lease = await store.grant(10_000)
    await store.txn([], [bound('a', lease.id)], [])
    for (let round = 0; round < 4; round++) {
      await advance(6_000)
      expect(await store.keepAlive(lease.id)).toBe(10_000)
    }
    expect((await store.range('')).kvs).toHaveLength(1)
  })

  test('a put without a lease detaches the key, one that ignores the lease keeps it (T22)', async () => {
    const { store, advance } = world()
    const lease = await store.grant(5_000)
    await store.txn([], [bound('mortal', lease.id), bound('immortal', lease.id)], [])
    const ignore = { op: 'put', key: 'mortal', value: 'new', ignoreLease: true } as const
    await store.txn([], [ignore, put('immortal', 'new')], [])
    expect(await read(store, 'mortal')).toMatchObject({ leaseId: lease.id, value: 'new' })
    expect(await read(store, 'immortal')).toMatchObject({ leaseId: undefined })
    await advance(20_000)
    expect((await store.range('')).kvs.map(({ key }) => key)).toEqual(['immortal'])
  })

  test('one that is not there, or a key whose lease should be kept, is refused', async () => {
    const { store } = world()
    const lease = await store.grant(5_000)
    await store.revoke(lease.id)
    await store.revoke(lease.id)
    await refused(store.txn([], [bound('a', lease.id)], []), 'no-such-lease')
    const ignore = { op: 'put', key: 'a', value: '', ignoreLease: true } as const
    await refused(store.txn([], [ignore], []), 'no-such-key')
    expect((await store.range('')).kvs).toEqual([])
  })

  test('a key that another lease took over does not end with the first', async () => {
    const { store } = world()
    const [first, second] = [await store.grant(9_000), await store.grant(9_000)]
    await store.txn([], [bound('a', first.id)], [])
    await store.txn([], [bound('a', second.id)], [])
    await store.revoke(first.id)
    expect(await read(store, 'a')).toMatchObject({ leaseId: second.id })
  })
}

// --- watches -----------------------------------------------------------------------------------

function watches(world: () => MetaStoreWorld): void {
  test('a watch taken up where it broke off misses nothing and repeats nothing', async () => {
    const { store } = world()
    const { rev: base } = await store.range('')
    for (let n = 1; n <= 6; n++) await store.txn([], [put('a', String(n))], [])
    const seen: number[] = []
    for (let next = base + 1; seen.length < 6; ) {
      for await (const item of store.watch('a', next)) {
        if (!('events' in item)) continue
        seen.push(item.rev)
        next = item.rev + 1
        if (seen.length % 2 === 0) break
      }
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6].map((n) => base + n))
  })

  test('a watch that waits is ended by return()', async () => {
    const { store } = world()
    const { rev } = await store.range('')
    const iterator = store.watch('', rev + 1)[Symbol.asyncIterator]()
    const pending = iterator.next()
    await iterator.return?.()
    expect(await pending).toEqual({ done: true, value: undefined })
  })

  test('behind a compaction a watch says so and ends; the range of such a revision is refused', async () => {
    const { store, compact } = world()
    const { rev } = await store.txn([], [put('a', '1')], [])
    await store.txn([], [put('a', '2')], [])
    await compact()
    const iterator = store.watch('', rev)[Symbol.asyncIterator]()
    const { value } = await iterator.next()
    expect(value).toEqual({ compacted: expect.any(Number) })
    expect((value as { compacted: number }).compacted).toBeGreaterThanOrEqual(rev)
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
    await refused(store.range('', { rev }), 'compacted')
    expect(await read(store, 'a')).toMatchObject({ value: '2' })
  })

  test('a revision that is still to come is refused', async () => {
    const { store } = world()
    const { rev } = await store.range('')
    await refused(store.range('', { rev: rev + 1 }), 'future')
  })

  test('pages of one revision show what it was, whatever is written meanwhile', async () => {
    const { store } = world()
    const keys = ['p/1', 'p/2', 'p/3', 'p/4', 'p/5']
    const { rev } = await store.txn(
      [],
      keys.map((key) => put(key, 'old')),
      [],
    )
    const first = await store.range('p/', { limit: 2 })
    await store.txn([], [put('p/3', 'new'), { op: 'delete', key: 'p/4' }, put('p/35', 'new')], [])
    const rest = await store.range('p/', { rev, after: 'p/2' })
    expect(rest.rev).toBe(rev)
    expect([...first.kvs, ...rest.kvs].map(({ key, value }) => [key, value])).toEqual(
      keys.map((key) => [key, 'old']),
    )
  })
}

// --- words of the tests ------------------------------------------------------------------------

function put(key: string, value: string): Op & { key: string } {
  return { op: 'put', key, value }
}

function bound(key: string, leaseId: string): Op {
  return { op: 'put', key, value: '', leaseId }
}

async function read(store: MetaStore, key: string) {
  return (await store.range(key)).kvs.find((kv) => kv.key === key)
}

async function increment(store: MetaStore, key: string): Promise<void> {
  for (;;) {
    const kv = await read(store, key)
    const value = String(Number(kv?.value ?? 0) + 1)
    const { ok } = await store.txn([{ key, modRev: kv?.modRev ?? 0 }], [put(key, value)], [])
    if (ok) return
  }
}

async function refused(answer: Promise<unknown>, reason: NotApplied['reason']): Promise<void> {
  const error = await answer.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(NotApplied)
  expect((error as NotApplied).reason).toBe(reason)
}
