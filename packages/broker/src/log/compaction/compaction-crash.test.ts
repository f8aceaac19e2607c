// A compaction is cut off before everything that it does to the disk: what the next start finds is whole.
import type { Disk, File } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { KeyedLog, lastOfEach } from '../../../test/keyed-log.ts'
import { allOf, type Keyed, ROOT } from '../../../test/log-bench.ts'
import { verifyDirectory } from '../verify.ts'

type Ending = 'kill' | 'powerCut'

/** Counts what changes the disk, and lets one of these be the last thing that happens. */
class Fuse {
  #count = 0
  #burnsAt = Number.POSITIVE_INFINITY
  #burn: () => void = () => undefined

  get count(): number {
    return this.#count
  }

  /** Instead of change number `at` from now on `burn` is called, and nothing returns any more. */
  set(at: number, burn: () => void): void {
    this.#count = 0
    this.#burnsAt = at
    this.#burn = burn
  }

  async run<T>(change: () => T | Promise<T>): Promise<T> {
    if (++this.#count !== this.#burnsAt) return await change()
    this.#burn()
    return await new Promise<never>(() => undefined)
  }
}

function fused(disk: Disk, fuse: Fuse): Disk {
  return {
    open: (path, mode) => open(disk, fuse, path, mode),
    rename: (from, to) => fuse.run(() => disk.rename(from, to)),
    removeFile: (path) => fuse.run(() => disk.removeFile(path)),
    replaceFile: (path, content) => fuse.run(() => disk.replaceFile(path, content)),
    syncDirectory: (path) => fuse.run(() => disk.syncDirectory(path)),
    readFile: (path) => disk.readFile(path),
    removeDirectory: (path) => disk.removeDirectory(path),
    makeDirectory: (path) => disk.makeDirectory(path),
    list: (path) => disk.list(path),
    stat: (path) => disk.stat(path),
    freeBytes: (path) => disk.freeBytes(path),
    totalBytes: (path) => disk.totalBytes(path),
    lock: (path) => disk.lock(path),
  }
}

async function open(disk: Disk, fuse: Fuse, ...args: Parameters<Disk['open']>): Promise<File> {
  const file =
    args[1] === 'create' ? await fuse.run(() => disk.open(...args)) : await disk.open(...args)
  return {
    append: (buffers, position) => fuse.run(() => file.append(buffers, position)),
    sync: () => fuse.run(() => file.sync()),
    truncate: (size) => fuse.run(() => file.truncate(size)),
    read: (into, position) => file.read(into, position),
    size: () => file.size(),
    close: () => file.close(),
  }
}

/** Five segments, of which neighbours become one; a tombstone, and a record without a key. */
async function prepared(seed: number, fuse: Fuse): Promise<KeyedLog> {
  const keyed = await KeyedLog.make(
    { seed, disk: (disk) => fused(disk, fuse) },
    { segmentBytes: 500, indexIntervalBytes: 100 },
  )
  const records: Keyed[] = Array.from({ length: 10 }, (_, index) => [
    `k${index % 3}`,
    '.'.repeat(150),
  ])
  records[4] = [null, 'no key']
  records[8] = ['k0', null]
  await keyed.appendEach(records)
  await keyed.roll()
  keyed.log.configure({ ...keyed.bench.settings, segmentBytes: 1000 })
  return keyed
}

/** What `verify` calls damage, before a start has gone on with what was begun. */
async function troubles({ bench }: KeyedLog): Promise<string[]> {
  const env = bench.world.env('a')
  const lines = await bench.run(allOf(verifyDirectory(env, ROOT, { deep: true })))
  const isDamage = /corruption|when it was sealed|checksum/
  return lines.filter(({ text, problem }) => problem && isDamage.test(text)).map(({ text }) => text)
}

/** Returns the number of changes, where the fuse did not burn. */
async function cutOffAt(at: number, how: Ending, seed: number): Promise<number | undefined> {
  const fuse = new Fuse()
  const keyed = await prepared(seed, fuse)
  const { bench, history } = keyed
  const isCut = new Promise<'cut'>((resolve) => {
    fuse.set(at, () => {
      if (how === 'kill') bench.world.kill('a')
      else bench.world.powerCut('a')
      resolve('cut')
    })
  })
  const ended = keyed
    .compacting()
    .then(() => bench.log.close({ clean: false }))
    .then(() => 'ended' as const)
  if ((await bench.run(Promise.race([isCut, ended]))) === 'ended') return fuse.count
  const about = `${how} at ${at}, seed ${seed}`
  fuse.set(Number.POSITIVE_INFINITY, () => undefined)
  expect(await troubles(keyed), about).toEqual([])
  let recovered = await bench.start()
  // What a killed process had not synced may go with the power, later.
  if (how === 'kill' && seed % 2 === 1) recovered = await bench.restart('powerCut')
  expect(recovered, about).toMatchObject({ logEndOffset: history.length, lost: false, cutBytes: 0 })
  expect(await keyed.files(/\.(cleaned|swap)$/), about).toEqual([])
  const found = await keyed.records()
  expect(history, about).toEqual(expect.arrayContaining(found))
  expect(found, about).toEqual(expect.arrayContaining(lastOfEach(history)))
  expect(
    found.map(({ offset }) => offset),
    about,
  ).toEqual(found.map(({ offset }) => offset).sort((a, b) => a - b))
  await keyed.compact()
  const closed = lastOfEach(history.slice(0, -1))
  expect((await keyed.records()).slice(0, -1), about).toEqual(closed)
  return undefined
}

test.each<[Ending, number[]]>([
  ['kill', [1]],
  ['powerCut', [1, 2]],
])(
  'a %s at any moment leaves every last record, and none twice; the next pass ends what was begun',
  { timeout: 120_000 },
  async (how, seeds) => {
    let changes: number | undefined
    for (let at = 1; changes === undefined; at++)
      for (const seed of seeds) changes ??= await cutOffAt(at, how, seed + 10 * at)
    expect(changes).toBeGreaterThan(25)
  },
)
