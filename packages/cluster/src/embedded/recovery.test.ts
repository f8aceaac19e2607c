import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32c } from '@minikafka/platform'
import { HeldClock } from '@minikafka/platform/compliance'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { quietEnv } from '../compliance/temporary-store.ts'
import type { KeyValue, Op } from '../meta-store.ts'
import { encodeFloor } from './floor.ts'
import { type EmbeddedStoreOptions, openEmbeddedStore, StoreDamaged } from './index.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'minikafka-store-'))
})
afterEach(() => rm(root, { recursive: true }))

const LOG = 'metadata.log'
const SNAPSHOT = 'metadata.snapshot'
const FLOOR = 'metadata.synced'

function open(directory: string, options: Partial<EmbeddedStoreOptions> = {}) {
  return openEmbeddedStore(quietEnv(new HeldClock()), { directory, ...options })
}

async function newDirectory(name: string): Promise<string> {
  const directory = join(root, name)
  await mkdir(directory)
  return directory
}

function put(key: string, value: string): Op {
  return { op: 'put', key, value }
}

type Acknowledged = {
  readonly logSize: number
  readonly rev: number
  readonly kvs: readonly KeyValue[]
}

/** A store with some history, closed; what it held after each answer, and how long its log was then. */
async function written(directory: string): Promise<Acknowledged[]> {
  const store = await open(directory)
  const acknowledged: Acknowledged[] = []
  const note = async () => {
    const { rev, kvs } = await store.range('')
    acknowledged.push({ logSize: (await stat(join(directory, LOG))).size, rev, kvs })
  }
  await note()
  const txns: Op[][] = [
    [put('a', '1'), put('b', '{"v":1,"n":"\u00e4"}')],
    [put('a', '2'), { op: 'delete', key: 'b' }],
    [{ op: 'deletePrefix', prefix: 'a' }],
    [put('b', ''), put('c', 'x'.repeat(40))],
  ]
  for (const ops of txns) {
    await store.txn([], ops, [])
    await note()
  }
  await store.close()
  return acknowledged
}

/** The last state that was acknowledged when the log was this long. */
function heldAt(acknowledged: readonly Acknowledged[], logSize: number): Acknowledged | undefined {
  return acknowledged.findLast((state) => state.logSize <= logSize)
}

describe('recovery', () => {
  test('after a kill at any byte of the log everything before the torn end is there', async () => {
    const from = await newDirectory('from')
    const acknowledged = await written(from)
    const log = await readFile(join(from, LOG))
    for (let size = acknowledged[0]?.logSize ?? 0; size <= log.length; size++) {
      const directory = await newDirectory(`cut-${size}`)
      await writeFile(join(directory, LOG), log.subarray(0, size))
      const store = await open(directory)
      const state = heldAt(acknowledged, size)
      expect(await store.range('')).toEqual({ rev: state?.rev, kvs: state?.kvs })
      // It goes on from there, and the next start finds that, too.
      await store.txn([], [put('later', '1')], [])
      const { rev, kvs } = await store.range('')
      await store.close()
      const again = await open(directory)
      expect(await again.range('')).toEqual({ rev, kvs })
      await again.close()
    }
  })

  test('what follows a damaged frame above the floor is cut with it', async () => {
    const from = await newDirectory('from')
    const acknowledged = await written(from)
    const log = await readFile(join(from, LOG))
    for (let position = acknowledged[0]?.logSize ?? 0; position < log.length; position++) {
      const directory = await newDirectory(`flip-${position}`)
      const damaged = Buffer.from(log)
      damaged.writeUInt8(damaged.readUInt8(position) ^ 0x10, position)
      await writeFile(join(directory, LOG), damaged)
      const store = await open(directory)
      const state = heldAt(acknowledged, position)
      expect(await store.range('')).toEqual({ rev: state?.rev, kvs: state?.kvs })
      await store.close()
    }
  })

  test('damage below the floor refuses to start, names the place and changes nothing', async () => {
    const from = await newDirectory('from')
    await written(from)
    const log = await readFile(join(from, LOG))
    const floor = await readFile(join(from, FLOOR))
    for (let position = 0; position < log.length; position += 7) {
      const directory = await newDirectory(`below-${position}`)
      const damaged = Buffer.from(log)
      damaged.writeUInt8(damaged.readUInt8(position) ^ 0x01, position)
      await writeFile(join(directory, LOG), damaged)
      await writeFile(join(directory, FLOOR), floor)
      await expect(open(directory)).rejects.toThrow(StoreDamaged)
      await expect(open(directory)).rejects.toThrow(/metadata\.log: .*damaged/)
      expect(await readFile(join(directory, LOG))).toEqual(damaged)
      expect(await readdir(directory)).toEqual([LOG, FLOOR])
    }
  })

  test('a log shorter than its floor, or missing, refuses to start', async () => {
    const from = await newDirectory('from')
    await written(from)
    const log = await readFile(join(from, LOG))
    await writeFile(join(from, LOG), log.subarray(0, log.length - 1))
    await expect(open(from)).rejects.toThrow(StoreDamaged)
    await rm(join(from, LOG))
    await expect(open(from)).rejects.toThrow(/missing/)
    expect(await readdir(from)).toEqual([FLOOR])
  })

  test('a floor that cannot be read is no floor', async () => {
    const from = await newDirectory('from')
    const acknowledged = await written(from)
    const log = await readFile(join(from, LOG))
    await writeFile(join(from, LOG), log.subarray(0, log.length - 1))
    await writeFile(join(from, FLOOR), Buffer.alloc(20, 7))
    const store = await open(from)
    expect((await store.range('')).rev).toBe(acknowledged.at(-2)?.rev)
    await store.close()
  })

  test('a floor of an earlier log says nothing about the one after a snapshot', async () => {
    const directory = await newDirectory('earlier')
    const store = await open(directory, { logBytesMax: 100 })
    for (let n = 0; n < 10; n++) await store.txn([], [put('n', String(n))], [])
    const before = await store.range('')
    await store.close()
    await writeFile(join(directory, FLOOR), encodeFloor({ base: 0, position: 10_000 }))
    const again = await open(directory)
    expect(await again.range('')).toEqual(before)
    await again.close()
  })

  test('a log that is older than its floor refuses to start', async () => {
    const directory = await newDirectory('older')
    const acknowledged = await written(directory)
    const base = (acknowledged.at(-1)?.rev ?? 0) + 1
    await writeFile(join(directory, FLOOR), encodeFloor({ base, position: 30 }))
    await expect(open(directory)).rejects.toThrow(/metadata\.log: .*older/)
  })

  test('a file of a later format is refused with the advice to use its broker', async () => {
    const directory = await newDirectory('later')
    await written(directory)
    const snapshot = '{"format":2,"rev":9,"count":0}\n'
    await writeFile(join(directory, SNAPSHOT), withCrc(snapshot))
    await expect(open(directory)).rejects.toThrow(/format 2.*use the broker that wrote it/)
  })
})

describe('the snapshot', () => {
  const logBytesMax = 2000

  /** Writes until the log was replaced once, and a little more. */
  async function grown(directory: string): Promise<{ rev: number; kvs: readonly KeyValue[] }> {
    const store = await open(directory, { logBytesMax })
    for (let n = 0; n < 40; n++) {
      await store.txn([], [put(`k/${n % 10}`, 'x'.repeat(50)), put('n', String(n))], [])
    }
    const range = await store.range('')
    await store.close()
    return range
  }

  test('takes the place of a long log; revisions stay what they were', async () => {
    const directory = await newDirectory('grown')
    const before = await grown(directory)
    expect((await stat(join(directory, LOG))).size).toBeLessThan(logBytesMax + 500)
    const store = await open(directory)
    expect(await store.range('')).toEqual(before)
    await store.close()
  })

  test('with the old log beside it, after a kill between the two, is what counts', async () => {
    const directory = await newDirectory('between')
    const store = await open(directory)
    for (let n = 0; n < 30; n++) await store.txn([], [put(`k/${n}`, 'x'.repeat(80))], [])
    await store.close()
    await copyFile(join(directory, LOG), join(root, 'old.log'))
    const second = await open(directory, { logBytesMax })
    await second.txn([], [put('last', '1')], [])
    const before = await second.range('')
    await second.close()
    expect(await readdir(directory)).toContain(SNAPSHOT)
    await copyFile(join(root, 'old.log'), join(directory, LOG))
    await rm(join(directory, FLOOR))
    const third = await open(directory)
    expect(await third.range('')).toEqual(before)
    const { rev } = await third.txn([], [put('more', '1')], [])
    expect(rev).toBe(before.rev + 1)
    await third.close()
    const fourth = await open(directory)
    expect((await fourth.range('')).rev).toBe(before.rev + 1)
    await fourth.close()
  })

  test('that is damaged, missing or older than the log refuses to start and changes nothing', async () => {
    const directory = await newDirectory('damaged')
    await grown(directory)
    const snapshot = await readFile(join(directory, SNAPSHOT))
    for (let position = 0; position < snapshot.length; position += 13) {
      const damaged = Buffer.from(snapshot)
      damaged.writeUInt8(damaged.readUInt8(position) ^ 0x04, position)
      await writeFile(join(directory, SNAPSHOT), damaged)
      await expect(open(directory)).rejects.toThrow(StoreDamaged)
    }
    const log = await readFile(join(directory, LOG))
    await rm(join(directory, SNAPSHOT))
    await expect(open(directory)).rejects.toThrow(/metadata\.snapshot: .*missing/)
    await writeFile(join(directory, SNAPSHOT), withCrc('{"format":1,"rev":1,"count":0}\n'))
    await expect(open(directory)).rejects.toThrow(/metadata\.snapshot: .*older/)
    expect(await readFile(join(directory, LOG))).toEqual(log)
  })
})

describe('leases', () => {
  test('of an earlier process are over: their keys are gone, the same key comes back as a new one', async () => {
    const directory = await newDirectory('leases')
    const store = await open(directory)
    const lease = await store.grant(60_000)
    const bound = { op: 'put', key: 'b/1', value: '', leaseId: lease.id } as const
    const first = await store.txn([], [bound, put('t/x', '')], [])
    await store.close()
    const again = await open(directory)
    expect((await again.range('')).kvs.map(({ key }) => key)).toEqual(['t/x'])
    expect(await again.keepAlive(lease.id)).toBe('lost')
    const second = await again.txn([{ key: 'b/1', createRev: 0 }], [put('b/1', '')], [])
    expect(second.ok).toBe(true)
    expect(second.rev).toBeGreaterThan(first.rev)
    await again.close()
  })
})

function withCrc(text: string): string {
  const crc = crc32c(Buffer.from(text)).toString(16).padStart(8, '0')
  return `${text}${crc}\n`
}
