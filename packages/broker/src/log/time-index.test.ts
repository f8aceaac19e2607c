import { expect, test } from 'vitest'
import { LogBench } from '../../test/log-bench.ts'
import { IndexCache } from './index-cache.ts'
import { OpenFiles } from './open-files.ts'
import { TimeIndex } from './time-index.ts'

test('a lookup gives the batch before which every record is older, saved or not', async () => {
  const bench = await LogBench.make()
  const files = new OpenFiles(bench.env.disk, 10, () => undefined)
  const found = { baseOffset: 100, fileSize: 0, lastTimestamp: -1 }
  const index = new TimeIndex(
    { files, cache: new IndexCache(1000) },
    `${bench.path}/1.timeindex`,
    found,
  )
  index.add(1000, 100)
  index.add(1000, 105)
  index.add(900, 110)
  index.add(1500, 120)
  const lookups = async () => {
    const hits = [999, 1000, 1499, 1500, 9999].map((time) => bench.run(index.lookup(time)))
    return (await Promise.all(hits)).map((hit) => [hit?.timestamp, hit?.offset])
  }
  const expected = [
    [-1, 100],
    [1000, 100],
    [1000, 100],
    [1500, 120],
    [1500, 120],
  ]
  expect(await lookups()).toEqual(expected)
  await bench.run(index.file.save())
  expect(await lookups()).toEqual(expected)
  index.add(2000, 130)
  expect(await bench.run(index.lookup(2000))).toEqual({ timestamp: 2000, offset: 130 })
  expect(await bench.run(index.lookup(1999))).toEqual({ timestamp: 1500, offset: 120 })
})
