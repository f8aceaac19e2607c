import { crc32c, DiskError } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { batchOf, LogBench, ROOT } from '../../test/log-bench.ts'
import { counted } from '../../test/watched-disk.ts'

const FIRST = '00000000000000000000.log'
const SEGMENT = 4096

/** Batches of one record in one segment, killed before a checkpoint was written: the floor is 0. */
async function killedWith(count: number, options: { settings?: object; valueSize?: number } = {}) {
  const bench = await LogBench.make({ settings: options.settings ?? {}, tailBytesMax: 0 })
  const batches = await bench.append(count, { valueSize: options.valueSize ?? 20 })
  await bench.stop('kill')
  return { bench, batches, path: `${bench.path}/${FIRST}` }
}

test('a torn tail is cut to the last whole batch, wherever it was torn', async () => {
  const { batches } = await killedWith(3)
  const whole = Buffer.concat(batches)
  for (let size = 0; size <= whole.length; size++) {
    const { bench, path } = await killedWith(3)
    await bench.edit(path, (content) => content.subarray(0, size))
    const report = await bench.start()
    const kept = batches.filter(
      (_, index) => Buffer.concat(batches.slice(0, index + 1)).length <= size,
    )
    const keptBytes = Buffer.concat(kept)
    expect(report).toMatchObject({
      clean: false,
      logEndOffset: kept.length,
      scannedBytes: keptBytes.length,
      cutBytes: size - keptBytes.length,
    })
    expect(bench.log.durableEndOffset).toBe(kept.length)
    const more = await bench.append(1)
    expect((await bench.read()).equals(Buffer.concat([...kept, ...more]))).toBe(true)
    bench.world.close()
  }
}, 120_000)

test('from the first damaged batch on everything is cut, whole batches and later segments included', async () => {
  const { bench, batches, path } = await killedWith(60, {
    settings: { segmentBytes: SEGMENT },
    valueSize: 200,
  })
  // The segments were rolled, so the floor is above 0: it is taken away to ask about the cut alone.
  await forgetFloor(bench)
  const size = batches[0]?.length ?? 0
  await bench.edit(path, (content) => flipped(content, 4 * size + 70))
  const report = await bench.start()
  expect(report).toMatchObject({ logEndOffset: 4, cutBytes: 56 * size })
  expect(bench.log.segmentCount).toBe(1)
  expect((await bench.read()).equals(Buffer.concat(batches.slice(0, 4)))).toBe(true)
})

test('corruption below the floor keeps the partition offline and cuts nothing', async () => {
  for (const [after, what] of [
    ['200ms', 'synced'],
    ['6s', 'recovery-point'],
  ] as const) {
    const bench = await LogBench.make()
    const batches = await bench.append(5)
    await bench.world.clock.advance(after)
    await bench.stop('kill')
    if (what === 'recovery-point') await bench.edit(`${ROOT}/synced`, () => undefined)
    const path = `${bench.path}/${FIRST}`
    const size = batches[0]?.length ?? 0
    await bench.edit(path, (content) => flipped(content, 2 * size + 65))
    const before = await bench.run(bench.world.env('a').disk.readFile(path))
    await expect(bench.start()).rejects.toMatchObject({
      name: 'KAFKA_STORAGE_ERROR',
      topic: 'orders',
      partition: 0,
      offset: 2,
      message: expect.stringMatching(
        new RegExp(`${FIRST}: damaged at byte ${2 * size}, offset 2: a wrong CRC.*below offset 5`),
      ),
    })
    const left = await bench.run(bench.world.env('a').disk.readFile(path))
    expect(left?.equals(before as Buffer), what).toBe(true)
  }
})

test('rot in a deleted record is no torn tail: what lies behind it is acknowledged, and is not cut', async () => {
  const bench = await LogBench.make()
  const batches = await bench.append(5)
  await bench.world.clock.advance('6s')
  await bench.append(3)
  await bench.run(bench.log.deleteBefore(5))
  await bench.stop('kill')
  const path = `${bench.path}/${FIRST}`
  const size = batches[0]?.length ?? 0
  await bench.edit(path, (content) => flipped(content, 4 * size + 6))
  const before = await bench.run(bench.world.env('a').disk.readFile(path))
  await expect(bench.start()).rejects.toMatchObject({
    name: 'KAFKA_STORAGE_ERROR',
    message: expect.stringContaining(`damaged at byte ${4 * size}, offset 4`),
  })
  const left = await bench.run(bench.world.env('a').disk.readFile(path))
  expect(left?.equals(before as Buffer)).toBe(true)
})

test('a file that is shorter than the floor keeps the partition offline, at a batch boundary, too', async () => {
  const bench = await LogBench.make()
  const batches = await bench.append(5)
  await bench.world.clock.advance('6s')
  await bench.stop('kill')
  const size = batches[0]?.length ?? 0
  await bench.edit(`${bench.path}/${FIRST}`, (content) => content.subarray(0, 3 * size))
  await expect(bench.start()).rejects.toMatchObject({
    name: 'KAFKA_STORAGE_ERROR',
    offset: 3,
    message: expect.stringContaining('the log ends at offset 3. Everything below offset 5'),
  })
})

test('a partition whose segments vanished stays offline', async () => {
  const bench = await LogBench.make()
  await bench.append(5)
  await bench.stop('clean')
  await bench.edit(`${bench.path}/${FIRST}`, () => undefined)
  await expect(bench.start()).rejects.toMatchObject({ name: 'KAFKA_STORAGE_ERROR', offset: 0 })
})

/** Four segments or more, all synced and covered by the checkpoints; one of them is removed. */
async function withoutSegment(how: 'clean' | 'kill', index: number): Promise<LogBench> {
  const bench = await LogBench.make({ settings: { segmentBytes: SEGMENT }, tailBytesMax: 0 })
  await bench.append(60, { valueSize: 200 })
  await bench.world.clock.advance('6s')
  await bench.stop(how)
  const names = await bench.run(bench.world.env('a').disk.list(bench.path))
  const logs = names.filter((name) => name.endsWith('.log'))
  expect(logs.length).toBeGreaterThan(3)
  await bench.edit(`${bench.path}/${logs.at(index)}`, () => undefined)
  return bench
}

test.each([
  ['clean', 'the first', 0],
  ['kill', 'the first', 0],
  ['clean', 'a middle', 1],
  ['clean', 'the last', -1],
  ['kill', 'a middle', 1],
  ['kill', 'the last', -1],
] as const)(
  'after a %s stop %s segment that vanished keeps the partition offline',
  async (how, _, at) => {
    const bench = await withoutSegment(how, at)
    await expect(bench.start()).rejects.toMatchObject({ name: 'KAFKA_STORAGE_ERROR' })
  },
)

test('with both floors damaged an invalid batch counts as corruption; without one the log opens', async () => {
  for (const torn of [false, true]) {
    const bench = await LogBench.make()
    await bench.append(5)
    await bench.world.clock.advance('6s')
    await bench.stop('kill')
    await bench.edit(`${ROOT}/recovery-point`, (content) => flipped(content, 20))
    await bench.edit(`${ROOT}/synced`, (content) => flipped(content, 3))
    if (torn) await bench.edit(`${bench.path}/${FIRST}`, (content) => content.subarray(0, -1))
    if (torn) {
      await expect(bench.start()).rejects.toMatchObject({
        message: expect.stringContaining('both damaged'),
      })
    } else expect(await bench.start()).toMatchObject({ logEndOffset: 5 })
  }
})

test('what a damaged recovery-point had said stays unknown until the partition was opened', async () => {
  const bench = await LogBench.make()
  await bench.append(5)
  await bench.world.clock.advance('6s')
  await bench.stop('kill')
  await bench.edit(`${ROOT}/recovery-point`, (content) => flipped(content, 20))
  await bench.edit(`${ROOT}/synced`, (content) => flipped(content, 3))
  await bench.edit(`${bench.path}/${FIRST}`, (content) => content.subarray(0, -1))
  await expect(bench.start()).rejects.toMatchObject({ name: 'KAFKA_STORAGE_ERROR' })
  await bench.stop('clean')
  await expect(bench.start()).rejects.toMatchObject({ name: 'KAFKA_STORAGE_ERROR' })
})

test('one damaged floor leaves the other', async () => {
  const bench = await LogBench.make()
  await bench.append(5)
  await bench.world.clock.advance('6s')
  await bench.stop('kill')
  await bench.edit(`${ROOT}/recovery-point`, (content) => flipped(content, 20))
  await bench.edit(`${bench.path}/${FIRST}`, (content) => content.subarray(0, -1))
  await expect(bench.start()).rejects.toMatchObject({
    message: expect.stringContaining('below offset 5'),
  })
})

test('a clean stop is followed by a start that reads no log', async () => {
  const bench = await LogBench.make({ settings: { segmentBytes: SEGMENT } })
  const batches = await bench.append(60, { valueSize: 200 })
  expect(await bench.restart('clean')).toEqual({
    clean: true,
    logEndOffset: 60,
    scannedBytes: 0,
    cutBytes: 0,
    lost: false,
  })
  const more = await bench.append(60, { valueSize: 200 })
  expect((await bench.read()).equals(Buffer.concat([...batches, ...more]))).toBe(true)
})

test('a log that is not as the clean stop left it is scanned all the same', async () => {
  const bench = await LogBench.make()
  await bench.append(5)
  await bench.stop('clean')
  const foreign = batchOf(bench.env, { baseOffset: 5 })
  await bench.edit(`${bench.path}/${FIRST}`, (content) => Buffer.concat([content, foreign]))
  expect(await bench.start()).toMatchObject({ clean: false, logEndOffset: 6 })
})

test('the mark of a clean stop is gone as soon as the log is open', async () => {
  const bench = await LogBench.make()
  await bench.append(5)
  await bench.restart('clean')
  expect(bench.directory.previousBrokerEpoch).toBe(7)
  const mark = `${ROOT}/clean-shutdown.json`
  expect(await bench.run(bench.env.disk.readFile(mark))).toBeUndefined()
  await bench.append(5)
  expect(await bench.restart('powerCut')).toMatchObject({ clean: false, logEndOffset: 10 })
  expect(bench.directory.previousBrokerEpoch).toBeUndefined()
})

test('only segments from the recovery point on are scanned', async () => {
  const bench = await LogBench.make({ settings: { segmentBytes: SEGMENT } })
  await bench.append(100, { valueSize: 200 })
  const bytes = bench.log.sizeBytes
  await bench.world.clock.advance('6s')
  const report = await bench.restart('kill')
  expect(report.logEndOffset).toBe(100)
  expect(report.scannedBytes).toBeLessThanOrEqual(SEGMENT)
  expect(bench.log.sizeBytes).toBe(bytes)
})

test('a segment below the recovery point whose size is not the sealed one is scanned', async () => {
  const bench = await LogBench.make({ settings: { segmentBytes: SEGMENT } })
  const [batch] = await bench.append(100, { valueSize: 200 })
  await bench.world.clock.advance('6s')
  await bench.stop('kill')
  await bench.edit(`${bench.path}/${FIRST}`, (content) =>
    content.subarray(0, 3 * (batch?.length ?? 0)),
  )
  await expect(bench.start()).rejects.toMatchObject({ name: 'KAFKA_STORAGE_ERROR', offset: 3 })
})

test('a lost epoch checkpoint is rebuilt from the log', async () => {
  for (const how of ['clean', 'kill'] as const) {
    const bench = await LogBench.make()
    await bench.append(5)
    bench.log.epochs.assign(4, 5)
    await bench.append(5)
    await bench.stop(how)
    await bench.edit(`${bench.path}/leader-epoch-checkpoint`, (content) => flipped(content, 30))
    // The mark of a clean stop has the epochs, too.
    expect(await bench.start()).toMatchObject({ clean: how === 'clean', logEndOffset: 10 })
    expect(bench.log.epochs.entries).toEqual([
      { epoch: 1, startOffset: 0 },
      { epoch: 4, startOffset: 5 },
    ])
    await bench.stop('kill')
    await bench.start()
    expect(bench.log.epochs.latest).toBe(4)
  }
})

test('every header is checked for what the CRC leaves out', async () => {
  const changes: [string, (header: Buffer) => void][] = [
    ['base offset', (header) => header.writeBigInt64BE(7n, 0)],
    ['leader epoch', (header) => header.writeInt32BE(0, 12)],
    ['magic', (header) => header.writeInt8(1, 16)],
    ['length', (header) => header.writeInt32BE(2 ** 31 - 1, 8)],
    ['length', (header) => header.writeInt32BE(-1, 8)],
  ]
  for (const [what, change] of changes) {
    const { bench, batches, path } = await killedWith(3)
    await bench.edit(path, (content) => {
      const changed = Buffer.from(content)
      change(changed.subarray(batches[0]?.length))
      return changed
    })
    expect(await bench.start(), what).toMatchObject({ logEndOffset: 1 })
  }
})

test('indexes that are damaged or gone are rebuilt, and wrong ones are found out', async () => {
  const damages: [string, (content: Buffer) => Uint8Array | undefined][] = [
    ['gone', () => undefined],
    ['torn', (content) => content.subarray(0, -3)],
    ['short', (content) => content.subarray(0, 16)],
    ['zeros', (content) => Buffer.alloc(content.length)],
    ['other positions', (content) => shifted(content)],
  ]
  for (const [what, damage] of damages) {
    const bench = await LogBench.make({ settings: { indexIntervalBytes: 300 }, tailBytesMax: 0 })
    const batches = await bench.append(100)
    await bench.stop('clean')
    await bench.edit(`${bench.path}/${FIRST.replace('log', 'index')}`, damage)
    expect(await bench.start()).toMatchObject({ clean: true })
    for (const from of [99, 50, 0, 73]) {
      const slice = await bench.run(Promise.resolve(bench.log.read(from, 100, 1, true)))
      expect(Buffer.concat(slice.buffers).equals(batches[from] as Buffer), what).toBe(true)
    }
    await bench.world.clock.advance('10ms')
    const index = await bench.run(
      bench.env.disk.readFile(`${bench.path}/${FIRST.replace('log', 'index')}`),
    )
    expect(index?.length, what).toBeGreaterThan(100)
  }
})

test('a time index that lies is found out', async () => {
  const bench = await LogBench.make({ settings: { indexIntervalBytes: 300 } })
  for (let time = 0; time < 100; time++) await bench.append(1, { timestampMs: 1000 + time })
  await bench.stop('clean')
  await bench.edit(`${bench.path}/${FIRST.replace('log', 'timeindex')}`, (content) => {
    const changed = Buffer.from(content)
    // The last but one entry claims a far later batch.
    changed.writeUInt32BE(90, changed.length - 24 + 8)
    return changed
  })
  await bench.start()
  expect(await bench.run(bench.log.offsetForTime(1097, 100))).toEqual({
    offset: 97,
    timestamp: 1097,
  })
  const entryTime = await lastButOneTime(bench)
  const found = await bench.run(bench.log.offsetForTime(entryTime, 100))
  expect(found).toEqual({ offset: entryTime - 1000, timestamp: entryTime })
})

test('damage that is met while serving is told with its offsets; what lies before and behind can be read', async () => {
  const bench = await LogBench.make({ tailBytesMax: 0 })
  const batches = await bench.append(5)
  await bench.stop('clean')
  const size = batches[0]?.length ?? 0
  await bench.edit(`${bench.path}/${FIRST}`, (content) => {
    const changed = Buffer.from(content)
    changed.writeInt8(1, 3 * size + 16)
    return changed
  })
  await bench.start()
  const read = (from: number) => bench.run(Promise.resolve(bench.log.read(from, 5, 10_000, true)))
  expect(await read(0)).toMatchObject({ nextOffset: 3 })
  expect(await read(4)).toMatchObject({ nextOffset: 5 })
  const where = {
    name: 'KAFKA_STORAGE_ERROR',
    offset: 3,
    details: { fromOffset: 3, nextOffset: 4 },
  }
  for (let time = 0; time < 2; time++) await expect(read(3)).rejects.toMatchObject(where)
  expect(bench.world.logs().filter(({ text }) => text.includes('a log is damaged'))).toHaveLength(1)
})

test('records below the checkpointed high watermark that are gone are reported as lost', async () => {
  const bench = await LogBench.make({ settings: { flush: 'os' } })
  await bench.append(5)
  await bench.restart('clean')
  bench.enqueue(5)
  await bench.world.until(() => bench.log.logEndOffset === 10)
  await bench.stop('kill')
  // An operating system that crashed: nothing of the second five was synced.
  await bench.edit(`${bench.path}/${FIRST}`, (content) => content.subarray(0, content.length / 2))
  await bench.edit(`${ROOT}/hw-checkpoint`, (content) => {
    const lines = content.toString().replace(/ 5\n/, ' 10\n').split('\n').slice(0, -2)
    const body = Buffer.from(`${lines.join('\n')}\n`)
    return Buffer.concat([
      body,
      Buffer.from(`crc32c ${crc32c(body).toString(16).padStart(8, '0')}\n`),
    ])
  })
  expect(await bench.start()).toMatchObject({ logEndOffset: 5, lost: true })
})

test('after any power cut everything that was said to be durable is there, and in order', async () => {
  let cut = 0
  for (let seed = 1; seed <= 120; seed++) {
    const bench = await LogBench.make({
      seed,
      settings: { segmentBytes: seed % 3 === 0 ? 2048 : 100_000 },
      world: { clock: 'jumping' },
    })
    const written: Buffer[] = []
    let events = 20 + ((seed * 7919) % 300)
    bench.heard.onAdvanced = () => events--
    for (let round = 0; events > 0 && round < 200; round++) {
      written.push(
        ...bench.enqueue(1 + ((seed + round) % 3), { valueSize: 10 + ((seed * round) % 300) }),
      )
      await bench.world.until(() => bench.log.logEndOffset === bench.log.queuedEndOffset)
      if ((seed + round) % 5 === 0) await bench.run(bench.log.flush())
    }
    const durable = bench.log.durableEndOffset
    const report = await bench.restart('powerCut')
    expect(report.logEndOffset).toBeGreaterThanOrEqual(durable)
    if (report.cutBytes > 0) cut++
    const bytes = await bench.read()
    expect(bytes.equals(Buffer.concat(written.slice(0, report.logEndOffset)))).toBe(true)
    await bench.append(3)
    expect((await bench.restart('clean')).logEndOffset).toBe(report.logEndOffset + 3)
    bench.world.close()
  }
  expect(cut).toBeGreaterThan(5)
}, 120_000)

test('what a killed process had not synced is synced before it counts as durable again', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const bench = await LogBench.make({ seed, settings: { flush: 'os' } })
    bench.enqueue(20, { valueSize: 100 })
    await bench.world.until(() => bench.log.logEndOffset === 20)
    expect(bench.log.durableEndOffset).toBe(0)
    const { logEndOffset } = await bench.restart('kill')
    expect(bench.log.durableEndOffset).toBe(logEndOffset)
    expect((await bench.restart('powerCut')).logEndOffset).toBe(logEndOffset)
    bench.world.close()
  }
})

function flipped(content: Buffer, position: number): Buffer {
  const changed = Buffer.from(content)
  changed.writeUInt8(changed.readUInt8(position) ^ 0x10, position)
  return changed
}

/** Every index entry points 61 bytes too far. */
function shifted(content: Buffer): Buffer {
  const changed = Buffer.from(content)
  for (let at = 4; at < changed.length; at += 8)
    changed.writeUInt32BE(changed.readUInt32BE(at) + 61, at)
  return changed
}

async function lastButOneTime(bench: LogBench): Promise<number> {
  const path = `${bench.path}/${FIRST.replace('log', 'timeindex')}`
  const content = (await bench.run(bench.env.disk.readFile(path))) ?? Buffer.alloc(0)
  return Number(content.readBigInt64BE(content.length - 24))
}

async function forgetFloor(bench: LogBench): Promise<void> {
  const empty = (name: string) => {
    const body = Buffer.from(`minikafka ${name} 1\n`)
    const line = `crc32c ${crc32c(body).toString(16).padStart(8, '0')}\n`
    return Buffer.concat([body, Buffer.from(line)])
  }
  await bench.edit(`${ROOT}/recovery-point`, () => empty('recovery-point'))
  await bench.edit(`${ROOT}/synced`, (content) => Buffer.alloc(content.length))
}

test('an empty log is clean after a clean stop, and costs no sync at a start', async () => {
  const synced: string[] = []
  const bench = await LogBench.make({
    disk: (disk) => counted(disk, { syncDirectory: (path) => synced.push(path) }),
  })
  await bench.stop('clean')
  synced.length = 0
  const directory = await bench.startDirectory()
  const { recovered } = await bench.run(directory.openLog(bench.openOptions()))
  expect(recovered).toMatchObject({ clean: true, logEndOffset: 0 })
  expect(synced).not.toContain(bench.path)
})

test('a sync that fails during recovery is the end of the directory, not of the partition', async () => {
  let fails = false
  const bench = await LogBench.make({
    disk: (disk) =>
      counted(disk, {
        sync: (path) => {
          if (fails && path.endsWith('.log')) throw new DiskError('EIO', 'i/o error', path)
        },
      }),
  })
  await bench.append(3)
  await bench.stop('kill')
  fails = true
  const directory = await bench.startDirectory()
  await expect(bench.run(directory.openLog(bench.openOptions()))).rejects.toMatchObject({
    name: 'StartError',
    exitCode: 74,
  })
  expect(directory.offline).toMatchObject({ code: 'EIO' })
})

test('a full disk keeps no log from being opened that has all its epochs; what is derived is saved later', async () => {
  const bench = await LogBench.make({ settings: { segmentBytes: SEGMENT }, tailBytesMax: 0 })
  const batches = await bench.append(60, { valueSize: 200 })
  await bench.world.clock.advance('10s')
  await bench.stop('kill')
  await bench.edit(`${bench.path}/sealed`, () => undefined)
  const directory = await bench.startDirectory()
  bench.world.disk('a').fill(0)
  const { log } = await bench.run(directory.openLog(bench.openOptions()))
  const slice = await bench.run(Promise.resolve(log.read(0, 60, 100_000, true)))
  expect(Buffer.concat(batches).indexOf(Buffer.concat(slice.buffers))).toBe(0)
  bench.world.disk('a').heal()
  await bench.run(directory.close({ clean: true, brokerEpoch: 1 }))
  expect(await bench.start()).toMatchObject({ logEndOffset: 60 })
  expect((await bench.read()).equals(Buffer.concat(batches))).toBe(true)
})

test('a power cut among the first segments leaves a log that begins at its beginning', async () => {
  for (let seed = 1; seed <= 100; seed++) {
    const bench = await LogBench.make({
      seed,
      settings: { segmentBytes: 300 },
      world: { clock: 'jumping' },
    })
    const batches = Buffer.concat(bench.enqueue(6, { valueSize: 200 }))
    const until = bench.world.eventCount + (seed % 30)
    await bench.world.until(() => bench.world.eventCount >= until)
    const said = bench.heard.durable
    const { logEndOffset } = await bench.restart('powerCut')
    expect(logEndOffset).toBeGreaterThanOrEqual(said)
    expect(bench.log.logStartOffset).toBe(0)
    const kept = await bench.read()
    expect(kept.equals(batches.subarray(0, kept.length))).toBe(true)
    bench.world.close()
  }
})
