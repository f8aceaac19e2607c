import { DiskError } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { LogBench } from '../../test/log-bench.ts'
import { counted } from '../../test/watched-disk.ts'

const SEGMENT = 4096
const HOUR_MS = 3_600_000

/** One batch an hour for `hours` hours, each in a segment of its own. */
async function hourly(hours: number, settings: object = {}): Promise<LogBench> {
  const bench = await LogBench.make({ settings: { segmentBytes: 300, ...settings } })
  for (let hour = 0; hour < hours; hour++) {
    await bench.append(1, { valueSize: 200, timestampMs: bench.world.clock.wallMs() })
    await bench.world.clock.advance(HOUR_MS)
  }
  return bench
}

function apply(bench: LogBench, highWatermark = bench.log.logEndOffset): Promise<number> {
  return bench.run(bench.log.applyRetention(bench.world.clock.wallMs(), highWatermark))
}

function files(bench: LogBench, suffix: string): Promise<string[]> {
  const listed = bench.run(bench.env.disk.list(bench.path))
  return listed.then((names) => names.filter((name) => name.endsWith(suffix)))
}

test('segments whose newest record is too old are removed, on a clock that the test holds', async () => {
  const bench = await hourly(10, { retentionMs: 4.5 * HOUR_MS })
  expect(await apply(bench)).toBe(6)
  expect(bench.log.logStartOffset).toBe(6)
  expect(bench.log.segmentCount).toBe(4)
  expect(await apply(bench)).toBe(0)
  await bench.world.clock.advance(HOUR_MS)
  expect(await apply(bench)).toBe(1)
})

test('the files of removed segments stay for the delete delay, then they go', async () => {
  const bench = await hourly(10, { retentionMs: 4.5 * HOUR_MS })
  await apply(bench)
  expect(await files(bench, '.log.deleted')).toHaveLength(6)
  expect(await files(bench, '.log')).toHaveLength(4)
  await bench.world.clock.advance('59s')
  expect(await files(bench, '.deleted')).not.toEqual([])
  await bench.world.clock.advance('2s')
  expect(await files(bench, '.deleted')).toEqual([])
})

test('what was removed and not yet gone goes at the next start', async () => {
  for (const how of ['clean', 'kill'] as const) {
    const bench = await hourly(10, { retentionMs: 4.5 * HOUR_MS })
    await apply(bench)
    expect(await bench.restart(how)).toMatchObject({ logEndOffset: 10 })
    expect(await files(bench, '.deleted')).toEqual([])
    expect(bench.log.logStartOffset).toBe(6)
  }
})

test('the active segment is rolled when it is all too old, and then removed', async () => {
  const bench = await hourly(3, { segmentBytes: SEGMENT, retentionMs: HOUR_MS })
  await bench.world.clock.advance(HOUR_MS)
  expect(await apply(bench)).toBe(1)
  expect(bench.log).toMatchObject({
    logStartOffset: 3,
    logEndOffset: 3,
    segmentCount: 1,
    sizeBytes: 0,
  })
  for (const how of ['clean', 'kill', 'powerCut'] as const) {
    expect(await bench.restart(how)).toMatchObject({ logEndOffset: 3 })
    expect(bench.log.logStartOffset).toBe(3)
  }
  await bench.append(1)
  expect(bench.log.logEndOffset).toBe(4)
})

test('nothing at or above the high watermark is removed', async () => {
  const bench = await hourly(10, { retentionMs: 1, retentionBytes: 0 })
  expect(await apply(bench, 3)).toBe(3)
  expect(bench.log.logStartOffset).toBe(3)
})

test('by size no less than the limit is left', async () => {
  const bench = await hourly(10)
  const size = bench.log.sizeBytes / 10
  bench.log.configure({ ...bench.settings, segmentBytes: 300, retentionBytes: 3.5 * size })
  expect(await apply(bench)).toBe(6)
  expect(bench.log.sizeBytes).toBe(4 * size)
})

test('an active segment that alone exceeds the size limit is rolled', async () => {
  const bench = await LogBench.make({ settings: { retentionBytes: 500 } })
  const [batch] = await bench.append(10)
  expect(await apply(bench)).toBe(0)
  expect(bench.log.segmentCount).toBe(2)
  await bench.append(1, { valueSize: 600 })
  expect(await apply(bench)).toBe(1)
  expect(bench.log.logStartOffset).toBe(10)
  expect(bench.log.sizeBytes).toBeGreaterThan(batch?.length ?? 0)
})

test('segments without a timestamp are as old as their last write', async () => {
  const bench = await LogBench.make({ settings: { segmentBytes: 300, retentionMs: HOUR_MS } })
  await bench.append(3, { valueSize: 200, timestampMs: -1 })
  await bench.world.clock.advance(HOUR_MS / 2)
  expect(await apply(bench)).toBe(0)
  await bench.world.clock.advance(HOUR_MS)
  expect(await apply(bench)).toBe(3)
})

test('without a wall clock to believe, no segment counts as old; size limits hold', async () => {
  const bench = await hourly(5, { retentionMs: 1 })
  const bytes = bench.log.sizeBytes
  expect(await bench.run(bench.log.applyRetention(undefined, 5))).toBe(0)
  bench.log.configure({ ...bench.settings, segmentBytes: 300, retentionBytes: bytes / 2 })
  expect(await bench.run(bench.log.applyRetention(undefined, 5))).toBe(2)
})

test('a segment whose rename failed is renamed with the next change, and its room comes back', async () => {
  let renames = 0
  const bench = await LogBench.make({
    settings: { segmentBytes: 1000 },
    disk: (disk) => ({
      ...counted(disk, {}),
      rename: (from, to) =>
        from.endsWith('.log') && ++renames === 2
          ? Promise.reject(new DiskError('EACCES', 'permission denied', from))
          : disk.rename(from, to),
    }),
  })
  await bench.append(60, { valueSize: 100 })
  await bench.world.clock.advance('1s')
  const deleting = bench.run(bench.log.deleteBefore(30))
  await expect(deleting).rejects.toMatchObject({ code: 'EACCES' })
  expect(bench.log.logStartOffset).toBe(30)
  await apply(bench)
  await bench.world.clock.advance('2m')
  const left = [...(await files(bench, '.log')), ...(await files(bench, '.deleted'))]
  expect(left).toHaveLength(bench.log.segmentCount)
  expect((await bench.restart('kill')).logEndOffset).toBe(60)
})

test('a future timestamp keeps its segment and all behind it', async () => {
  const bench = await hourly(3, { retentionMs: HOUR_MS })
  await bench.append(1, { valueSize: 200, timestampMs: bench.world.clock.wallMs() + 100 * HOUR_MS })
  await bench.append(1, { valueSize: 200, timestampMs: 1 })
  expect(await apply(bench)).toBe(2)
  await bench.world.clock.advance(5 * HOUR_MS)
  expect(await apply(bench)).toBe(1)
  expect(bench.log.logStartOffset).toBe(3)
})

test('deleteBefore moves the log start, and the segments below it go', async () => {
  const bench = await LogBench.make({ settings: { segmentBytes: SEGMENT }, tailBytesMax: 0 })
  const batches = await bench.append(100, { valueSize: 200 })
  const before = bench.log.segmentCount
  await bench.run(bench.log.deleteBefore(50))
  expect(bench.log.logStartOffset).toBe(50)
  expect(bench.log.segmentCount).toBeLessThan(before)
  expect((await bench.read(50)).equals(Buffer.concat(batches.slice(50)))).toBe(true)
  await expect(bench.read(49)).rejects.toMatchObject({ name: 'OFFSET_OUT_OF_RANGE' })
  await bench.run(bench.log.deleteBefore(20))
  expect(bench.log.logStartOffset).toBe(50)
  await expect(bench.run(bench.log.deleteBefore(101))).rejects.toMatchObject({
    name: 'OFFSET_OUT_OF_RANGE',
  })
})

test('deleteBefore survives every kind of restart', async () => {
  for (const how of ['clean', 'kill', 'powerCut'] as const) {
    for (const offset of [1, 50, 99, 100]) {
      const bench = await LogBench.make({ settings: { segmentBytes: SEGMENT } })
      await bench.append(100, { valueSize: 200 })
      await bench.run(bench.log.deleteBefore(offset))
      expect(await bench.restart(how)).toMatchObject({ logEndOffset: 100 })
      expect(bench.log.logStartOffset).toBe(offset)
    }
  }
})

test('a power cut at any moment of deletions leaves no hole and loses nothing above the log start', async () => {
  for (let seed = 1; seed <= 80; seed++) {
    const bench = await LogBench.make({
      seed,
      settings: { segmentBytes: 1000, deleteDelayMs: 5, flush: seed % 2 === 0 ? 'group' : 'os' },
      world: { clock: 'jumping' },
    })
    const batches = await bench.append(60, { valueSize: 100 })
    let moved = 0
    let asked = 0
    for (const offset of [10, 25, 40, 60]) {
      asked = offset
      bench.log.deleteBefore(offset).then(
        () => {
          moved = offset
        },
        () => undefined,
      )
    }
    const until = bench.world.eventCount + ((seed * 31) % 150)
    await bench.world.until(() => bench.world.eventCount >= until)
    const report = await bench.restart('powerCut')
    expect(report.logEndOffset).toBe(60)
    const start = bench.log.logStartOffset
    expect(start).toBeGreaterThanOrEqual(moved)
    expect(start).toBeLessThanOrEqual(asked)
    expect((await bench.read()).equals(Buffer.concat(batches.slice(start)))).toBe(true)
    bench.world.close()
  }
})

test('a reader of a segment that is removed under it gets its bytes or hears that they are gone', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const bench = await LogBench.make({
      seed,
      settings: { segmentBytes: 1000, deleteDelayMs: 0 },
      tailBytesMax: 0,
      world: { clock: 'jumping' },
    })
    const batches = await bench.append(60, { valueSize: 100 })
    const reads = [0, 5, 13].map((from) =>
      Promise.resolve(bench.log.read(from, 60, 1, true)).then(
        (slice) => Buffer.concat(slice.buffers).equals(batches[from] as Buffer),
        (error) => error.name,
      ),
    )
    const deleting = bench.log.deleteBefore(50)
    for (const outcome of await bench.run(Promise.all(reads))) {
      expect([true, 'OFFSET_OUT_OF_RANGE']).toContain(outcome)
    }
    await bench.run(deleting)
    bench.world.close()
  }
})

test('a search by time beside deletions finds the first record that is left, and is never an error', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const bench = await LogBench.make({
      seed,
      settings: { segmentBytes: 1000, deleteDelayMs: 0 },
      tailBytesMax: 0,
      world: { clock: 'jumping' },
    })
    for (let offset = 0; offset < 60; offset++)
      bench.enqueue(1, { valueSize: 100, timestampMs: 1000 + offset })
    await bench.run(bench.log.flush())
    const searches = [1000, 1005, 1020].map((time) => bench.log.offsetForTime(time, 60))
    const until = bench.world.eventCount + (seed % 12)
    await bench.world.until(() => bench.world.eventCount >= until)
    const deleting = bench.log.deleteBefore(50)
    const found = await bench.run(Promise.all(searches))
    const start = bench.log.logStartOffset
    for (const [index, wanted] of [0, 5, 20].entries())
      expect([wanted, start]).toContain(found[index]?.offset)
    await bench.run(deleting)
    expect(await bench.run(bench.log.offsetForTime(1000, 60))).toMatchObject({ offset: 50 })
    bench.world.close()
  }
})
