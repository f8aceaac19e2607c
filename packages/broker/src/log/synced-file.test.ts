import { expect, test } from 'vitest'
import { LogBench, ROOT, TOPIC_ID } from '../../test/log-bench.ts'
import { counted } from '../../test/watched-disk.ts'
import { partitionKey } from './partition-key.ts'
import { readSlots, SyncedFile } from './synced-file.ts'

const PATH = `${ROOT}/slots`

async function open(bench: LogBench): Promise<SyncedFile> {
  return await bench.run(SyncedFile.open(bench.env, PATH, () => undefined))
}

test('slots are found again by topic id and number', async () => {
  const bench = await LogBench.make()
  const file = await open(bench)
  for (let partition = 0; partition < 100; partition++)
    file.set(TOPIC_ID, partition, 1000 + partition)
  file.delete(partitionKey(TOPIC_ID, 7))
  await bench.run(file.close())
  const again = await open(bench)
  expect(again.badSlotCount).toBe(0)
  for (let partition = 0; partition < 100; partition++) {
    const expected = partition === 7 ? undefined : 1000 + partition
    expect(again.get(partitionKey(TOPIC_ID, partition))).toBe(expected)
  }
})

test('changes are written once within 100 ms, and never fsynced', async () => {
  const bench = await LogBench.make()
  let writes = 0
  let syncs = 0
  const disk = counted(bench.env.disk, {
    append: () => writes++,
    sync: () => syncs++,
  })
  const env = { ...bench.env, disk }
  const file = await bench.run(SyncedFile.open(env, PATH, () => undefined))
  for (let offset = 1; offset <= 50; offset++) file.set(TOPIC_ID, offset % 3, offset)
  expect(writes).toBe(0)
  await bench.world.clock.advance('101ms')
  expect(writes).toBe(1)
  await bench.world.clock.advance('1h')
  expect([writes, syncs]).toEqual([1, 0])
})

test('a damaged slot is ignored and counted, the others stay', async () => {
  const bench = await LogBench.make()
  const file = await open(bench)
  for (let partition = 0; partition < 3; partition++) file.set(TOPIC_ID, partition, 5)
  await bench.run(file.close())
  for (const position of [0, 20, 31]) {
    await bench.edit(PATH, (content) => {
      const changed = Buffer.from(content)
      changed.writeUInt8(changed.readUInt8(position) ^ 1, position)
      return changed
    })
    const damaged = await open(bench)
    expect(damaged.badSlotCount).toBe(1)
    expect(damaged.get(partitionKey(TOPIC_ID, 0))).toBeUndefined()
    expect(damaged.get(partitionKey(TOPIC_ID, 2))).toBe(5)
    await bench.edit(PATH, (content) => {
      expect(readSlots(content).badPositions).toEqual([0])
      const changed = Buffer.from(content)
      changed.writeUInt8(changed.readUInt8(position) ^ 1, position)
      return changed
    })
  }
})

test('lower is durable when it resolves', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const bench = await LogBench.make({ seed, world: { clock: 'jumping' } })
    const file = await open(bench)
    file.set(TOPIC_ID, 0, 100)
    await bench.run(file.lower(TOPIC_ID, 0, 40))
    await bench.run(bench.env.disk.syncDirectory(ROOT))
    bench.world.powerCut('a')
    bench.env = bench.world.env('a')
    expect((await open(bench)).get(partitionKey(TOPIC_ID, 0))).toBe(40)
    bench.world.close()
  }
})
