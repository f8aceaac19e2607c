import { readBatchHeader } from '@minikafka/protocol'
import { expect, test } from 'vitest'
import { LogBench } from '../../test/log-bench.ts'

const SEGMENT = 4096

test('what is appended is read again byte for byte, from memory and from the disk', async () => {
  for (const tailBytesMax of [0, 1024 * 1024]) {
    const bench = await LogBench.make({ tailBytesMax })
    const batches = await bench.append(50, { count: 3 })
    expect((await bench.read()).equals(Buffer.concat(batches))).toBe(true)
    expect(bench.log.logEndOffset).toBe(150)
    expect(bench.log.durableEndOffset).toBe(150)
  }
})

test('a read from the tail is answered at once, a read below it by a promise', async () => {
  const bench = await LogBench.make({ tailBytesMax: 100_000 })
  await bench.append(300, { valueSize: 1000 })
  const { log } = bench
  expect(log.read(299, 300, 1000, true)).not.toBeInstanceOf(Promise)
  const early = log.read(0, 300, 10_000, true)
  expect(early).toBeInstanceOf(Promise)
  expect((await bench.run(Promise.resolve(early))).nextOffset).toBeGreaterThan(0)
})

test('where memory holds something else than the file, who says so is read to from the file', async () => {
  const bench = await LogBench.make({ tailBytesMax: 100_000 })
  const [batch] = await bench.append(1)
  const whole = Buffer.from(batch as Uint8Array)
  const [kept] = (await bench.log.read(0, 1, 1000, true)).buffers
  kept?.fill(0)
  expect((await bench.read()).equals(whole)).toBe(false)
  await bench.run(bench.log.examine(0))
  expect((await bench.read()).equals(whole)).toBe(true)
})

test('what is lent from a file is held once for its taker, and its memory used again after that', async () => {
  const bench = await LogBench.make({ tailBytesMax: 0 })
  const [batch] = await bench.append(1, { valueSize: 40_000 })
  const { frames } = bench.directory
  frames.setIdleBytesMax(1_000_000)
  const lend = async () => {
    const slice = await bench.run(Promise.resolve(bench.log.lend(0, 1, 100_000, true)))
    expect(slice.isHeld).toBe(true)
    const [view] = slice.buffers as [Uint8Array]
    expect(Buffer.from(batch as Uint8Array).equals(view)).toBe(true)
    return view.buffer
  }
  const first = await lend()
  const second = await lend()
  expect(second).not.toBe(first)
  frames.letGo(first)
  expect(await lend()).toBe(first)
})

test('a read ends before `below` and within bytesMax; the first batch comes whole on request', async () => {
  for (const tailBytesMax of [0, 1024 * 1024]) {
    const bench = await LogBench.make({ tailBytesMax })
    const [batch] = await bench.append(4, { count: 10, valueSize: 100 })
    const size = batch?.length ?? 0
    const read = (from: number, below: number, bytesMax: number, firstWhole: boolean) =>
      bench.run(Promise.resolve(bench.log.read(from, below, bytesMax, firstWhole)))
    expect(await read(0, 40, size * 2 + 1, true)).toMatchObject({ bytes: size * 2, nextOffset: 20 })
    expect(await read(0, 19, size * 4, true)).toMatchObject({ bytes: size, nextOffset: 10 })
    expect(await read(0, 9, size * 4, true)).toMatchObject({ bytes: 0, nextOffset: 0 })
    expect(await read(5, 40, 1, true)).toMatchObject({ bytes: size, nextOffset: 10 })
    expect(await read(5, 40, 1, false)).toMatchObject({ bytes: 0, nextOffset: 5 })
    expect(await read(40, 40, size, true)).toMatchObject({ bytes: 0, nextOffset: 40 })
  }
})

test('an offset outside the log is refused with its bounds', async () => {
  const bench = await LogBench.make()
  await bench.append(3)
  for (const offset of [-1, 4]) {
    await expect(
      bench.run(Promise.resolve(bench.log.read(offset, 3, 100, true))),
    ).rejects.toMatchObject({
      name: 'OFFSET_OUT_OF_RANGE',
      details: { logStartOffset: 0, logEndOffset: 3 },
    })
  }
})

test('segments roll by size, and a reader crosses them', async () => {
  const bench = await LogBench.make({ settings: { segmentBytes: SEGMENT }, tailBytesMax: 0 })
  const batches = await bench.append(100, { valueSize: 200 })
  expect(bench.log.segmentCount).toBeGreaterThan(5)
  await bench.world.settled()
  for (const name of await bench.run(bench.env.disk.list(bench.path))) {
    const stat = await bench.run(bench.env.disk.stat(`${bench.path}/${name}`))
    expect(stat?.size).toBeLessThanOrEqual(SEGMENT)
  }
  expect((await bench.read(0, 700)).equals(Buffer.concat(batches))).toBe(true)
})

test('segments roll by age, also after a restart', async () => {
  const bench = await LogBench.make({ settings: { segmentMs: 60_000 } })
  const now = () => ({ timestampMs: bench.world.clock.wallMs() })
  await bench.append(1, now())
  await bench.world.clock.advance('59s')
  await bench.append(1, now())
  expect(bench.log.segmentCount).toBe(1)
  await bench.restart('clean')
  await bench.world.clock.advance('2s')
  await bench.append(1, now())
  expect(bench.log.segmentCount).toBe(2)
})

test('a batch larger than a segment gets a segment of its own', async () => {
  const bench = await LogBench.make({ settings: { segmentBytes: SEGMENT }, tailBytesMax: 0 })
  const batches = [
    ...(await bench.append(1)),
    ...(await bench.append(1, { valueSize: 3 * SEGMENT })),
    ...(await bench.append(1)),
  ]
  expect(bench.log.segmentCount).toBe(3)
  expect((await bench.read(0, 100)).equals(Buffer.concat(batches))).toBe(true)
})

test('headers visits each batch once from the one that holds the offset', async () => {
  const bench = await LogBench.make({ settings: { segmentBytes: SEGMENT } })
  await bench.append(60, { count: 2, valueSize: 100 })
  const seen: number[] = []
  await bench.run(
    bench.log.headers(
      7,
      () => seen.splice(0),
      ({ baseOffset }) => seen.push(baseOffset),
    ),
  )
  expect(seen).toEqual(Array.from({ length: 57 }, (_, index) => 6 + 2 * index))
})

test('a time finds the first record at or after it that is visible', async () => {
  const bench = await LogBench.make({ settings: { segmentBytes: SEGMENT } })
  for (let batch = 0; batch < 60; batch++) {
    await bench.append(1, { count: 4, timestampMs: 1_000 + 100 * batch, valueSize: 60 })
  }
  const find = (timestampMs: number, below = 240) =>
    bench.run(bench.log.offsetForTime(timestampMs, below))
  expect(await find(0)).toEqual({ offset: 0, timestamp: 1_000 })
  expect(await find(1_002)).toEqual({ offset: 2, timestamp: 1_002 })
  expect(await find(1_004)).toEqual({ offset: 4, timestamp: 1_100 })
  expect(await find(4_003)).toEqual({ offset: 123, timestamp: 4_003 })
  expect(await find(6_903)).toEqual({ offset: 239, timestamp: 6_903 })
  expect(await find(6_904)).toBeUndefined()
  expect(await find(6_903, 239)).toBeUndefined()
  await bench.run(bench.log.deleteBefore(2))
  expect(await find(0)).toEqual({ offset: 2, timestamp: 1_002 })
})

test('timestamps that go back and forth are found, too', async () => {
  const bench = await LogBench.make({
    settings: { segmentBytes: SEGMENT, indexIntervalBytes: 200 },
  })
  const times = [500, 300, 900, 100, 700, 900, 950, 200]
  for (let round = 0; round < 10; round++) {
    for (const timestampMs of times)
      await bench.append(1, { timestampMs: timestampMs + round, valueSize: 80 })
  }
  const records = times.flatMap(() => []) as number[]
  for (let round = 0; round < 10; round++) records.push(...times.map((time) => time + round))
  for (const wanted of [0, 101, 500, 501, 899, 903, 909, 950, 959]) {
    const offset = records.findIndex((timestamp) => timestamp >= wanted)
    expect(await bench.run(bench.log.offsetForTime(wanted, 80))).toEqual({
      offset,
      timestamp: records[offset],
    })
  }
})

test('readers below the tail see contiguous batches while the log grows and rolls', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const bench = await LogBench.make({
      seed,
      settings: { segmentBytes: SEGMENT },
      tailBytesMax: seed % 2 === 0 ? 0 : 3000,
      world: { clock: 'jumping' },
    })
    const reading = readAlong(bench, 100)
    for (let round = 0; round < 20; round++) {
      bench.enqueue(5, { count: 1, valueSize: 50 + ((seed * 37 + round * 101) % 400) })
      await bench.run(bench.log.flush())
    }
    expect(await bench.run(reading)).toEqual(Array.from({ length: 100 }, (_, index) => index))
  }
})

async function readAlong(bench: LogBench, until: number): Promise<number[]> {
  const seen: number[] = []
  let offset = 0
  while (offset < until) {
    const slice = await bench.log.read(offset, bench.log.logEndOffset, 1500, true)
    for (const buffer of slice.buffers) {
      for (let at = 0; at < buffer.length; ) {
        const header = readBatchHeader(buffer, at)
        seen.push(header.baseOffset)
        at += header.sizeBytes
      }
    }
    if (slice.nextOffset === offset) {
      await new Promise<void>((resolve) => {
        bench.env.clock.timer(1, resolve)
      })
    }
    offset = slice.nextOffset
  }
  return seen
}

test('a closed log refuses to be read', async () => {
  const bench = await LogBench.make()
  await bench.append(1)
  const { log } = bench
  await bench.stop('clean')
  await expect(log.read(0, 1, 100, true)).rejects.toMatchObject({ name: 'KAFKA_STORAGE_ERROR' })
})

test('a clean stop leaves nothing open and no timer', async () => {
  const bench = await LogBench.make({ settings: { segmentBytes: SEGMENT, flush: 'interval' } })
  bench.enqueue(100, { valueSize: 200 })
  await bench.stop('clean')
  expect(bench.world.leftovers()).toEqual([])
})

test('a log is closed when what was told of a closed segment is done', async () => {
  const bench = await LogBench.make({ settings: { segmentBytes: 4096 } })
  let finish = () => {}
  let isDone = false
  const work = new Promise<void>((resolve) => {
    finish = resolve
  }).then(() => {
    isDone = true
  })
  Object.assign(bench.heard, { rolled: () => work })
  await bench.append(60, { valueSize: 100 })
  await bench.world.settled()
  const closed = bench.directory.close({ clean: true, brokerEpoch: 7 }).then(() => isDone)
  await bench.world.clock.advance('1s')
  finish()
  expect(await bench.run(closed)).toBe(true)
})
