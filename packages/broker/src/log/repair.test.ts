import { isMinikafkaError } from '@minikafka/protocol'
import { expect, test } from 'vitest'
import { allOf, LogBench, ROOT, TOPIC_ID } from '../../test/log-bench.ts'
import { OffsetCheckpoint } from './offset-checkpoint.ts'
import { partitionKey } from './partition-key.ts'
import { Repair, type RepairWay } from './repair.ts'
import { verifyDirectory } from './verify.ts'

const BATCH = 170
const BATCHES = 100

/** Five segments of 23 batches, all synced and covered by the checkpoints. */
async function stopped(how: 'clean' | 'kill', seed = 1): Promise<LogBench> {
  const bench = await LogBench.make({
    seed,
    settings: { segmentBytes: 4000, indexIntervalBytes: 500 },
    tailBytesMax: 0,
    world: seed === 1 ? {} : { clock: 'jumping' },
  })
  await bench.append(BATCHES, { valueSize: 100 })
  await bench.world.clock.advance('6s')
  await bench.stop(how)
  return bench
}

function segment(base: number): string {
  return `${ROOT}/orders-0/${String(base).padStart(20, '0')}.log`
}

/** Offsets 3, 4 and 30: two batches side by side, and one in another segment. */
function damage(bench: LogBench): void {
  const disk = bench.world.disk('a')
  disk.flipBit(segment(0), 3 * BATCH + 100, 1)
  disk.overwrite(segment(0), 4 * BATCH, Buffer.alloc(80))
  disk.flipBit(segment(23), 7 * BATCH + 3, 6)
}

async function repair(
  bench: LogBench,
  way: RepairWay,
): Promise<{ words: string[]; copies: string[] }> {
  bench.env = bench.world.env('a')
  const work = await bench.run(Repair.open(bench.env, ROOT, 'orders-0'))
  const words = work.words(way)
  const copies = work.isNeedless ? [] : await bench.run(work.run(way))
  await bench.run(work.close())
  return { words, copies }
}

async function problems(bench: LogBench): Promise<string[]> {
  bench.env = bench.world.env('a')
  const lines = await bench.run(allOf(verifyDirectory(bench.env, ROOT, { deep: true })))
  return lines.filter(({ problem }) => problem).map(({ text }) => text)
}

/** A power cut leaves in any state what is never synced: indexes, which are rebuilt, and slots of `synced`. */
function isOfLog(text: string): boolean {
  return !/the index is rebuilt|\/synced: position/.test(text)
}

/** Base offset of the batch that comes for each offset; undefined: an error that names a range comes. */
async function readEach(bench: LogBench): Promise<(number | undefined)[]> {
  const found: (number | undefined)[] = []
  for (let offset = 0; offset < bench.log.logEndOffset; offset++) {
    try {
      const slice = await bench.run(Promise.resolve(bench.log.read(offset, BATCHES + 50, 1, true)))
      found.push(Number(Buffer.concat(slice.buffers).readBigInt64BE(0)))
    } catch (error) {
      if (!isMinikafkaError(error) || error.name !== 'KAFKA_STORAGE_ERROR') throw error
      found.push(undefined)
    }
  }
  return found
}

function whole(end: number, without: readonly number[] = []): (number | undefined)[] {
  return Array.from({ length: end }, (_, offset) => (without.includes(offset) ? undefined : offset))
}

for (const how of ['clean', 'kill'] as const) {
  test(`after a ${how} stop --keep-hole gives up what is damaged and nothing else`, async () => {
    const bench = await stopped(how)
    damage(bench)
    expect(await problems(bench)).toHaveLength(2)
    const original = bench.world.disk('a').read(segment(0))
    const { words, copies } = await repair(bench, 'keep-hole')
    expect(words.at(-1)).toBe('--keep-hole: offsets 3 to 4, offset 30 will be lost (3 offsets)')
    expect(copies).toHaveLength(2)
    expect(bench.world.disk('a').read(copies[0] as string)).toEqual(original)
    expect(await problems(bench)).toEqual([])
    expect(await bench.start()).toMatchObject({ logEndOffset: BATCHES, lost: false })
    expect(await readEach(bench)).toEqual(whole(BATCHES, [3, 4, 30]))
    await bench.append(1)
    await bench.restart('kill')
    expect(await readEach(bench)).toEqual(whole(BATCHES + 1, [3, 4, 30]))
  })

  test(`after a ${how} stop --truncate cuts at the first damage and keeps copies of all that goes`, async () => {
    const bench = await stopped(how)
    damage(bench)
    const before = bench.world.disk('a').files(`${ROOT}/orders-0`)
    const { words, copies } = await repair(bench, 'truncate')
    expect(words.at(-1)).toBe(
      '--truncate: offsets 3 to 99 will be lost (97 offsets), and the log ends at offset 3',
    )
    expect(copies).toHaveLength(before.filter(({ path }) => path.endsWith('.log')).length)
    expect(await problems(bench)).toEqual([])
    expect(await bench.start()).toMatchObject({ logEndOffset: 3, cutBytes: 0, lost: false })
    expect(bench.world.logs().filter(({ text }) => text.includes('are lost'))).toEqual([])
    await bench.append(2)
    expect(await readEach(bench)).toEqual(whole(5))
  })
}

test('damage at the end leaves a hole up to what had been synced, so that no offset is given twice', async () => {
  const bench = await stopped('kill')
  bench.world.disk('a').overwrite(segment(92), 5 * BATCH, Buffer.alloc(3 * BATCH))
  await expect(bench.start()).rejects.toMatchObject({
    message: expect.stringContaining('minikafka-broker repair'),
  })
  await bench.stop('kill')
  await repair(bench, 'keep-hole')
  expect(await problems(bench)).toEqual([])
  expect(await bench.start()).toMatchObject({ logEndOffset: BATCHES })
  expect(await readEach(bench)).toEqual(whole(BATCHES, [97, 98, 99]))
  await bench.append(1)
  expect((await readEach(bench)).at(-1)).toBe(BATCHES)
})

test('segments that are gone become holes: the first, one in the middle, the last', async () => {
  for (const [base, next] of [
    [0, 23],
    [46, 69],
    [92, 100],
  ] as const) {
    const bench = await stopped('clean')
    await bench.edit(segment(base), () => undefined)
    await repair(bench, 'keep-hole')
    expect(await problems(bench), `${base}`).toEqual([])
    expect(await bench.start()).toMatchObject({ logEndOffset: BATCHES })
    const lost = Array.from({ length: next - base }, (_, index) => base + index)
    expect(await readEach(bench)).toEqual(whole(BATCHES, lost))
  }
})

test('a segment of which nothing is left goes', async () => {
  const bench = await stopped('clean')
  const size = bench.world.disk('a').read(segment(23))?.length ?? 0
  bench.world.disk('a').overwrite(segment(23), 0, Buffer.alloc(size, 7))
  await repair(bench, 'keep-hole')
  expect(await problems(bench)).toEqual([])
  await bench.start()
  const lost = Array.from({ length: 23 }, (_, index) => 23 + index)
  expect(await readEach(bench)).toEqual(whole(BATCHES, lost))
})

test('--truncate forgets the holes behind the cut: records that come there are served', async () => {
  const bench = await stopped('kill')
  bench.world.disk('a').flipBit(segment(23), 7 * BATCH + 100, 6)
  await repair(bench, 'keep-hole')
  await bench.start()
  await bench.stop('clean')
  bench.world.disk('a').flipBit(segment(0), 10 * BATCH + 100, 6)
  await repair(bench, 'truncate')
  expect(await problems(bench)).toEqual([])
  expect(await bench.start()).toMatchObject({ logEndOffset: 10, lost: false })
  await bench.append(40, { valueSize: 100 })
  expect(await readEach(bench)).toEqual(whole(50))
})

test('--truncate cuts garbage behind a closed segment', async () => {
  const bench = await stopped('kill')
  await bench.edit(segment(23), (content) => Buffer.concat([content, Buffer.alloc(80, 7)]))
  const { copies } = await repair(bench, 'truncate')
  expect(copies.map((path) => path.replace(/\.corrupt-.*/, ''))).toEqual([
    segment(23),
    segment(92),
    segment(69),
    segment(46),
  ])
  expect(bench.world.disk('a').read(segment(23))).toHaveLength(23 * BATCH)
  expect(await problems(bench)).toEqual([])
  expect(await bench.start()).toMatchObject({ logEndOffset: 46, cutBytes: 0, lost: false })
  await bench.append(40, { valueSize: 100 })
  expect(await bench.run(bench.log.scrub(async () => {}))).toMatchObject({ damages: 0 })
  expect(await readEach(bench)).toEqual(whole(86))
})

test('--truncate of a segment that reaches into the next one takes the next one away', async () => {
  const bench = await stopped('kill')
  const next = bench.world.disk('a').read(segment(46)) as Buffer
  await bench.edit(segment(23), (content) => Buffer.concat([content, next.subarray(0, 2 * BATCH)]))
  await repair(bench, 'truncate')
  expect(await problems(bench)).toEqual([])
  expect(await bench.start()).toMatchObject({ cutBytes: 0, lost: false })
  await bench.append(1, { valueSize: 100 })
  expect(await readEach(bench)).toEqual(whole(bench.log.logEndOffset))
})

/** What the checkpoints say of the partition; `synced` says nothing. */
async function setFloors(
  bench: LogBench,
  floors: { recoveryPoint?: number; highWatermark: number },
): Promise<void> {
  const { disk } = bench.world.env('a')
  for (const [name, offset] of [
    ['recovery-point', floors.recoveryPoint],
    ['hw-checkpoint', floors.highWatermark],
  ] as const) {
    if (offset === undefined) continue
    const checkpoint = await bench.run(OffsetCheckpoint.load(disk, ROOT, name))
    checkpoint.set(partitionKey(TOPIC_ID, 0), offset)
    await bench.run(checkpoint.save())
  }
  await bench.edit(`${ROOT}/synced`, () => undefined)
}

test('a torn tail below the high watermark is no hole: what the next start cuts is given again', async () => {
  const bench = await stopped('kill')
  await setFloors(bench, { recoveryPoint: 92, highWatermark: 98 })
  bench.world.disk('a').flipBit(segment(23), 7 * BATCH + 100, 6)
  bench.world.disk('a').flipBit(segment(92), 4 * BATCH + 100, 6)
  const { words } = await repair(bench, 'keep-hole')
  expect(words.at(-1)).toBe('--keep-hole: offset 30 will be lost (1 offsets)')
  expect(await bench.start()).toMatchObject({ logEndOffset: 96 })
  await bench.append(3, { valueSize: 100 })
  expect(await readEach(bench)).toEqual(whole(99, [30]))
})

test('a log that would end in a hole goes on behind it, over restarts of every kind', async () => {
  for (const how of ['clean', 'kill', 'powerCut'] as const) {
    const bench = await stopped('kill')
    await bench.edit(segment(92), (content) => content.subarray(0, 4 * BATCH))
    await setFloors(bench, { recoveryPoint: 96, highWatermark: 98 })
    bench.world.disk('a').flipBit(segment(0), 10 * BATCH + 100, 6)
    await repair(bench, 'keep-hole')
    // As a power cut leaves it that came before the name of the new segment was durable.
    await bench.edit(segment(98), () => undefined)
    expect(await bench.start()).toMatchObject({ logEndOffset: 98, lost: false })
    expect(await bench.restart(how)).toMatchObject({ logEndOffset: 98, lost: false })
    await bench.stop('clean')
    expect((await problems(bench)).filter(isOfLog)).toEqual([])
    await bench.start()
    await bench.append(5, { valueSize: 100 })
    await bench.restart(how)
    expect(await readEach(bench), how).toEqual(whole(103, [10, 96, 97]))
  }
})

test('a tail that is torn where a hole begins is cut, and the log goes on behind the hole', async () => {
  const bench = await stopped('kill')
  await bench.edit(segment(92), (content) => content.subarray(0, 4 * BATCH))
  await setFloors(bench, { recoveryPoint: 96, highWatermark: 98 })
  await repair(bench, 'keep-hole')
  await bench.edit(segment(92), (content) => Buffer.concat([content, Buffer.alloc(80, 7)]))
  expect(await bench.start()).toMatchObject({ logEndOffset: 98, cutBytes: 80 })
  await bench.append(2, { valueSize: 100 })
  await bench.restart('kill')
  expect(await readEach(bench)).toEqual(whole(100, [96, 97]))
})

test('a repair of what is in order, or torn above the floor, changes nothing', async () => {
  const bench = await stopped('kill')
  await bench.edit(segment(92), (content) => Buffer.concat([content, Buffer.alloc(30)]))
  const before = bench.world.disk('a').files(ROOT)
  const { copies } = await repair(bench, 'truncate')
  expect(copies).toEqual([])
  const after = bench.world.disk('a').files(ROOT)
  const sizes = (files: typeof before) => files.map(({ path, size }) => `${path} ${size}`)
  expect(sizes(after).filter((line) => !line.includes('.lock'))).toEqual(
    sizes(before).filter((line) => !line.includes('.lock')),
  )
})

test('a directory in use is refused', async () => {
  const bench = await LogBench.make()
  const second = bench.world.start('a')
  await expect(bench.run(Repair.open(second, ROOT, 'orders-0'))).rejects.toMatchObject({
    exitCode: 69,
  })
})

test('a power cut or a kill in the middle of a repair loses nothing but what it gives up, and it can be run again', async () => {
  let interrupted = 0
  for (const way of ['truncate', 'keep-hole'] as const) {
    const end = way === 'truncate' ? 3 : BATCHES
    const lost = way === 'truncate' ? [] : [3, 4, 30]
    for (let events = 1; ; events += 3) {
      const bench = await stopped(events % 2 === 0 ? 'clean' : 'kill', 2)
      damage(bench)
      bench.env = bench.world.env('a')
      const work = await bench.run(Repair.open(bench.env, ROOT, 'orders-0'))
      const until = bench.world.eventCount + events
      let isDone = false
      work.run(way).then(
        () => {
          isDone = true
        },
        () => undefined,
      )
      await bench.world.until(() => isDone || bench.world.eventCount >= until)
      if (events % 3 === 0) bench.world.kill('a')
      else bench.world.powerCut('a')
      if (!isDone) interrupted++
      // Either it is repaired, or it stays offline until it is.
      await bench.start().then(
        () => undefined,
        (error: unknown) => expect(error).toMatchObject({ name: 'KAFKA_STORAGE_ERROR' }),
      )
      await bench.stop('kill')
      await repair(bench, way)
      const found = (await problems(bench)).filter(isOfLog)
      expect(found, `${way} ${events}`).toEqual([])
      expect(await bench.start(), `${way} ${events}`).toMatchObject({ logEndOffset: end })
      expect(await readEach(bench), `${way} ${events}`).toEqual(whole(end, lost))
      bench.world.close()
      if (isDone) break
    }
  }
  expect(interrupted).toBeGreaterThan(20)
}, 300_000)
