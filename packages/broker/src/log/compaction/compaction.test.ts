import { readBatchHeader, restampProducer, stampBatch } from '@minikafka/protocol'
import { describe, expect, test } from 'vitest'
import { KeyedLog, lastOfEach } from '../../../test/keyed-log.ts'
import { batchOf, type Keyed } from '../../../test/log-bench.ts'

const DAY_MS = 86_400_000
const SMALL = '.'.repeat(100)

/** `count` records over `keys` keys, a batch each, the values telling their place. */
function rounds(count: number, keys: number): Keyed[] {
  return Array.from({ length: count }, (_, index) => [`k${index % keys}`, `${index}${SMALL}`])
}

describe('what stays', () => {
  test('is the last record of each key, at its offset and in order; the log ends where it ended', async () => {
    const keyed = await KeyedLog.make()
    await keyed.appendEach(rounds(40, 5))
    await keyed.roll()
    const endOffset = keyed.log.logEndOffset
    const report = await keyed.compact()
    const active = keyed.history.slice(-1)
    const closed = keyed.history.slice(0, -1)
    expect(await keyed.records()).toEqual([...lastOfEach(closed), ...active])
    expect(report).toMatchObject({ records: 40, droppedRecords: 35, keys: 5, firstDirtyOffset: 40 })
    expect(keyed.log).toMatchObject({
      logStartOffset: 0,
      logEndOffset: endOffset,
      compactedBelow: 40,
    })
  })

  test('a reader in a gap finds what comes next, in steps of whatever size', async () => {
    const keyed = await KeyedLog.make()
    await keyed.appendEach(rounds(40, 3))
    await keyed.roll()
    await keyed.compact()
    const all = await keyed.records()
    for (let from = 0; from < keyed.log.logEndOffset; from++)
      for (const bytesMax of [1, 300, 4096])
        expect(await keyed.records(from, bytesMax)).toEqual(
          all.filter(({ offset }) => offset >= from),
        )
  })

  test('records without a key stay: nothing takes their place', async () => {
    const keyed = await KeyedLog.make()
    await keyed.append([
      ['a', '1'],
      [null, 'x'],
      ['a', '2'],
      [null, 'y'],
    ])
    await keyed.roll()
    await keyed.compact()
    expect(await keyed.records()).toEqual(lastOfEach(keyed.history))
  })

  test('nothing of the active segment, and nothing that reaches above the high watermark, is touched', async () => {
    const keyed = await KeyedLog.make({}, { segmentBytes: 400 })
    // Two batches a segment, the last two in the active one.
    await keyed.appendEach(rounds(10, 1))
    for (const [below, closed] of [
      [1, 0],
      [5, 4],
      [7, 6],
      [10, 8],
    ] as const) {
      await keyed.compact({ below })
      const rest = keyed.history.slice(closed)
      expect(await keyed.records()).toEqual([
        ...lastOfEach(keyed.history.slice(0, closed)),
        ...rest,
      ])
    }
  })

  test('with min.compaction.lag.ms what is younger stays whole', async () => {
    const keyed = await KeyedLog.make({}, { segmentBytes: 400, minCompactionLagMs: 60_000 })
    await keyed.appendEach(rounds(10, 1))
    expect(await keyed.compact()).toMatchObject({ droppedRecords: 0 })
    await keyed.bench.world.clock.advance('120s')
    expect(await keyed.compact()).toMatchObject({ droppedRecords: 7 })
  })

  test("a producer's last batch keeps its header, for its sequence", async () => {
    const keyed = await KeyedLog.make()
    for (let index = 0; index < 8; index++)
      await keyed.append([['k', `${index}${SMALL}`]], {
        producer: { id: index % 2, sequence: index >> 1 },
      })
    await keyed.roll()
    await keyed.compact({
      producerEnds: new Map([
        [0, 6],
        [1, 7],
      ]),
    })
    const headers = (await keyed.headers()).filter(({ baseOffset }) => baseOffset >= 6)
    expect(headers.slice(0, 2)).toMatchObject([
      { producerId: 0, baseSequence: 3, baseOffset: 6, recordCount: 0 },
      { producerId: 1, baseSequence: 3, baseOffset: 7, recordCount: 1 },
    ])
  })
})

describe('tombstones', () => {
  test('stay for delete.retention.ms from their first pass on, and then they go', async () => {
    const keyed = await KeyedLog.make({}, { deleteRetentionMs: DAY_MS })
    await keyed.append([
      ['a', '1'],
      ['b', '1'],
      ['a', null],
    ])
    await keyed.roll()
    await keyed.bench.world.clock.advance('30d')
    const begin = keyed.bench.env.clock.wallMs()
    const first = await keyed.compact()
    expect(first?.nextHorizonMs).toBe(begin + DAY_MS)
    const kept = await keyed.records()
    expect(kept).toEqual(lastOfEach(keyed.history))
    await keyed.bench.world.clock.advance('23h')
    await keyed.compact()
    expect(await keyed.records()).toEqual(kept)
    expect(await keyed.bench.run(keyed.log.compactionNeed(begin + DAY_MS - 1, 4))).toMatchObject({
      isDue: false,
    })
    expect(await keyed.bench.run(keyed.log.compactionNeed(begin + DAY_MS, 4))).toMatchObject({
      isDue: true,
    })
    await keyed.bench.world.clock.advance('1h')
    const last = await keyed.compact()
    expect(last?.nextHorizonMs).toBeUndefined()
    expect((await keyed.records()).map(({ key }) => key)).not.toContain('a')
    expect(await keyed.bench.run(keyed.log.compactionNeed(begin + 9 * DAY_MS, 4))).toMatchObject({
      isDue: false,
    })
  })

  test('the time of the next one is known after a restart', async () => {
    const keyed = await KeyedLog.make({}, { deleteRetentionMs: DAY_MS })
    await keyed.append([['a', null]])
    await keyed.roll()
    const nowMs = keyed.bench.env.clock.wallMs()
    await keyed.compact()
    await keyed.bench.restart('powerCut')
    const { isDue } = await keyed.bench.run(keyed.log.compactionNeed(nowMs + DAY_MS, 2))
    expect(isDue).toBe(true)
  })

  test('a tombstone that a newer value follows goes at once', async () => {
    const keyed = await KeyedLog.make()
    await keyed.append([
      ['a', null],
      ['a', '2'],
    ])
    await keyed.roll()
    await keyed.compact()
    expect((await keyed.records())[0]).toMatchObject({ offset: 1, value: '2' })
  })
})

describe('segments', () => {
  test('small ones become one, up to segment.bytes; the old files go after the delay', async () => {
    const keyed = await KeyedLog.make()
    await keyed.appendEach(rounds(60, 4))
    await keyed.roll()
    const before = keyed.log.segmentCount
    await keyed.compact()
    await keyed.compact()
    expect(before).toBeGreaterThan(8)
    expect(keyed.log.segmentCount).toBeLessThanOrEqual(3)
    expect(await keyed.files(/\.(cleaned|swap)$/)).toEqual([])
    expect(await keyed.files(/\.log\.deleted$/)).not.toEqual([])
    await keyed.bench.world.clock.advance('61s')
    expect(await keyed.files(/\.deleted$/)).toEqual([])
    expect(await keyed.files(/\.log$/)).toHaveLength(keyed.log.segmentCount)
  })

  test('one in which nothing is past is not written anew', async () => {
    const keyed = await KeyedLog.make()
    await keyed.appendEach(rounds(6, 6))
    await keyed.roll()
    const before = keyed.bench.world.disk('a').files(keyed.bench.path)
    await keyed.compact()
    const files = keyed.bench.world.disk('a').files(keyed.bench.path)
    expect(files.filter(({ path }) => path.endsWith('.log'))).toEqual(
      before.filter(({ path }) => path.endsWith('.log')),
    )
  })

  test('a map that is full ends the pass there, and the next one goes on', async () => {
    const keyed = await KeyedLog.make()
    await keyed.appendEach(rounds(60, 20))
    await keyed.roll()
    const mapBytes = 200
    const ends: number[] = []
    for (let pass = 0; pass < 30; pass++) {
      const report = await keyed.compact({ mapBytes })
      expect(report?.keys).toBeLessThanOrEqual(7)
      ends.push(report?.firstDirtyOffset ?? -1)
      if (ends.at(-1) === 60) break
    }
    expect(ends.length).toBeGreaterThan(5)
    expect(ends).toEqual([...ends].sort((a, b) => a - b))
    const past = new Set((await keyed.records()).map(({ offset }) => offset))
    for (const { offset } of lastOfEach(keyed.history.slice(0, 60))) expect(past).toContain(offset)
    expect(past.size).toBe(21)
  })

  test('after any stop the log is what it was, and a clean one is not scanned', async () => {
    for (const how of ['clean', 'kill', 'powerCut'] as const) {
      const keyed = await KeyedLog.make()
      await keyed.appendEach(rounds(60, 4))
      await keyed.roll()
      await keyed.compact()
      const records = await keyed.records()
      const recovered = await keyed.bench.restart(how)
      expect(recovered).toMatchObject({ clean: how === 'clean', logEndOffset: 61, lost: false })
      expect(await keyed.records()).toEqual(records)
      expect(keyed.log.compactedBelow).toBe(60)
      expect(await keyed.compact()).toMatchObject({ firstDirtyOffset: 60, keys: 0 })
    }
  })

  test('readers who hold the old files finish, and those who come late find the new ones', async () => {
    const keyed = await KeyedLog.make()
    await keyed.appendEach(rounds(80, 3))
    await keyed.roll()
    const { bench, log } = keyed
    const wanted = lastOfEach(keyed.history.slice(0, 80)).map(({ offset }) => offset)
    let isOver = false
    const reading = async () => {
      while (!isOver)
        for (let offset = 0; offset < log.logEndOffset; ) {
          const slice = await log.read(offset, log.logEndOffset, 300, true)
          expect(slice.nextOffset).toBeGreaterThan(offset)
          offset = slice.nextOffset
        }
    }
    const readers = [reading(), reading(), reading()]
    await keyed.compact()
    isOver = true
    await bench.run(Promise.all(readers))
    expect((await keyed.records()).map(({ offset }) => offset)).toEqual([...wanted, 80])
    expect(bench.heard.offlines).toEqual([])
  })
})

describe('what cannot be read', () => {
  test('damage stops it before the segment, with a line that names the place; the part before is compacted', async () => {
    const keyed = await KeyedLog.make({}, { segmentBytes: 300 })
    await keyed.appendEach(rounds(12, 1))
    const path = `${keyed.bench.path}/${String(6).padStart(20, '0')}.log`
    keyed.bench.world.disk('a').flipBit(path, 80, 1)
    const report = await keyed.compact()
    expect(report).toMatchObject({ firstDirtyOffset: 6, damage: { segmentBase: 6, position: 0 } })
    const bytes = keyed.bench.world.disk('a').read(path)
    expect(bytes?.length).toBeGreaterThan(150)
    const lines = keyed.bench.world
      .logs()
      .filter((line) => JSON.stringify(line).includes('damaged'))
    expect(JSON.stringify(lines)).toContain(path)
    expect(await keyed.compact()).toMatchObject({ firstDirtyOffset: 6, keys: 0 })
    expect((await keyed.batches(8)).length).toBe(4)
  })

  test('a batch that nobody can read stays as it is, and no record goes for one of its', async () => {
    const keyed = await KeyedLog.make()
    await keyed.append([['a', `1${SMALL}`]])
    await keyed.append([['b', `1${SMALL}`]])
    const broken = brokenAfter(
      batchOf(keyed.bench.env, {
        records: [
          ['a', '2'],
          ['x', '2'],
        ],
      }),
    )
    stampBatch(broken, 2, 1)
    keyed.log.enqueue(broken)
    await keyed.bench.run(keyed.log.flush())
    await keyed.append([['b', `2${SMALL}`]])
    await keyed.roll()
    expect(await keyed.compact()).toMatchObject({ droppedRecords: 1, unreadableBatches: 1 })
    const batches = await keyed.batches()
    expect(batches.map((batch) => readBatchHeader(batch).baseOffset)).toEqual([0, 2, 4, 5])
    expect(batches[1]).toEqual(broken)
  })
})

describe('a disk that does not do as it should', () => {
  test('full: nothing is changed, nothing is left behind, and the next pass does it', async () => {
    const keyed = await KeyedLog.make()
    await keyed.appendEach(rounds(40, 3))
    await keyed.roll()
    const before = await keyed.records()
    keyed.bench.world.disk('a').fill(100)
    await expect(keyed.compact()).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(await keyed.records()).toEqual(before)
    expect(await keyed.files(/cleaned|swap/)).toEqual([])
    keyed.bench.world.disk('a').heal()
    expect(await keyed.compact()).toMatchObject({ droppedRecords: 37 })
    expect(keyed.bench.heard.offlines).toEqual([])
  })

  test('a failed sync of the new segment, or of the directory, is the end of the data directory', async () => {
    for (const fault of ['failSync', 'failDirectorySync'] as const) {
      const keyed = await KeyedLog.make()
      await keyed.appendEach(rounds(40, 3))
      await keyed.roll()
      const last = lastOfEach(keyed.history)
      keyed.bench.world.disk('a')[fault](1, keyed.bench.path)
      expect(await keyed.compact()).toBeUndefined()
      expect(keyed.bench.heard.offlines).toHaveLength(1)
      await keyed.bench.restart('powerCut')
      expect(await keyed.records()).toEqual(expect.arrayContaining(last))
      expect(await keyed.compact()).toMatchObject({ firstDirtyOffset: 40 })
    }
  })

  test('a log that is closed in the middle of a pass keeps its old segments, and no file of the pass', async () => {
    const keyed = await KeyedLog.make()
    await keyed.appendEach(rounds(40, 3))
    await keyed.roll()
    const before = await keyed.records()
    let reads = 0
    const waits = new Promise<void>(() => undefined)
    const pace = (_: number, signal: AbortSignal) => {
      if (++reads < 4) return Promise.resolve()
      const closed = new Promise<void>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      })
      return Promise.race([waits, closed])
    }
    const pass = keyed.compacting({ pace })
    await keyed.bench.restart('clean')
    expect(await keyed.bench.run(pass)).toBeUndefined()
    expect(await keyed.records()).toEqual(before)
    expect(await keyed.files(/cleaned|swap/)).toEqual([])
  })
})

/** The same batch under a right CRC, whose second record says that it is longer than it is. */
function brokenAfter(batch: Buffer): Buffer {
  const second = 61 + 1 + ((batch[61] as number) >> 1)
  batch[second] = 120
  restampProducer(batch, -1, -1, -1)
  return batch
}
