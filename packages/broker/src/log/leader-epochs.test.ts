import { expect, test } from 'vitest'
import { LogBench } from '../../test/log-bench.ts'
import { LeaderEpochs } from './leader-epochs.ts'

/** Epochs 2, 4 and 7 begin at 10, 20 and 30; the log ends at 40. */
async function epochs(): Promise<{ bench: LogBench; epochs: LeaderEpochs }> {
  const bench = await LogBench.make()
  const made = new LeaderEpochs(bench.env.disk, bench.path)
  for (const [epoch, start] of [
    [2, 10],
    [4, 20],
    [7, 30],
  ] as const)
    await bench.run(made.assign(epoch, start))
  return { bench, epochs: made }
}

test('an epoch ends where the next one begins, the latest at the end of the log', async () => {
  const { epochs: known } = await epochs()
  const table: [number, { epoch: number; endOffset: number } | undefined][] = [
    [7, { epoch: 7, endOffset: 40 }],
    [8, undefined],
    [1, { epoch: 1, endOffset: 10 }],
    [2, { epoch: 2, endOffset: 20 }],
    [3, { epoch: 2, endOffset: 20 }],
    [4, { epoch: 4, endOffset: 30 }],
    [6, { epoch: 4, endOffset: 30 }],
  ]
  for (const [requested, end] of table) expect(known.endOffsetFor(requested, 40)).toEqual(end)
})

test('the epoch of an offset is the last that had begun', async () => {
  const { epochs: known } = await epochs()
  expect([9, 10, 19, 20, 39].map((offset) => known.epochAt(offset))).toEqual([
    undefined,
    2,
    2,
    4,
    7,
  ])
})

test('an epoch is durable when assign resolves, also one without a record', async () => {
  const { bench } = await epochs()
  await bench.stop('powerCut')
  const loaded = await bench.run(LeaderEpochs.load(bench.world.env('a').disk, bench.path))
  expect(loaded?.latest).toBe(7)
  expect(loaded?.endOffsetFor(4, 40)).toEqual({ epoch: 4, endOffset: 30 })
})

test('an epoch that had no record gives way to the next one that begins there', async () => {
  const { bench, epochs: known } = await epochs()
  await bench.run(known.assign(9, 30))
  expect(known.entries.map(({ epoch }) => epoch)).toEqual([2, 4, 9])
})

test('the latest epoch stays where it began; an older one is refused', async () => {
  const { bench, epochs: known } = await epochs()
  await bench.run(known.assign(7, 40))
  expect(known.entries.at(-1)).toEqual({ epoch: 7, startOffset: 30 })
  await expect(bench.run(known.assign(5, 40))).rejects.toMatchObject({
    name: 'KAFKA_STORAGE_ERROR',
  })
})

test('what is not assigned durably is not assigned', async () => {
  const { bench, epochs: known } = await epochs()
  bench.world.disk('a').fill(0)
  await expect(bench.run(known.assign(8, 40))).rejects.toMatchObject({ code: 'ENOSPC' })
  expect(known.latest).toBe(7)
  bench.world.disk('a').heal()
  await bench.run(known.assign(8, 40))
  expect(known.latest).toBe(8)
})

test('the ends are cut with the log', async () => {
  const { epochs: known } = await epochs()
  known.cutStart(25)
  expect(known.entries).toEqual([
    { epoch: 4, startOffset: 25 },
    { epoch: 7, startOffset: 30 },
  ])
  known.cutEnd(30)
  expect(known.entries).toEqual([{ epoch: 4, startOffset: 25 }])
})

test('a file whose checksum or order does not fit is not believed', async () => {
  const { bench } = await epochs()
  const path = `${bench.path}/leader-epoch-checkpoint`
  await bench.edit(path, (content) => Buffer.from(content.toString().replace('4 20', '4 21')))
  expect(await bench.run(LeaderEpochs.load(bench.world.env('a').disk, bench.path))).toBeUndefined()
})
