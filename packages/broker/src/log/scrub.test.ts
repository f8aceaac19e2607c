import { crc32c } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { LogBench, TOPIC_ID } from '../../test/log-bench.ts'

/** Segments of about 4 KiB, twenty batches and more in each. */
async function filled(): Promise<{ bench: LogBench; batchSize: number; paths: string[] }> {
  const bench = await LogBench.make({ settings: { segmentBytes: 4096 } })
  const batches = await bench.append(60, { valueSize: 100 })
  await bench.world.settled()
  const names = await bench.run(bench.env.disk.list(bench.path))
  const paths = names.filter((name) => name.endsWith('.log')).map((name) => `${bench.path}/${name}`)
  return { bench, batchSize: batches[0]?.length ?? 0, paths }
}

async function noPace(): Promise<void> {}

test('a log in order is read whole and nothing is said', async () => {
  const { bench, paths } = await filled()
  const report = await bench.run(bench.log.scrub(noPace))
  expect(report).toMatchObject({ segments: paths.length, damages: 0, unreadable: [] })
  expect(report.bytes).toBeGreaterThanOrEqual(bench.log.sizeBytes)
})

test('rot is found in closed segments and in the active one, once', async () => {
  const { bench, batchSize, paths } = await filled()
  const disk = bench.world.disk('a')
  disk.flipBit(paths[0] as string, 3 * batchSize + 100, 2)
  disk.flipBit(paths.at(-1) as string, batchSize - 1, 7)
  expect(await bench.run(bench.log.scrub(noPace))).toMatchObject({ damages: 2 })
  expect(await bench.run(bench.log.scrub(noPace))).toMatchObject({ damages: 0 })
  await expect(bench.run(bench.log.read(3, 60, 1, true) as Promise<unknown>)).rejects.toMatchObject(
    {
      details: { fromOffset: 3, nextOffset: 4 },
    },
  )
})

test('batches that are right by themselves and not those that were written are found by their sum', async () => {
  const { bench, batchSize, paths } = await filled()
  const disk = bench.world.disk('a')
  const batch = (disk.read(paths[0] as string) as Buffer).subarray(0, batchSize)
  batch.writeBigInt64BE(999n, 27)
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  disk.overwrite(paths[0] as string, 0, batch)
  expect(await bench.run(bench.log.scrub(noPace))).toMatchObject({ damages: 1 })
  await expect(bench.run(bench.log.read(9, 60, 1, true) as Promise<unknown>)).rejects.toMatchObject(
    {
      message: expect.stringContaining('its headers are not those that were summed'),
    },
  )
})

test('a segment that grows and is closed while it is read is not held against its sum', async () => {
  const bench = await LogBench.make({ settings: { segmentBytes: 4096 } })
  await bench.append(5, { valueSize: 100 })
  let hasGrown = false
  const report = await bench.run(
    bench.log.scrub(async () => {
      if (hasGrown) return
      hasGrown = true
      await bench.append(40, { valueSize: 100 })
    }),
  )
  expect(bench.log.segmentCount).toBeGreaterThan(1)
  expect(report).toMatchObject({ segments: 1, damages: 0 })
  await bench.read()
})

test('a sector that cannot be read is told, and the other segments are read all the same', async () => {
  const { bench, paths } = await filled()
  bench.world.disk('a').failSector(paths[1] as string, 2000)
  bench.world.disk('a').flipBit(paths[2] as string, 200, 0)
  const report = await bench.run(bench.log.scrub(noPace))
  expect(report).toMatchObject({ segments: paths.length - 1, damages: 1 })
  expect(report.unreadable).toMatchObject([{ code: 'EIO', path: paths[1] }])
})

test('no file is held while the pace is kept: what is scrubbed can be removed, and others deleted', async () => {
  const settings = { segmentBytes: 4000, retentionBytes: 4000, deleteDelayMs: 0 }
  const bench = await LogBench.make({ settings })
  await bench.append(100, { valueSize: 100 })
  const deleted = { topicId: TOPIC_ID, partition: 1 }
  await bench.run(bench.directory.createLog(bench.openOptions(deleted.partition)))
  let goOn: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const scrubbed = bench.log.scrub(() => held)
  await bench.world.settled()
  const before = bench.log.segmentCount
  await bench.run(bench.log.applyRetention(bench.env.clock.wallMs(), 100))
  expect(bench.log.segmentCount).toBeLessThan(before)
  await bench.run(bench.directory.delete(deleted, 0))
  goOn()
  // All but the first are found to be gone before they are read.
  const report = await bench.run(scrubbed)
  expect(report).toMatchObject({ segments: bench.log.segmentCount, damages: 0, unreadable: [] })
})

test('no read is larger than a mebibyte, and what the pace throws ends it', async () => {
  const bench = await LogBench.make({ settings: { segmentBytes: 8 * 2 ** 20 } })
  for (let count = 0; count < 3; count++) await bench.append(1, { valueSize: 3 * 2 ** 20 })
  const sizes: number[] = []
  await bench.run(bench.log.scrub(async (bytes) => void sizes.push(bytes)))
  expect(Math.max(...sizes)).toBeLessThanOrEqual(2 ** 20)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThanOrEqual(9 * 2 ** 20)
  const stop = new Error('stop')
  const stopped = bench.log.scrub(() => Promise.reject(stop))
  await expect(bench.run(stopped)).rejects.toBe(stop)
})
