import { expect, test } from 'vitest'
import { LogBench, ROOT, TOPIC_ID } from '../../test/log-bench.ts'
import { Checkpoints } from './checkpoints.ts'

test('a save that fails while the directory is closed sets no timer that would write after it', async () => {
  const bench = await LogBench.make()
  const errors: unknown[] = []
  const open = Checkpoints.open(bench.env, ROOT, (error) => errors.push(error))
  const checkpoints = await bench.run(open)
  const log = {
    topicId: TOPIC_ID,
    partition: 5,
    durableEndOffset: () => 3,
    logStartOffset: () => 0,
    highWatermark: () => 3,
  }
  bench.world.disk('a').fill(0)
  checkpoints.rolled(log)
  await bench.run(checkpoints.close())
  await bench.world.settled()
  expect(errors).toMatchObject([{ code: 'ENOSPC' }])
  expect(bench.world.clock.pending()).toEqual([])
})
