// What brokers should never answer, and what they cannot read: it is named, in its place, and handed to nobody; the
// policy decides whether reading stops or goes on behind it. Nothing of it keeps a reader waiting for ever.
import { afterEach, describe, expect, test } from 'vitest'
import {
  closeReadingStages,
  numbers,
  readingStage,
  take,
  textOf,
} from '../../test/reading-stage.ts'
import { changed, compress, damaged, markerOf, numbered } from '../../test/record-batches.ts'

afterEach(closeReadingStages)

const ORDERS = { topic: 'orders', partition: 0 }
/** Places in the header of a batch. */
const LENGTH = 8
const LAST_OFFSET_DELTA = 23
const RECORD_COUNT = 57

const isTold = ({ partitions }: { partitions: readonly { suspectOffset: number }[] }) =>
  partitions.some(({ suspectOffset }) => suspectOffset >= 0)

type StageOf = Awaited<ReturnType<typeof readingStage>>

/** The values of the first `count` records that a reader who skips gets. */
async function skipping({ consumer, done }: StageOf, count: number): Promise<string[]> {
  return await done(take(consumer({ onError: 'skip' }), count))
}

async function stops({ consumer, done }: StageOf, fields: object): Promise<void> {
  const error = await done(take(consumer(), 100).catch((reason: unknown) => reason))
  expect(error).toMatchObject({ ...ORDERS, ...fields })
}

describe('batches that are not what they say', () => {
  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'a wrong CRC (%s)',
    async (compression) => {
      const set = await readingStage()
      await compress.prepare(compression)
      const batches = [numbered(0, 2), damaged(numbered(2, 4, { compression })), numbered(4, 6)]
      set.cluster.append('orders', 0, ...batches)
      await stops(set, { name: 'CORRUPT_MESSAGE', offset: 2 })
      expect(await skipping(set, 4)).toEqual(['0', '1', '4', '5'])
    },
  )

  test('a wrong CRC is told to the broker, once, with the next fetch', async () => {
    const set = await readingStage()
    set.cluster.append('orders', 0, numbered(0, 2), damaged(numbered(2, 4)), numbered(4, 6))
    expect(await skipping(set, 4)).toEqual(['0', '1', '4', '5'])
    await set.pass(2000)
    const told = () => set.twin.fetches().map(({ partitions }) => partitions[0]?.suspectOffset)
    expect(told().filter((offset) => offset !== -1)).toEqual([2])
    // Whoever asks for it again tells of it again.
    await stops(set, { name: 'CORRUPT_MESSAGE', offset: 2 })
    await set.pass(2000)
    expect(told().filter((offset) => offset !== -1)).toEqual([2, 2])
    const { fetchOffset } = set.twin.fetches().findLast(isTold)?.partitions[0] ?? {}
    expect(fetchOffset).toBe(2)
  })

  test.each([
    ['more records than it counts', RECORD_COUNT, 1, '2'],
    ['fewer records than it counts', RECORD_COUNT, 9, '2'],
    ['a record above its last offset', LAST_OFFSET_DELTA, 0, '1'],
    ['fewer records than offsets', LAST_OFFSET_DELTA, 2, '3'],
  ])(
    'one that holds %s, under a right CRC: none of its records is handed out',
    async (_, position, value, next) => {
      const set = await readingStage()
      const forged = changed(numbered(0, 2), (bytes) => bytes.writeInt32BE(value, position))
      const behind = numbered(Number(next), 4)
      set.cluster.append('orders', 0, forged, behind)
      const seen: string[] = []
      const reader = set.consumer()
      const reading = reader.run((record) => {
        seen.push(textOf(record))
      })
      await expect(set.done(reading)).rejects.toMatchObject({
        ...{ ...ORDERS, name: 'INVALID_RECORD', offset: 0 },
        message: expect.stringMatching(/^orders-0 offset 0: /),
      })
      expect(seen).toEqual([])
      expect(await skipping(set, 1)).toEqual([next])
    },
  )

  test('a batch that was compacted may hold fewer records than offsets', async () => {
    const set = await readingStage()
    const compacted = changed(numbered(0, 2), (bytes) => bytes.writeInt32BE(4, LAST_OFFSET_DELTA))
    set.cluster.append('orders', 0, compacted, numbered(5, 6))
    set.cluster.at('orders').compactedBelow = 5
    expect(await set.done(take(set.consumer(), 3))).toEqual(['0', '1', '5'])
  })

  test('one that is longer than the answer stops the reader whatever the policy, and is asked for again', async () => {
    const set = await readingStage()
    const whole = numbered(2, 4)
    const forged = Buffer.from(whole)
    forged.writeInt32BE(whole.readInt32BE(LENGTH) + 40, LENGTH)
    set.cluster.append('orders', 0, numbered(0, 2))
    const reader = set.consumer({ onError: 'skip' })
    expect(await set.done(take(reader, 2))).toEqual(['0', '1'])
    set.cluster.append('orders', 0, forged)
    const wanted = { ...ORDERS, name: 'CORRUPT_MESSAGE', offset: 2 }
    await expect(set.done(take(reader, 2))).rejects.toMatchObject(wanted)
    set.cluster.at('orders').batches[1] = whole
    expect(await set.done(take(reader, 2))).toEqual(['2', '3'])
  })

  test('batches that end below the offset asked for stop the reader: it would ask for ever', async () => {
    const set = await readingStage()
    set.cluster.append('orders', 0, numbered(0, 2), numbered(2, 4))
    const reader = set.consumer()
    expect(await set.done(take(reader, 4))).toEqual(numbers(0, 4))
    // What is asked for from 4 on is answered with 0 to 2, said to end at 5.
    set.cluster.append('orders', 0, numbered(4, 6))
    const forged = numbered(1, 3)
    set.twin.answerWith = [forged]
    await expect(set.done(take(reader, 5))).rejects.toMatchObject({
      ...ORDERS,
      name: 'CORRUPT_MESSAGE',
      offset: 4,
    })
  })
})

describe('records that are left out', () => {
  test('a gap is named with what is missing, and what is behind it is not lost', async () => {
    const set = await readingStage()
    set.cluster.append('orders', 0, numbered(0, 2), numbered(5, 7))
    const details = { fromOffset: 2, nextOffset: 5 }
    await stops(set, { name: 'CORRUPT_MESSAGE', offset: 2, details })
    expect(await skipping(set, 4)).toEqual(['0', '1', '5', '6'])
  })

  test('a gap at the offset asked for', async () => {
    const set = await readingStage()
    set.cluster.append('orders', 0, numbered(3, 5))
    await stops(set, { offset: 0, details: { fromOffset: 0, nextOffset: 3 } })
    expect(await skipping(set, 2)).toEqual(['3', '4'])
  })

  test('a gap before a marker is told once', async () => {
    const set = await readingStage()
    const marker = markerOf('commit', { baseOffset: 4, producerId: 7 })
    set.cluster.append('orders', 0, numbered(0, 2), marker, numbered(5, 6))
    const places: unknown[] = []
    const reader = set.consumer({
      onError: (_, { offset }) => {
        places.push(offset)
        return 'skip'
      },
    })
    expect(await set.done(take(reader, 3))).toEqual(['0', '1', '5'])
    expect(places).toEqual([2])
  })

  test('where the log is compacted gaps are no loss', async () => {
    const set = await readingStage()
    set.cluster.append('orders', 0, numbered(2, 4), numbered(7, 9), numbered(12, 13))
    set.cluster.at('orders').compactedBelow = 9
    await stops(set, { offset: 9, details: { fromOffset: 9, nextOffset: 12 } })
    set.cluster.at('orders').compactedBelow = 12
    expect(await set.done(take(set.consumer(), 5))).toEqual(['2', '3', '7', '8', '12'])
  })
})

describe('offsets that the broker cannot read', () => {
  async function damagedStage() {
    const set = await readingStage()
    set.cluster.append('orders', 0, numbered(0, 2), numbered(2, 5), numbered(5, 7))
    set.cluster.at('orders').damage = { fromOffset: 2, nextOffset: 5 }
    return set
  }

  test('by default reading stops behind the last good record, and the error says all there is to say', async () => {
    const set = await damagedStage()
    const reader = set.consumer()
    const seen: string[] = []
    const reading = (async () => {
      for await (const { value } of reader) seen.push(String(value))
    })()
    await expect(set.done(reading)).rejects.toMatchObject({
      name: 'KAFKA_STORAGE_ERROR',
      ...ORDERS,
      offset: 2,
      details: { fromOffset: 2, nextOffset: 5 },
      message: expect.stringMatching(/^orders-0 offset 2: the file 0.log is damaged.*seek to 5/),
    })
    expect(seen).toEqual(['0', '1'])
    // Asked again it says so again; once it is repaired, it goes on.
    await expect(set.done(take(reader, 1))).rejects.toMatchObject({ offset: 2 })
    delete set.cluster.at('orders').damage
    expect(await set.done(take(reader, 5))).toEqual(numbers(2, 7))
  })

  test('what is told to skip goes on behind them, in every mode', async () => {
    const set = await damagedStage()
    expect(await skipping(set, 4)).toEqual(['0', '1', '5', '6'])
    const handled: string[] = []
    const running = set.consumer({ onError: 'skip' })
    await set.done(
      running.run(({ value }) => {
        handled.push(String(value))
        if (handled.length === 4) running.stop()
      }),
    )
    expect(handled).toEqual(['0', '1', '5', '6'])
    const polling = set.consumer({ onError: 'skip' })
    const polled: string[] = []
    while (polled.length < 4) {
      for (const { value } of await set.done(polling.poll())) polled.push(String(value))
    }
    expect(polled).toEqual(['0', '1', '5', '6'])
  })

  test('a policy that tries again ends in what it says then', async () => {
    const set = await damagedStage()
    const patient = set.consumer({ onError: { retries: 3, then: 'skip' } })
    expect(await set.done(take(patient, 3))).toEqual(['0', '1', '5'])
    const asked: unknown[] = []
    const asking = set.consumer({
      onError(error, { offset }, attempt) {
        asked.push([error.name, offset, attempt])
        return 'stop'
      },
    })
    await expect(set.done(take(asking, 3))).rejects.toMatchObject({ offset: 2 })
    expect(asked).toEqual([['KAFKA_STORAGE_ERROR', 2, 1]])
  })

  test('who begins in the middle of them is told of the rest', async () => {
    const set = await damagedStage()
    const reader = set.consumer({ onError: 'skip' })
    await set.done(reader.seek(ORDERS, 3))
    expect(await set.done(take(reader, 2))).toEqual(['5', '6'])
    const strict = set.consumer()
    await set.done(strict.seek(ORDERS, 3))
    await expect(set.done(take(strict, 2))).rejects.toMatchObject({
      offset: 3,
      details: { fromOffset: 3, nextOffset: 5 },
    })
  })

  test('at the end of the log: what is written later comes', async () => {
    const set = await readingStage()
    set.cluster.append('orders', 0, numbered(0, 2), numbered(2, 5))
    set.cluster.at('orders').damage = { fromOffset: 2, nextOffset: 5 }
    const reading = take(set.consumer({ onError: 'skip' }), 3)
    await set.pass(1000)
    set.cluster.append('orders', 0, numbered(5, 6))
    expect(await set.done(reading)).toEqual(['0', '1', '5'])
  })

  test('a partition that cannot be read holds up no other', async () => {
    const set = await damagedStage()
    set.cluster.addPartition('orders')
    set.cluster.append('orders', 1, numbered(0, 3))
    const reader = set.consumer({ onError: { retries: 1000, then: 'stop' } })
    const seen = await set.done(take(reader, 5))
    expect([...seen].sort()).toEqual(['0', '0', '1', '1', '2'])
  })

  test('a range that does not hold the offset asked for is not believed', async () => {
    const set = await damagedStage()
    const damage = { fromOffset: 2, nextOffset: 5, says: { fromOffset: 4, nextOffset: 7 } }
    set.cluster.at('orders').damage = damage
    const reader = set.consumer({ onError: 'skip' })
    const errors: unknown[] = []
    reader.on('error', (error) => errors.push(error))
    const reading = take(reader, 7)
    await set.pass(20_000)
    expect(errors).toMatchObject([{ name: 'KAFKA_STORAGE_ERROR', ...ORDERS }])
    delete set.cluster.at('orders').damage
    expect(await set.done(reading)).toEqual(numbers(0, 7))
  })

  test('a storage error without a range is told once, and tried again', async () => {
    const set = await readingStage()
    for (let count = 0; count < 5; count++)
      set.cluster.at('orders').script.push('KAFKA_STORAGE_ERROR')
    set.cluster.append('orders', 0, numbered(0, 1))
    const reader = set.consumer()
    const errors: unknown[] = []
    reader.on('error', (error) => errors.push(error))
    expect(await set.done(take(reader, 1))).toEqual(['0'])
    expect(errors).toMatchObject([{ name: 'KAFKA_STORAGE_ERROR', ...ORDERS }])
  })
})
