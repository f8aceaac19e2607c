import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { LogBench } from '../../test/log-bench.ts'
import { IndexCache } from './index-cache.ts'
import { OffsetIndex } from './offset-index.ts'
import { OpenFiles } from './open-files.ts'

/** Gaps in offset and position between entries. */
const gaps = fc.array(
  fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 5000 })),
  {
    maxLength: 300,
  },
)

test('a lookup finds what a linear scan finds: waiting, saved, and both', async () => {
  const bench = await LogBench.make()
  let file = 0
  await fc.assert(
    fc.asyncProperty(
      gaps,
      fc.integer({ min: 0, max: 300 }),
      fc.array(fc.integer({ min: 0, max: 400_000 }), { minLength: 1, maxLength: 20 }),
      async (steps, savedAfter, offsets) => {
        const files = new OpenFiles(bench.env.disk, 10, () => undefined)
        const shelf = { files, cache: new IndexCache(10_000) }
        const baseOffset = 1_000_000
        const index = new OffsetIndex(shelf, `${bench.path}/${file++}.index`, baseOffset, 0)
        const entries = [{ offset: baseOffset, position: 0 }]
        for (const [count, [offsetGap, positionGap]] of steps.entries()) {
          const last = entries.at(-1) as { offset: number; position: number }
          const entry = { offset: last.offset + offsetGap, position: last.position + positionGap }
          index.add(entry.offset, entry.position)
          entries.push(entry)
          if (count === savedAfter) await bench.run(index.file.save())
        }
        const end = (entries.at(-1)?.position ?? 0) + 1
        for (const relative of offsets) {
          const offset = baseOffset + relative
          const expected = entries.findLast((entry) => entry.offset <= offset)
          expect(await bench.run(Promise.resolve(index.lookup(offset, end)))).toEqual(expected)
        }
        await bench.run(files.closeAll())
      },
    ),
    { numRuns: 60 },
  )
})

test('a saved index that was changed is not believed where its order or its end does not fit', async () => {
  const bench = await LogBench.make()
  const files = new OpenFiles(bench.env.disk, 10, () => undefined)
  const path = `${bench.path}/0.index`
  const index = new OffsetIndex({ files, cache: new IndexCache(0) }, path, 0, 0)
  for (let entry = 1; entry <= 50; entry++) index.add(10 * entry, 100 * entry)
  await bench.run(index.file.save())
  const content = (await bench.run(bench.env.disk.readFile(path))) as Buffer
  const lookup = async (bytes: Buffer, segmentSize: number) => {
    await bench.run(bench.env.disk.replaceFile(path, bytes))
    const fresh = new OpenFiles(bench.env.disk, 10, () => undefined)
    const shelf = { files: fresh, cache: new IndexCache(0) }
    const loaded = new OffsetIndex(shelf, path, 0, bytes.length)
    const hit = await bench.run(Promise.resolve(loaded.lookup(255, segmentSize)))
    await bench.run(fresh.closeAll())
    return hit
  }
  expect(await lookup(content, 5001)).toEqual({ offset: 250, position: 2500 })
  expect(await lookup(content, 5000)).toBeUndefined()
  const disordered = Buffer.from(content)
  disordered.writeUInt32BE(5, 8 * 30)
  expect(await lookup(disordered, 5001)).toBeUndefined()
  expect(await lookup(content.subarray(0, 101), 5001)).toEqual({ offset: 0, position: 0 })
})
