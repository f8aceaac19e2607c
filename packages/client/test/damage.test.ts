// A bit rots on the broker's disk, and a consumer comes to it: by default it stops there and says so, told to skip it
// goes on behind; what it hands out is always what was written. The real broker, in a simulated world.
import { isMinikafkaError, type RecordMetadata } from '@minikafka/client'
import { TestBroker } from '@minikafka/testing'
import { expect, test } from 'vitest'

const RECORDS = 60
const seeds = Array.from({ length: 12 }, (_, index) => index + 1)

test.each(seeds)('one bit of one batch (seed %i)', async (seed) => {
  await using broker = await TestBroker.start({ seed, clock: 'jumping' })
  const client = broker.client()
  const config = { 'segment.bytes': 4096 }
  await client.admin().createTopic('orders', { partitions: 1, config })
  const written = new Map<number, string>()
  const producer = client.producer()
  for (let index = 0; index < RECORDS; index++) {
    const value = `${index}`.padEnd(200, '.')
    const { offset } = (await producer.send('orders', { value })) as RecordMetadata
    written.set(offset ?? -1, value)
  }
  // Nothing is served from memory afterwards.
  await broker.kill()
  await broker.restart()
  broker.disk().flipBit('orders', 0)

  const before = await readUntilError(client, written)
  expect(before.error).toMatchObject({ topic: 'orders', partition: 0, offset: before.count })
  expect(before.error?.name).toMatch(/^(KAFKA_STORAGE_ERROR|CORRUPT_MESSAGE)$/)
  const seen = await readSkipping(client, written, RECORDS - 1)
  expect(seen).not.toContain(before.count)
})

type Client = ReturnType<TestBroker['client']>

async function readUntilError(client: Client, written: ReadonlyMap<number, string>) {
  await using consumer = client.consumer({ topics: ['orders'], start: 'earliest' })
  let count = 0
  try {
    for await (const { offset, value } of consumer) {
      expect([offset, String(value)]).toEqual([count, written.get(count)])
      count++
    }
  } catch (error) {
    if (isMinikafkaError(error)) return { count, error }
    throw error
  }
  return { count, error: undefined }
}

/** The offsets of all that can be read: one batch of one record is lost. */
async function readSkipping(client: Client, written: ReadonlyMap<number, string>, count: number) {
  await using consumer = client.consumer({ topics: ['orders'], start: 'earliest', onError: 'skip' })
  const seen: number[] = []
  for await (const { offset, value } of consumer) {
    expect(String(value)).toBe(written.get(offset))
    seen.push(offset)
    if (seen.length === count) break
  }
  return seen
}
