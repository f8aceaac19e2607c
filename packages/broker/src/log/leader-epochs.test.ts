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
    made.assign(epoch, start)
  await bench.run(made.save())
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

test('an epoch is known at once and durable when it is saved, also one without a record', async () => {
  const { bench, epochs: known } = await epochs()
  expect(known.isDurable).toBe(true)
  known.assign(9, 40)
  expect([known.isDurable, known.latest]).toEqual([false, 9])
  await bench.stop('powerCut')
  const loaded = await bench.run(LeaderEpochs.load(bench.world.env('a').disk, bench.path))
  expect(loaded?.latest).toBe(7)
  expect(loaded?.endOffsetFor(4, 40)).toEqual({ epoch: 4, endOffset: 30 })
})

test('an epoch that had no record gives way to the next one that begins there', async () => {
  const { epochs: known } = await epochs()
  known.assign(9, 30)
  expect(known.entries.map(({ epoch }) => epoch)).toEqual([2, 4, 9])
})

test('the latest epoch stays where it began; an older one is refused', async () => {
  const { epochs: known } = await epochs()
  known.assign(7, 40)
  expect(known.entries.at(-1)).toEqual({ epoch: 7, startOffset: 30 })
  expect(known.isDurable).toBe(true)
  expect(() => known.assign(5, 40)).toThrow(
    expect.objectContaining({ name: 'KAFKA_STORAGE_ERROR' }),
  )
})

test('what the full disk does not take is not durable, and is when it is saved again', async () => {
  const { bench, epochs: known } = await epochs()
  known.assign(8, 40)
  bench.world.disk('a').fill(0)
  await expect(bench.run(known.save())).rejects.toMatchObject({ code: 'ENOSPC' })
  expect(known.isDurable).toBe(false)
  bench.world.disk('a').heal()
  await bench.run(known.save())
  expect(known.isDurable).toBe(true)
  const loaded = await bench.run(LeaderEpochs.load(bench.world.env('a').disk, bench.path))
  expect(loaded?.latest).toBe(8)
})

test('an epoch that was assigned while another one was saved is not durable yet', async () => {
  const { bench, epochs: known } = await epochs()
  known.assign(8, 40)
  const saving = known.save()
  // The write is under way one turn later.
  await undefined
  known.assign(9, 50)
  await bench.run(saving)
  expect(known.isDurable).toBe(false)
  await bench.run(known.save())
  expect(known.isDurable).toBe(true)
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
