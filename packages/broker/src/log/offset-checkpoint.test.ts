import { expect, test } from 'vitest'
import { LogBench, ROOT, TOPIC_ID } from '../../test/log-bench.ts'
import { withChecksum } from './checked-text.ts'
import { OffsetCheckpoint } from './offset-checkpoint.ts'
import { partitionKey } from './partition-key.ts'

const KEY = partitionKey(TOPIC_ID, 3)
const PATH = `${ROOT}/elsewhere/recovery-point`

async function load(bench: LogBench): Promise<OffsetCheckpoint> {
  await bench.run(bench.env.disk.makeDirectory(`${ROOT}/elsewhere`))
  return await bench.run(
    OffsetCheckpoint.load(bench.env.disk, `${ROOT}/elsewhere`, 'recovery-point'),
  )
}

test('what was saved is loaded again', async () => {
  const bench = await LogBench.make()
  const checkpoint = await load(bench)
  expect(checkpoint.found).toBe('absent')
  checkpoint.set(KEY, 42)
  checkpoint.setLost(partitionKey(TOPIC_ID, 4))
  await bench.run(checkpoint.save())
  const again = await load(bench)
  expect(again.found).toBe('good')
  expect(again.get(KEY)).toBe(42)
  expect(again.get(partitionKey(TOPIC_ID, 4))).toBe('lost')
  expect(again.get(partitionKey(TOPIC_ID, 5))).toBeUndefined()
})

test('a change of any byte is found out, and nothing in the file is believed', async () => {
  const bench = await LogBench.make()
  const checkpoint = await load(bench)
  checkpoint.set(KEY, 42)
  await bench.run(checkpoint.save())
  const content = (await bench.run(bench.env.disk.readFile(PATH))) as Buffer
  for (let position = 0; position < content.length; position++) {
    const changed = Buffer.from(content)
    changed.writeUInt8(changed.readUInt8(position) ^ 2, position)
    await bench.run(bench.env.disk.replaceFile(PATH, changed))
    const damaged = await load(bench)
    expect(damaged.found).toBe('bad')
    expect(damaged.get(KEY)).toBeUndefined()
  }
})

test('lines that make no sense are not believed, though their checksum fits', async () => {
  const bench = await LogBench.make()
  await load(bench)
  for (const line of [
    'x 1 2',
    `${TOPIC_ID} 1`,
    `${TOPIC_ID} -5 1`,
    `${TOPIC_ID} 1 99999999999999999999`,
  ]) {
    const text = withChecksum(`minikafka recovery-point 1\n${line}\n`)
    await bench.run(bench.env.disk.replaceFile(PATH, text))
    expect((await load(bench)).found).toBe('bad')
  }
})

test('a save that failed is made good by the next one', async () => {
  const bench = await LogBench.make()
  const checkpoint = await load(bench)
  checkpoint.set(KEY, 42)
  bench.world.disk('a').fill(0)
  await expect(bench.run(checkpoint.save())).rejects.toMatchObject({ code: 'ENOSPC' })
  bench.world.disk('a').heal()
  await bench.run(checkpoint.save())
  expect((await load(bench)).get(KEY)).toBe(42)
})
