import { DiskError } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { LogBench } from '../../test/log-bench.ts'
import { counted } from '../../test/watched-disk.ts'

const LOG = '00000000000000000000.log'

test('durableEndOffset never passes what a completed sync covers, and a file has one sync in flight', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    /** By file: bytes written, covered by a sync that began, covered by one that ended. */
    const written = new Map<string, number>()
    const durable = new Map<string, number>()
    let syncing = ''
    const bench = await LogBench.make({
      seed,
      settings: { segmentBytes: seed % 2 === 0 ? 2 ** 20 : 1500 },
      world: { clock: 'jumping' },
      disk: (disk) =>
        counted(disk, {
          append: (path, bytes) => {
            if (path.endsWith('.log')) written.set(path, (written.get(path) ?? 0) + bytes)
          },
          sync: (path) => {
            if (!path.endsWith('.log')) return
            expect(syncing, 'one sync at a time').toBe('')
            syncing = `${path} ${written.get(path) ?? 0}`
          },
          synced: (path) => {
            if (!path.endsWith('.log')) return
            durable.set(path, Number(syncing.split(' ')[1]))
            syncing = ''
          },
        }),
    })
    const ends: number[] = [0]
    let bytes = 0
    bench.heard.onAdvanced = () => {
      const covered = [...durable.values()].reduce((sum, size) => sum + size, 0)
      expect(ends[bench.log.durableEndOffset]).toBeLessThanOrEqual(covered)
      expect(bench.log.durableEndOffset).toBeLessThanOrEqual(bench.log.logEndOffset)
    }
    for (let round = 0; round < 40; round++) {
      for (const batch of bench.enqueue(1 + (round % 4), { valueSize: 10 + (round % 7) * 30 })) {
        bytes += batch.length
        ends.push(bytes)
      }
      const until = bench.world.eventCount + ((seed + round) % 6)
      await bench.world.until(() => bench.world.eventCount >= until || syncing === '')
    }
    await bench.run(bench.log.flush())
    expect(bench.log.durableEndOffset).toBe(bench.log.queuedEndOffset)
    bench.world.close()
  }
})

test('what arrives during a sync rides the next one', async () => {
  let syncs = 0
  const bench = await LogBench.make({
    disk: (disk) => counted(disk, { sync: (path) => path.endsWith('.log') && syncs++ }),
  })
  bench.enqueue(1)
  await bench.world.until(() => syncs === 1)
  bench.world.disk('a').stall('1s')
  for (let round = 0; round < 20; round++) bench.enqueue(1)
  await bench.run(bench.log.flush())
  expect(syncs).toBeLessThanOrEqual(3)
  expect(bench.log.durableEndOffset).toBe(21)
})

test('who waits for a sync that fails hears it; a clean stop that waits for it ends', async () => {
  const bench = await LogBench.make({ settings: { flush: 'os' } })
  bench.enqueue(3)
  bench.world.disk('a').failSync()
  const flushed = bench.run(bench.log.flush())
  await expect(flushed).rejects.toMatchObject({ name: 'KAFKA_STORAGE_ERROR' })
  const other = await LogBench.make({ settings: { flush: 'os' } })
  other.enqueue(3)
  other.world.disk('a').failSync()
  await other.stop('clean')
})

test('a failed fdatasync is never tried again: the directory goes offline without a clean mark', async () => {
  let syncs = 0
  const bench = await LogBench.make({
    disk: (disk) => counted(disk, { sync: (path) => path.endsWith('.log') && syncs++ }),
  })
  await bench.append(3)
  bench.world.disk('a').failSync()
  const before = syncs
  bench.enqueue(2)
  await bench.world.until(() => bench.heard.offlines.length > 0)
  await bench.world.clock.advance('1m')
  expect(syncs).toBe(before + 1)
  expect(bench.log.durableEndOffset).toBe(3)
  expect(bench.directory.offline).toMatchObject({ code: 'EIO' })
  await expect(bench.read(0)).rejects.toMatchObject({ name: 'KAFKA_STORAGE_ERROR' })
  await expect(bench.run(bench.log.flush())).rejects.toMatchObject({ name: 'KAFKA_STORAGE_ERROR' })
  await bench.stop('clean')
  expect(bench.world.leftovers()).toEqual([])
  bench.world.powerCut('a')
  const report = await bench.start()
  expect(report).toMatchObject({ clean: false })
  expect(report.logEndOffset).toBeGreaterThanOrEqual(3)
})

test('other logs of the directory go offline with it', async () => {
  const bench = await LogBench.make()
  const first = bench.heard
  const other = await bench.run(bench.directory.createLog(bench.openOptions(1)))
  const second = bench.heard
  bench.world.disk('a').failSync()
  bench.enqueue(1)
  await bench.world.until(() => first.offlines.length > 0)
  expect(second.offlines).toHaveLength(1)
  await expect(other.read(0, 0, 1, true)).rejects.toMatchObject({ name: 'KAFKA_STORAGE_ERROR' })
  await expect(bench.run(bench.directory.createLog(bench.openOptions(2)))).rejects.toMatchObject({
    code: 'EIO',
  })
})

test('flush=interval syncs so often, and only where there is something to sync', async () => {
  let syncs = 0
  const bench = await LogBench.make({
    settings: { flush: 'interval', flushMs: 1000 },
    disk: (disk) => counted(disk, { sync: (path) => path.endsWith(LOG) && syncs++ }),
  })
  bench.enqueue(5)
  await bench.world.clock.advance('900ms')
  expect(bench.log).toMatchObject({ logEndOffset: 5, durableEndOffset: 0 })
  await bench.world.clock.advance('200ms')
  expect(bench.log.durableEndOffset).toBe(5)
  await bench.world.clock.advance('1h')
  expect(syncs).toBe(1)
})

test('flush=os syncs at roll and at a stop alone', async () => {
  const syncs: string[] = []
  const bench = await LogBench.make({
    settings: { flush: 'os', segmentBytes: 1000 },
    disk: (disk) => counted(disk, { sync: (path) => path.endsWith('.log') && syncs.push(path) }),
  })
  bench.enqueue(5)
  await bench.world.clock.advance('1h')
  expect(syncs).toEqual([])
  bench.enqueue(10)
  await bench.world.clock.advance('1s')
  expect(syncs).toEqual([`${bench.path}/${LOG}`])
  expect(bench.log.durableEndOffset).toBeLessThan(bench.log.logEndOffset)
  await bench.stop('clean')
  expect(await bench.start()).toMatchObject({ clean: true, logEndOffset: 15 })
})

test('a topic that is set to flush=group gets what it has written synced', async () => {
  const bench = await LogBench.make({ settings: { flush: 'os' } })
  bench.enqueue(5)
  await bench.world.clock.advance('1s')
  bench.log.configure({ ...bench.settings, flush: 'group' })
  await bench.world.until(() => bench.log.durableEndOffset === 5)
})

test('a segment counts as durable only after its directory was synced', async () => {
  const seen: string[] = []
  const bench = await LogBench.make({
    settings: { segmentBytes: 1000 },
    disk: (disk) =>
      counted(disk, {
        syncDirectory: (path) => seen.push(`directory ${path}`),
      }),
  })
  seen.length = 0
  bench.heard.onAdvanced = () => seen.push(`durable ${bench.log.durableEndOffset}`)
  await bench.append(1)
  expect(seen.filter((line) => line !== 'durable 0')).toEqual([
    `directory ${bench.path}`,
    'durable 1',
  ])
})

test('without a descriptor to sync with nothing has failed: it is synced when there is one', async () => {
  for (const what of ['file', 'directory'] as const) {
    let refuse = false
    let refusals = 0
    const bench = await LogBench.make({
      // Every sync has to open its file anew.
      settings: { flush: 'interval', flushMs: 1000 },
      filesOpenMax: 0,
      disk: (disk) => {
        const refused = (path: string) => {
          refusals++
          return Promise.reject(new DiskError('EMFILE', 'too many open files', path))
        }
        return {
          ...counted(disk, {}),
          open: (path, mode) => (refuse && what === 'file' ? refused(path) : disk.open(path, mode)),
          syncDirectory: (path) =>
            refuse && what === 'directory' ? refused(path) : disk.syncDirectory(path),
        }
      },
    })
    bench.enqueue(3)
    await bench.world.clock.advance('500ms')
    refuse = true
    await bench.world.clock.advance('1m')
    expect(refusals, what).toBeGreaterThan(10)
    expect(bench.log.durableEndOffset, what).toBe(0)
    refuse = false
    await bench.world.clock.advance('1s')
    expect(bench.log.durableEndOffset, what).toBe(3)
    expect(bench.heard.offlines).toEqual([])
    expect((await bench.restart('powerCut')).logEndOffset).toBe(3)
  }
})

test('a segment that was all synced before it was closed is sealed, too', async () => {
  const bench = await LogBench.make({ settings: { segmentBytes: 1000 } })
  for (let round = 0; round < 20; round++) await bench.append(1, { valueSize: 200 })
  await bench.world.clock.advance('1s')
  await bench.stop('kill')
  const { scannedBytes } = await bench.start()
  expect(bench.log.segmentCount).toBeGreaterThan(3)
  expect(scannedBytes).toBeLessThan(2000)
})

test('a directory that does not sync takes the data directory offline, whoever asked for it', async () => {
  const bench = await LogBench.make({ settings: { segmentBytes: 1000 } })
  await bench.append(1, { valueSize: 200 })
  await bench.world.clock.advance('6s')
  bench.world.disk('a').failSync()
  const deleting = bench.run(bench.log.deleteBefore(1))
  await expect(deleting).rejects.toMatchObject({ code: 'EIO' })
  expect(bench.heard.offlines).toHaveLength(1)
})
