import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Env } from '@minikafka/platform'
import { HeldClock } from '@minikafka/platform/compliance'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { diskError, FaultyDisk } from '../compliance/faulty-disk.ts'
import { quietEnv } from '../compliance/temporary-store.ts'
import { NotApplied, type Op, Unknown } from '../meta-store.ts'
import { openEmbeddedStore } from './index.ts'

let directory: string
let clock: HeldClock
let faulty: FaultyDisk
let env: Env
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'minikafka-store-'))
  clock = new HeldClock()
  const quiet = quietEnv(clock)
  faulty = new FaultyDisk(quiet.disk)
  env = { ...quiet, disk: faulty.disk }
})
afterEach(() => rm(directory, { recursive: true }))

function open(options: { logBytesMax?: number } = {}) {
  return openEmbeddedStore(env, { directory, ...options })
}

function put(key: string, value = ''): Op {
  return { op: 'put', key, value }
}

function logSyncs(): number {
  return faulty.syncs.filter((path) => path.endsWith('metadata.log')).length
}

/** Holds syncs back until it is called. */
function holdSyncs(): () => void {
  let release: () => void = () => undefined
  faulty.gate = new Promise((resolve) => {
    release = resolve
  })
  return release
}

/** The disk is asked for the sync that `release` ends: whoever did not wait for it has answered by now. */
async function untilHeld(before: number): Promise<void> {
  while (logSyncs() === before) await new Promise((resolve) => setImmediate(resolve))
}

async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false
  void promise.then(
    () => (done = true),
    () => (done = true),
  )
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  return done
}

describe('group commit', () => {
  test('one sync covers what came in one turn, the next one what came meanwhile', async () => {
    const store = await open()
    const before = logSyncs()
    const writes = Array.from({ length: 200 }, (_, n) => store.txn([], [put(`k/${n}`)], []))
    await Promise.all(writes)
    expect(logSyncs() - before).toBe(1)
    await store.close()
  })

  test('nothing is answered or shown before it is synced: no write, no read, no event', async () => {
    const store = await open()
    const release = holdSyncs()
    const before = logSyncs()
    const write = store.txn([], [put('a', '1')], [])
    const read = store.range('a')
    const refusal = store.txn([{ key: 'a', createRev: 0 }], [], [{ op: 'get', key: 'a' }])
    const event = store.watch('', 1)[Symbol.asyncIterator]().next()
    await untilHeld(before)
    for (const answer of [write, read, refusal, event]) expect(await settled(answer)).toBe(false)
    release()
    await write
    expect((await read).kvs).toHaveLength(1)
    expect((await refusal).ok).toBe(false)
    expect(await event).toMatchObject({ value: { rev: 1 } })
    await store.close()
  })
})

describe('a failed sync', () => {
  test('is fatal: outcomes are unknown, nothing more is taken, it is never tried again', async () => {
    const store = await open()
    await store.txn([], [put('a')], [])
    const failures: Error[] = []
    store.onFailure((error) => failures.push(error))
    const event = store.watch('', 2)[Symbol.asyncIterator]().next()
    faulty.onSync = (path) => (path.endsWith('metadata.log') ? diskError('EIO') : undefined)
    const write = store.txn([], [put('b')], [])
    const read = store.range('b')
    await expect(write).rejects.toThrow(Unknown)
    await expect(read).rejects.toThrow(Unknown)
    await expect(event).rejects.toThrow(Unknown)
    expect(failures).toHaveLength(1)
    faulty.onSync = () => undefined
    const syncs = logSyncs()
    await expect(store.txn([], [put('c')], [])).rejects.toMatchObject({ reason: 'closed' })
    await expect(store.range('a')).rejects.toMatchObject({ reason: 'closed' })
    expect(logSyncs()).toBe(syncs)
    await store.close()
  })
})

describe('a full disk', () => {
  const full = (path: string) => (path.endsWith('metadata.log') ? diskError('ENOSPC') : undefined)

  test('refuses definitely: what was asked is not there, now and after a restart', async () => {
    const store = await open()
    await store.txn([], [put('a', '1')], [])
    faulty.onAppend = full
    const write = store.txn([], [put('a', '2'), put('b')], [])
    const compare = store.txn([{ key: 'a', value: '2' }], [put('c')], [])
    await expect(write).rejects.toMatchObject({ name: 'NotApplied', reason: 'no-space' })
    await expect(compare).rejects.toBeInstanceOf(NotApplied)
    const { rev, kvs } = await store.range('')
    expect(kvs).toMatchObject([{ key: 'a', value: '1' }])
    faulty.onAppend = () => undefined
    const again = await store.txn([{ key: 'a', modRev: rev }], [put('a', '3')], [])
    expect(again).toMatchObject({ ok: true, rev: rev + 1 })
    await store.close()
    const reopened = await open()
    expect((await reopened.range('')).kvs).toMatchObject([{ key: 'a', value: '3' }])
    await reopened.close()
  })

  test('is told once, however often somebody tries, and again when there had been room', async () => {
    const told: unknown[] = []
    const logger = env.logger.child({}, { level: 'warn' })
    logger.warn = (...words: unknown[]) => void told.push(words)
    env = { ...env, logger }
    const store = await open()
    const refused = () =>
      expect(store.txn([], [put('a')], [])).rejects.toMatchObject({ reason: 'no-space' })
    faulty.onAppend = full
    await refused()
    await refused()
    expect(told).toEqual([
      [{ rev: 0, reason: expect.stringContaining('ENOSPC') }, 'no room to write metadata'],
    ])
    faulty.onAppend = () => undefined
    await store.txn([], [put('a')], [])
    faulty.onAppend = full
    await refused()
    expect(told).toHaveLength(2)
    await store.close()
  })

  test('refuses also what stood in the file whole before the rest found no room', async () => {
    const store = await open()
    faulty.onAppend = full
    const short = store.txn([], [put('short')], [])
    const long = store.txn([], [put('long', 'x'.repeat(200))], [])
    await expect(short).rejects.toMatchObject({ reason: 'no-space' })
    await expect(long).rejects.toMatchObject({ reason: 'no-space' })
    await store.close()
    const reopened = await open()
    expect(await reopened.range('')).toEqual({ rev: 0, kvs: [] })
    await reopened.close()
  })

  test('keeps the keys of a lease that ended meanwhile only until there is room', async () => {
    const store = await open()
    const lease = await store.grant(5000)
    await store.txn([], [{ op: 'put', key: 'b/1', value: '', leaseId: lease.id }], [])
    faulty.onAppend = full
    await clock.advance(6000)
    expect(await store.keepAlive(lease.id)).toBe('lost')
    await store.txn([], [put('x')], []).catch(() => undefined)
    expect((await store.range('b/')).kvs).toHaveLength(1)
    faulty.onAppend = () => undefined
    await clock.advance(2000)
    expect((await store.range('b/')).kvs).toEqual([])
    await store.close()
  })

  test('fails an opening that must end the leases of an earlier process, and leaves nothing open', async () => {
    const store = await open()
    const lease = await store.grant(5000)
    await store.txn([], [{ op: 'put', key: 'b/1', value: '', leaseId: lease.id }], [])
    await store.close()
    faulty.onAppend = full
    await expect(open()).rejects.toMatchObject({ reason: 'no-space' })
    expect([faulty.openCount, clock.timerCount]).toEqual([0, 0])
    faulty.onAppend = () => undefined
    const reopened = await open()
    expect((await reopened.range('b/')).kvs).toEqual([])
    await reopened.close()
  })

  test('puts the snapshot off, the log grows on, and nothing is lost', async () => {
    const store = await open({ logBytesMax: 500 })
    faulty.onReplace = () => diskError('ENOSPC')
    for (let n = 0; n < 30; n++) await store.txn([], [put(`k/${n}`, 'x'.repeat(40))], [])
    faulty.onReplace = (path) => (path.endsWith('.log') ? diskError('ENOSPC') : undefined)
    for (let n = 30; n < 60; n++) await store.txn([], [put(`k/${n}`, 'x'.repeat(40))], [])
    faulty.onReplace = () => undefined
    for (let n = 60; n < 90; n++) await store.txn([], [put(`k/${n}`, 'x'.repeat(40))], [])
    const before = await store.range('')
    expect(before.kvs).toHaveLength(90)
    await store.close()
    const reopened = await open()
    expect(await reopened.range('')).toEqual(before)
    await reopened.close()
  })

  test('of which the first snapshot write fails half-way leaves a store that starts', async () => {
    const store = await open({ logBytesMax: 300 })
    for (let n = 0; n < 5; n++) await store.txn([], [put(`k/${n}`, 'x'.repeat(40))], [])
    faulty.onReplace = (path) => (path.endsWith('.log') ? diskError('ENOSPC') : undefined)
    const writes = Array.from({ length: 5 }, (_, n) => store.txn([], [put(`m/${n}`)], []))
    await Promise.all(writes)
    const before = await store.range('')
    await store.close()
    faulty.onReplace = () => undefined
    const reopened = await open()
    expect(await reopened.range('')).toEqual(before)
    await reopened.close()
  })
})

describe('closing', () => {
  test('waits for what is under way and leaves no timer behind', async () => {
    const store = await open()
    await store.grant(5000)
    const write = store.txn([], [put('a')], [])
    await store.close()
    expect((await write).ok).toBe(true)
    expect(clock.timerCount).toBe(0)
    await expect(store.range('')).rejects.toMatchObject({ reason: 'closed' })
  })

  test('ends watches after they were shown everything', async () => {
    const store = await open()
    await store.txn([], [put('a')], [])
    await store.txn([], [put('b')], [])
    const revs: number[] = []
    await store.close()
    for await (const item of store.watch('', 1)) if ('events' in item) revs.push(item.rev)
    expect(revs).toEqual([1, 2])
  })
})
