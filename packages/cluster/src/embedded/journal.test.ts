// A full disk and the journal: what is answered survives, what is refused stays away.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Env } from '@minikafka/platform'
import { HeldClock } from '@minikafka/platform/compliance'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { diskError, FaultyDisk } from '../compliance/faulty-disk.ts'
import { quietEnv } from '../compliance/temporary-store.ts'
import { NotApplied, Unknown } from '../meta-store.ts'
import { type EmbeddedStore, openEmbeddedStore } from './index.ts'

let directory: string
let faulty: FaultyDisk
let env: Env
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'minikafka-store-'))
  const quiet = quietEnv(new HeldClock())
  faulty = new FaultyDisk(quiet.disk)
  env = { ...quiet, disk: faulty.disk }
})
afterEach(() => rm(directory, { recursive: true }))

type Answers = { acknowledged: string[]; refused: string[]; unknown: string[] }

/** Some at once, then more, each a key of its own; the log is soon large enough for a snapshot. */
async function write(store: EmbeddedStore): Promise<Answers> {
  const answers: Answers = { acknowledged: [], refused: [], unknown: [] }
  const put = async (key: string) => {
    try {
      await store.txn([], [{ op: 'put', key, value: 'x'.repeat(40) }], [])
      answers.acknowledged.push(key)
    } catch (error) {
      if (error instanceof NotApplied) answers.refused.push(key)
      else if (error instanceof Unknown) answers.unknown.push(key)
      else throw error
    }
  }
  for (let round = 0; round < 10; round++) {
    await Promise.all([1, 2, 3].map((n) => put(`k/${round}/${n}`)))
  }
  return answers
}

/** What a process that starts after this one finds. */
async function keysAfterRestart(): Promise<string[]> {
  const store = await openEmbeddedStore(quietEnv(new HeldClock()), { directory })
  const { kvs } = await store.range('')
  await store.close()
  return kvs.map(({ key }) => key)
}

describe('a directory that finds no room after the rename', () => {
  test.each(['metadata.log', 'metadata.snapshot'])(
    'of %s ends the store: what was acknowledged stays, what was refused stays away',
    async (name) => {
      const store = await openEmbeddedStore(env, { directory, logBytesMax: 300 })
      const failures: Error[] = []
      store.onFailure((error) => failures.push(error))
      faulty.onReplaced = (path) => {
        if (!path.endsWith(name)) return undefined
        // From now on the disk is full: what is written after it is refused.
        if (name === 'metadata.snapshot') faulty.onAppend = () => diskError('ENOSPC')
        return diskError('ENOSPC')
      }
      const { acknowledged, refused, unknown } = await write(store)
      await store.close()
      expect(acknowledged.length).toBeGreaterThan(0)
      const found = await keysAfterRestart()
      expect(found).toEqual(expect.arrayContaining(acknowledged))
      expect(refused.filter((key) => found.includes(key))).toEqual([])
      expect(unknown.length).toBeGreaterThan(0)
      expect(failures).toMatchObject([{ code: 'EIO' }])
    },
  )
})

describe.each(['ENOSPC', 'EDQUOT'])('%s', (code) => {
  const full = () => diskError(code)

  test('refuses a write, and puts a snapshot off: the store goes on when there is room', async () => {
    const store = await openEmbeddedStore(env, { directory, logBytesMax: 300 })
    faulty.onReplace = full
    const before = await write(store)
    expect(before).toMatchObject({ refused: [], unknown: [] })
    faulty.onAppend = full
    const put = store.txn([], [{ op: 'put', key: 'refused', value: '' }], [])
    await expect(put).rejects.toMatchObject({ reason: 'no-space' })
    faulty.onAppend = () => undefined
    await store.txn([], [{ op: 'put', key: 'written', value: '' }], [])
    await store.close()
    expect(await keysAfterRestart()).toEqual([...before.acknowledged.sort(), 'written'])
  })

  test('at the start does not keep it from starting', async () => {
    const store = await openEmbeddedStore(env, { directory })
    const { acknowledged } = await write(store)
    await store.close()
    faulty.onAppend = full
    const again = await openEmbeddedStore(env, { directory })
    expect((await again.range('')).kvs).toHaveLength(acknowledged.length)
    await again.close()
  })
})
