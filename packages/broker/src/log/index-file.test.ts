import { expect, test } from 'vitest'
import { LogBench } from '../../test/log-bench.ts'
import { counted } from '../../test/watched-disk.ts'
import { IndexCache } from './index-cache.ts'
import { OffsetIndex } from './offset-index.ts'
import { OpenFiles } from './open-files.ts'

test('a save covers all that was added before it, also while an earlier one is under way', async () => {
  const bench = await LogBench.make()
  let second: Promise<void> | undefined
  const disk = counted(bench.env.disk, {
    append: () => {
      if (second !== undefined) return
      index.add(2, 200)
      second = index.file.save()
    },
  })
  const files = new OpenFiles(disk, 10, () => undefined)
  const path = `${bench.path}/some.index`
  const index = new OffsetIndex({ files, cache: new IndexCache(1000) }, path, 0, 0)
  index.add(1, 100)
  await bench.run(index.file.save())
  await bench.run(second ?? Promise.reject(new Error('nothing was written')))
  expect(await bench.run(bench.env.disk.readFile(path))).toHaveLength(16)
  expect(index.file.waiting).toHaveLength(0)
  await bench.run(files.closeAll())
})
