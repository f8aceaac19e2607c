// The log moves under a reader: what it has in hand is still its own, only a seek of the user makes that past.
import { afterEach, expect, test } from 'vitest'
import {
  closeReadingStages,
  numbers,
  type ReadingStage,
  readingStage,
  take,
  textOf,
} from '../../test/reading-stage.ts'
import { batchOf } from '../../test/record-batches.ts'
import type { ConsumerRecord } from './types.ts'

afterEach(closeReadingStages)

const ORDERS = { topic: 'orders', partition: 0 }

/** All of one key, so that order 'key' lets only the first begin. */
function ofOneKey(from: number, to: number): Buffer {
  const records = numbers(from, to).map((value) => ({ key: 'k', value }))
  return batchOf(records, { baseOffset: from })
}

/** Retention: all below 8 is deleted while the reader's next fetch waits behind what it has. */
async function cutTo8({ cluster, world }: ReadingStage, left = [ofOneKey(8, 10)]): Promise<void> {
  const partition = cluster.at('orders')
  partition.batches = left
  partition.logStartOffset = 8
  cluster.wake()
  await world.settled()
}

/** A handler whose first call waits until the test opens it. */
function firstHeld() {
  const begun: string[] = []
  let open = (_error?: Error) => {}
  const handler = async (record: ConsumerRecord<string>) => {
    begun.push(textOf(record))
    if (begun.length > 1) return
    await new Promise<void>((resolve, reject) => {
      open = (error) => (error === undefined ? resolve() : reject(error))
    })
  }
  return { begun, handler, open: (error?: Error) => open(error) }
}

test('retention passes a run by: what waits in its lanes is handled, then what is left of the log', async () => {
  const set = await readingStage()
  set.cluster.append('orders', 0, ofOneKey(0, 5))
  const reader = set.consumer({ onOutOfRange: 'earliest' })
  const { begun, handler, open } = firstHeld()
  const running = reader.run(handler, { concurrency: 4, order: 'key' })
  await set.world.settled()
  expect(begun).toEqual(['0'])
  await cutTo8(set)
  open()
  await set.world.until(() => begun.length === 7)
  expect(begun).toEqual([...numbers(0, 5), '8', '9'])
  reader.stop()
  await set.done(running)
})

test('retention passes a run by that then fails: its record is the next one', async () => {
  const set = await readingStage()
  set.cluster.append('orders', 0, ofOneKey(0, 5))
  const reader = set.consumer({ onOutOfRange: 'earliest' })
  const { handler, open } = firstHeld()
  const running = reader.run(handler, { concurrency: 4, order: 'key' })
  running.catch(() => {})
  await set.world.settled()
  await cutTo8(set, [])
  open(new Error('no'))
  await expect(set.done(running)).rejects.toMatchObject({ offset: 0 })
  set.cluster.append('orders', 0, ofOneKey(8, 10))
  expect(await set.done(take(reader, 7))).toEqual([...numbers(0, 5), '8', '9'])
})

test('a log that was cut behind a run changes nothing for what waits in its lanes', async () => {
  const { cluster, consumer, world, done } = await readingStage()
  cluster.append('orders', 0, ofOneKey(0, 5))
  const reader = consumer()
  const { begun, handler, open } = firstHeld()
  const running = reader.run(handler, { concurrency: 4, order: 'key' })
  await world.settled()
  cluster.at('orders').diverging = { epoch: 0, endOffset: 5 }
  cluster.wake()
  await world.settled()
  open()
  await world.until(() => begun.length === 5)
  expect(begun).toEqual(numbers(0, 5))
  reader.stop()
  await done(running)
})

test('the record in the hand of a loop is the next one after a break, wherever the log begins by then', async () => {
  const set = await readingStage()
  set.cluster.append('orders', 0, ofOneKey(0, 2))
  const reader = set.consumer({ onOutOfRange: 'earliest' })
  const seen: string[] = []
  for await (const record of reader) {
    seen.push(textOf(record))
    if (seen.length < 2) continue
    await set.world.settled()
    await cutTo8(set)
    break
  }
  expect(seen).toEqual(['0', '1'])
  expect(await set.done(take(reader, 3))).toEqual(['1', '8', '9'])
})

test('acks of a batch in hand count, wherever the log begins by then', async () => {
  const set = await readingStage()
  set.cluster.append('orders', 0, ofOneKey(0, 4))
  const reader = set.consumer({ onOutOfRange: 'earliest' })
  for await (const { records } of reader.batches()) {
    records[0]?.ack()
    records[2]?.ack()
    await set.world.settled()
    await cutTo8(set)
    break
  }
  expect(await set.done(take(reader, 4))).toEqual(['1', '3', '8', '9'])
})

test('a loop that goes on counts what it finished, wherever the log begins by then', async () => {
  const set = await readingStage()
  set.cluster.append('orders', 0, ofOneKey(0, 2))
  const reader = set.consumer({ onOutOfRange: 'earliest' })
  let count = 0
  for await (const _ of reader) {
    if (++count === 2) {
      await set.world.settled()
      await cutTo8(set)
    }
    if (count === 4) break
  }
  expect(set.client.stats().consumers[0]).toMatchObject({ finished: 3 })
  expect(reader.nextOffset(ORDERS)).toBe(9)
})

test('retention passes a reader by: once all that was fetched is handed out it stands where the log begins', async () => {
  const set = await readingStage()
  set.cluster.append('orders', 0, ofOneKey(0, 5))
  const reader = set.consumer({ onOutOfRange: 'earliest' })
  expect(await set.done(reader.poll({ max: 2 }))).toHaveLength(2)
  await cutTo8(set)
  expect(reader.nextOffset(ORDERS)).toBe(2)
  expect(await set.done(reader.poll({ max: 3 }))).toHaveLength(3)
  // Nobody has asked for what comes behind.
  expect(reader.nextOffset(ORDERS)).toBe(8)
  expect(reader.health().partitions).toMatchObject([{ nextOffset: 8 }])
  expect(await set.done(reader.lag())).toMatchObject([{ end: 10, lag: 2 }])
  expect((await set.done(reader.poll({ max: 2 }))).map(textOf)).toEqual(['8', '9'])
})
