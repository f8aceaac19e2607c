import { crc32c } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { allOf, LogBench, ROOT } from '../../test/log-bench.ts'
import { verifyDirectory } from './verify.ts'

const FIRST = '00000000000000000000'

async function verify(
  bench: LogBench,
  deep = true,
): Promise<{ lines: string[]; problems: string[] }> {
  bench.env = bench.world.env('a')
  const found = await bench.run(allOf(verifyDirectory(bench.env, ROOT, { deep })))
  return {
    lines: found.map(({ text }) => text),
    problems: found.filter(({ problem }) => problem).map(({ text }) => text),
  }
}

/** Several segments with indexes, left in order. */
async function stopped(): Promise<LogBench> {
  const bench = await LogBench.make({
    settings: { segmentBytes: 4000, indexIntervalBytes: 500 },
  })
  await bench.append(100, { valueSize: 100 })
  await bench.world.clock.advance('6s')
  await bench.stop('clean')
  return bench
}

test('a directory in order has no problem', async () => {
  const bench = await stopped()
  const bytes = 100 * 170
  for (const deep of [false, true]) {
    expect(await verify(bench, deep)).toEqual({
      lines: [
        expect.stringMatching(/^\/data: node 1 of cluster/),
        `/data/orders-0: offsets 0-99, 5 segments, ${bytes} bytes`,
      ],
      problems: [],
    })
  }
  expect(await bench.start()).toMatchObject({ clean: true })
})

test('a locked directory is refused with the pid of its owner', async () => {
  const bench = await LogBench.make()
  const pid = bench.world.pid('a')
  const second = bench.world.start('a')
  const lines = verifyDirectory(second, ROOT, { deep: false })
  await expect(bench.run(allOf(lines))).rejects.toMatchObject({
    exitCode: 69,
    message: expect.stringContaining(`process ${pid}`),
  })
})

test('every problem is named with its file and its place', async () => {
  const log = `${ROOT}/orders-0/${FIRST}.log`
  const cases: [string, (content: Buffer) => Uint8Array | undefined, RegExp][] = [
    [
      log,
      flip(2 * 170 + 80),
      /\.log: position 340, offset 2: a wrong CRC; corruption of offset 2, .*run minikafka-broker repair \/data orders-0/,
    ],
    [
      log,
      flip(2 * 170 + 16),
      /\.log: position 340, offset 2: magic 18 .*corruption of offset 2, for all below 100 had been synced/,
    ],
    [
      log,
      (content) => anotherBatch(content),
      /the headers are not those that \/data\/orders-0\/sealed has summed/,
    ],
    [log, (content) => content.subarray(0, 340), /\.log: has 340 bytes, 39\d\d when it was sealed/],
    [
      log.replace('log', 'index'),
      flip(15),
      /\.index: position 8: no batch of offset \d+ begins at/,
    ],
    [`${ROOT}/recovery-point`, flip(40), /recovery-point: its checksum does not fit/],
    [`${ROOT}/hw-checkpoint`, () => undefined, /hw-checkpoint: is missing/],
    [`${ROOT}/synced`, flip(5), /synced: position 0: the checksum of a slot/],
    [`${ROOT}/meta.json`, flip(5), /meta.json: is damaged/],
    [
      `${ROOT}/clean-shutdown.json`,
      flip(5),
      /clean-shutdown.json: is damaged .*the stop counts as unclean/,
    ],
    [`${ROOT}/orders-0/partition.meta`, flip(5), /partition.meta: its checksum does not fit/],
    [
      `${ROOT}/orders-0/leader-epoch-checkpoint`,
      flip(5),
      /leader-epoch-checkpoint: is missing or damaged/,
    ],
    [`${ROOT}/orders-0/sealed`, () => undefined, /sealed: has no line for/],
    [
      `${ROOT}/orders-0/${FIRST.slice(0, -2)}23.log`,
      () => undefined,
      /ends at offset 23, what follows begins at 46; corruption of offsets 23 to 45,/,
    ],
  ]
  for (const [path, change, problem] of cases) {
    const bench = await stopped()
    await bench.edit(path, change)
    const { problems } = await verify(bench)
    expect(problems.join('\n'), path).toMatch(problem)
  }
})

test('a torn tail above the floor is named with what the next start will cut', async () => {
  const bench = await LogBench.make()
  await bench.append(5)
  await bench.stop('kill')
  await bench.edit(`${ROOT}/orders-0/${FIRST}.log`, (content) => content.subarray(0, -10))
  const { problems } = await verify(bench)
  expect(problems).toEqual([
    expect.stringMatching(/position 352, offset 4: .*a torn tail, the next start cuts 78 bytes/),
  ])
})

test('a break is named once, not again for the segments behind it', async () => {
  const bench = await stopped()
  await bench.edit(`${ROOT}/orders-0/${FIRST}.log`, flip(2 * 170 + 15))
  const { problems } = await verify(bench)
  expect(problems).toEqual([
    expect.stringMatching(/position 340, offset 2: leader epoch 17 instead of 1; .* of offset 2,/),
  ])
})

test('a log that ends below its floor is a problem', async () => {
  const bench = await LogBench.make()
  await bench.append(5)
  await bench.stop('clean')
  await bench.edit(`${ROOT}/orders-0/${FIRST}.log`, (content) => content.subarray(0, 2 * 88))
  const { problems } = await verify(bench)
  expect(problems.join('\n')).toContain('ends at offset 2, but everything below 5 had been synced')
})

test('verify changes nothing', async () => {
  const bench = await LogBench.make()
  await bench.append(5)
  await bench.stop('kill')
  await bench.edit(`${ROOT}/orders-0/${FIRST}.log`, (content) => content.subarray(0, -10))
  const disk = () => bench.world.env('a').disk
  const before = await bench.run(disk().list(`${ROOT}/orders-0`))
  await verify(bench)
  expect(await bench.run(disk().list(`${ROOT}/orders-0`))).toEqual(before)
  expect(await bench.start()).toMatchObject({ logEndOffset: 4 })
})

function flip(position: number): (content: Buffer) => Buffer {
  return (content) => {
    const changed = Buffer.from(content)
    changed.writeUInt8(changed.readUInt8(position) ^ 0x10, position)
    return changed
  }
}

/** The first batch has another time and a CRC that fits, as an older copy of the file might. */
function anotherBatch(content: Buffer): Buffer {
  const changed = Buffer.from(content)
  const batch = changed.subarray(0, 170)
  batch.writeBigInt64BE(999n, 27)
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return changed
}
