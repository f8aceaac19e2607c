import { expect, test } from 'vitest'
import { LogBench } from '../../test/log-bench.ts'

test('a log that was cut ends at the start of the batch that held the offset, and goes on from there', async () => {
  for (const tailBytesMax of [0, 1024 * 1024]) {
    for (const offset of [0, 1, 149, 150, 299, 300]) {
      const bench = await LogBench.make({ settings: { segmentBytes: 3000 }, tailBytesMax })
      const batches = await bench.append(100, { count: 3, valueSize: 100 })
      await bench.read()
      await bench.run(bench.log.truncateTo(offset))
      const kept = batches.slice(0, Math.floor(offset / 3))
      expect(bench.log).toMatchObject({
        logEndOffset: kept.length * 3,
        queuedEndOffset: kept.length * 3,
        durableEndOffset: kept.length * 3,
      })
      expect((await bench.read()).equals(Buffer.concat(kept))).toBe(true)
      const more = await bench.append(50, { count: 3, valueSize: 100, timestampMs: 77 })
      expect((await bench.read(0, 500)).equals(Buffer.concat([...kept, ...more]))).toBe(true)
      for (const how of ['kill', 'clean', 'powerCut'] as const) {
        expect((await bench.restart(how)).logEndOffset).toBe(bench.log.logEndOffset)
        expect((await bench.read(0, 500)).equals(Buffer.concat([...kept, ...more]))).toBe(true)
      }
    }
  }
})

test('a cut forgets the epochs that began behind it', async () => {
  const bench = await LogBench.make()
  await bench.append(5)
  bench.log.epochs.assign(2, 5)
  await bench.append(5)
  await bench.run(bench.log.truncateTo(5))
  expect(bench.log.epochs.entries).toEqual([{ epoch: 1, startOffset: 0 }])
})

test('a power cut at any moment of a cut is no corruption: the floors went down first', async () => {
  for (let seed = 1; seed <= 100; seed++) {
    const bench = await LogBench.make({
      seed,
      settings: { segmentBytes: 1500 },
      world: { clock: 'jumping' },
    })
    const batches = await bench.append(50, { valueSize: 50 })
    await bench.world.clock.advance('6s')
    let done = false
    bench.log.truncateTo(20).then(
      () => {
        done = true
      },
      () => undefined,
    )
    const until = bench.world.eventCount + (seed % 90)
    await bench.world.until(() => done || bench.world.eventCount >= until)
    const { logEndOffset } = await bench.restart('powerCut')
    expect(logEndOffset).toBeGreaterThanOrEqual(20)
    expect((await bench.read()).equals(Buffer.concat(batches.slice(0, logEndOffset)))).toBe(true)
    bench.world.close()
  }
})
