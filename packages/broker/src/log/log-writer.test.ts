import { DiskError, type Env } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { LogBench } from '../../test/log-bench.ts'
import { counted } from '../../test/watched-disk.ts'

test('what is queued in one turn is written in one gather write of at most 1 MiB', async () => {
  const writes: number[] = []
  const bench = await LogBench.make({
    settings: { segmentBytes: 2 ** 30 },
    tailBytesMax: 32 * 1024 * 1024,
    disk: (disk) =>
      counted(disk, { append: (path, bytes) => path.endsWith('.log') && writes.push(bytes) }),
  })
  const batches = await bench.append(25, { valueSize: 100_000 })
  const size = batches[0]?.length ?? 0
  expect(writes).toEqual([10 * size, 10 * size, 5 * size])
})

test('nothing is written within enqueue, and offsets are given at once', async () => {
  const bench = await LogBench.make()
  bench.enqueue(3, { count: 2 })
  expect(bench.log.queuedEndOffset).toBe(6)
  expect(bench.log.logEndOffset).toBe(0)
  await bench.run(bench.log.flush())
  expect(bench.log.logEndOffset).toBe(6)
})

test('a batch without the next offset, or of an epoch that nobody assigned, is a programming error', async () => {
  const bench = await LogBench.make()
  const [batch] = bench.enqueue(1)
  expect(() => bench.log.enqueue(batch as Buffer)).toThrow('stamped with the next offset')
  expect(() => bench.enqueue(1, { leaderEpoch: 9 })).toThrow('epoch cache')
})

test('no batch is written before its epoch is durable: a power cut at any moment leaves a log that fits its epochs', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const bench = await LogBench.make({ seed, world: { clock: 'jumping' } })
    await bench.append(5)
    // There is a checkpoint, by which batches are judged.
    await bench.run(bench.log.epochs.save())
    bench.log.epochs.assign(2, 5)
    bench.enqueue(3, { leaderEpoch: 2 })
    let isDurable = false
    bench.log.flush().then(
      () => {
        isDurable = true
      },
      () => undefined,
    )
    const until = bench.world.eventCount + seed
    await bench.world.until(() => isDurable || bench.world.eventCount >= until)
    const { logEndOffset } = await bench.restart('powerCut')
    if (isDurable) expect(logEndOffset).toBe(8)
    // A batch of an epoch that is not in the checkpoint would be taken for damage.
    expect(logEndOffset > 5).toBe(bench.log.epochs.latest === 2)
    bench.world.close()
  }
})

test('an epoch without a batch costs no write; its first batch does', async () => {
  const written: string[] = []
  const bench = await LogBench.make({
    disk: (disk) => ({
      ...counted(disk, {}),
      replaceFile: (path, content) => {
        written.push(path)
        return disk.replaceFile(path, content)
      },
    }),
  })
  bench.log.epochs.assign(2, 0)
  await bench.world.settled()
  const epochWrites = () =>
    written.filter((path) => path.endsWith('leader-epoch-checkpoint')).length
  expect(epochWrites()).toBe(0)
  await bench.append(2)
  expect(epochWrites()).toBe(1)
})

test('a full disk: the write is cut back, reported as unknown, and the log goes on where it was', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const bench = await LogBench.make({
      seed,
      world: { clock: seed % 2 === 0 ? 'held' : 'jumping' },
    })
    const kept = await bench.append(5)
    bench.world.disk('a').fill(seed * 10)
    bench.enqueue(20, { valueSize: 1000 })
    await bench.world.until(() => bench.heard.failures.length > 0)
    expect(bench.heard.failures).toEqual([{ fromOffset: 5, code: 'ENOSPC' }])
    expect(bench.log.queuedEndOffset).toBe(5)
    expect(bench.log.logEndOffset).toBe(5)
    expect((await bench.read()).equals(Buffer.concat(kept))).toBe(true)
    const { size } = (await bench.run(
      bench.env.disk.stat(`${bench.path}/00000000000000000000.log`),
    )) ?? { size: -1 }
    expect(size).toBe(Buffer.concat(kept).length)
    bench.world.disk('a').heal()
    const more = await bench.append(5)
    expect(bench.heard.offlines).toEqual([])
    const report = await bench.restart('powerCut')
    expect(report.logEndOffset).toBe(10)
    expect((await bench.read()).equals(Buffer.concat([...kept, ...more]))).toBe(true)
    bench.world.close()
  }
})

test('what is queued is charged until it is written, given up, or the log is dead', async () => {
  const bench = await LogBench.make({ settings: { segmentBytes: 2 ** 30 } })
  let charged = 0
  bench.directory.chargeTo({
    charge: (bytes) => {
      charged += bytes
    },
    release: (bytes) => {
      charged -= bytes
    },
  })
  const batches = bench.enqueue(30, { valueSize: 100_000 })
  expect(charged).toBe(Buffer.concat(batches).length)
  await bench.run(bench.log.flush())
  expect(charged).toBe(0)
  bench.world.disk('a').fill(2 * 1024 * 1024)
  bench.enqueue(40, { valueSize: 100_000 })
  await bench.world.until(() => bench.heard.failures.length > 0)
  expect(charged).toBe(0)
  bench.world.disk('a').heal()
  bench.world.disk('a').failSync()
  bench.enqueue(30, { valueSize: 100_000 })
  await bench.world.until(() => bench.heard.offlines.length > 0)
  await bench.world.settled()
  expect(charged).toBe(0)
})

test('what was queued behind a failed write fails with it', async () => {
  const bench = await LogBench.make({ settings: { segmentBytes: 2 ** 30 } })
  await bench.append(1)
  bench.world.disk('a').fill(2 * 1024 * 1024)
  bench.enqueue(40, { valueSize: 100_000 })
  await bench.world.until(() => bench.heard.failures.length > 0)
  const [failure] = bench.heard.failures
  expect(failure?.fromOffset).toBe(bench.log.logEndOffset)
  expect(bench.log.queuedEndOffset).toBe(bench.log.logEndOffset)
  await bench.run(bench.log.flush())
  expect(bench.log.durableEndOffset).toBe(bench.log.logEndOffset)
})

test('a full disk while a segment is rolled fails the write alone', async () => {
  let full = false
  const disk = (real: Env['disk']): Env['disk'] => ({
    ...counted(real, {}),
    open: (path, mode) => {
      const isSegment = path.endsWith('.log')
      if (full && mode === 'create' && isSegment) {
        return Promise.reject(new DiskError('ENOSPC', 'no space left on device', path))
      }
      return real.open(path, mode)
    },
  })
  const bench = await LogBench.make({ settings: { segmentBytes: 1000 }, disk })
  await bench.append(5)
  full = true
  bench.enqueue(20)
  await bench.world.until(() => bench.heard.failures.length > 0)
  full = false
  await bench.append(20)
  expect(bench.heard.failures).toHaveLength(1)
  expect((await bench.restart('kill')).logEndOffset).toBe(bench.log.logEndOffset)
})

test('EIO of a write takes the directory offline', async () => {
  let broken = false
  const bench = await LogBench.make({
    disk: (disk) =>
      counted(disk, {
        append: (path) => {
          if (broken && path.endsWith('.log')) throw new DiskError('EIO', 'i/o error', path)
        },
      }),
  })
  await bench.append(3)
  broken = true
  bench.enqueue(1)
  await bench.world.until(() => bench.heard.offlines.length > 0)
  expect(bench.directory.offline).toMatchObject({ code: 'EIO' })
  expect(bench.heard.failures).toEqual([])
  await expect(bench.read(0)).rejects.toMatchObject({ name: 'KAFKA_STORAGE_ERROR' })
})

test('few descriptors are enough for many segments and partitions', async () => {
  for (const filesOpenMax of [0, 1, 3]) {
    let open = 0
    let openMost = 0
    const disk = (real: Env['disk']): Env['disk'] => ({
      ...counted(real, {}),
      open: async (path, mode) => {
        const file = await counted(real, {}).open(path, mode)
        openMost = Math.max(openMost, ++open)
        return {
          append: (buffers, position) => file.append(buffers, position),
          sync: () => file.sync(),
          read: (into, position) => file.read(into, position),
          truncate: (size) => file.truncate(size),
          size: () => file.size(),
          close: () => {
            open--
            return file.close()
          },
        }
      },
    })
    const bench = await LogBench.make({
      settings: { segmentBytes: 1000, flush: 'os' },
      filesOpenMax,
      tailBytesMax: 0,
      world: { clock: 'jumping' },
      disk,
    })
    const batches = await bench.append(100)
    expect((await bench.read(0, 200)).equals(Buffer.concat(batches))).toBe(true)
    expect(openMost).toBeLessThan(10)
    expect(await bench.restart('clean')).toMatchObject({ clean: true, logEndOffset: 100 })
  }
})

test('a segment that cannot be opened again fails the write alone', async () => {
  let refuse = false
  const disk = (real: Env['disk']): Env['disk'] => ({
    ...counted(real, {}),
    open: (path, mode) =>
      refuse && path.endsWith('.log')
        ? Promise.reject(new DiskError('ENFILE', 'too many open files in system', path))
        : real.open(path, mode),
  })
  const bench = await LogBench.make({ disk, filesOpenMax: 0 })
  await bench.append(3)
  refuse = true
  bench.enqueue(2)
  await bench.world.until(() => bench.heard.failures.length > 0)
  expect(bench.heard.failures).toEqual([{ fromOffset: 3, code: 'ENFILE' }])
  refuse = false
  await bench.append(2)
  expect(bench.heard.offlines).toEqual([])
  expect((await bench.restart('powerCut')).logEndOffset).toBe(5)
})

test('a flush, a roll and a retention end while the writer is never idle', async () => {
  const bench = await LogBench.make({
    settings: { segmentBytes: 2 ** 30, retentionBytes: 0 },
    world: { clock: 'jumping' },
  })
  let goesOn = true
  bench.heard.onAdvanced = () => {
    // There is always one more in the queue than is being written.
    if (goesOn && bench.log.queuedEndOffset - bench.log.logEndOffset < 2) bench.enqueue(2)
  }
  bench.enqueue(2)
  const end = bench.log.queuedEndOffset
  await bench.run(bench.log.flush())
  expect(bench.log.durableEndOffset).toBeGreaterThanOrEqual(end)
  const segmentCount = bench.log.segmentCount
  await bench.run(bench.log.applyRetention(bench.world.clock.wallMs(), bench.log.durableEndOffset))
  await bench.run(bench.log.deleteBefore(end))
  expect(bench.log.segmentCount).toBeGreaterThan(segmentCount)
  goesOn = false
  await bench.run(bench.log.flush())
  expect((await bench.restart('powerCut')).logEndOffset).toBe(bench.log.logEndOffset)
})
