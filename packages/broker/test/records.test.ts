// Records in, durable, out again in order: the main job over a real socket and a real disk.

import type { Client } from '@minikafka/client'
import { expect, test } from 'vitest'
import { runBroker } from './running-broker.ts'

/** Everything in a topic, by partition, in offset order. */
async function readAll(client: Client, topic: string): Promise<Map<number, string[]>> {
  const ends = await client.admin().offsets(topic, 'latest')
  const starts = await client.admin().offsets(topic, 'earliest')
  const byPartition = new Map(ends.map(({ partition }) => [partition, [] as string[]]))
  let left = ends.reduce((sum, { offset }, index) => sum + offset - (starts[index]?.offset ?? 0), 0)
  if (left === 0) return byPartition
  await using consumer = client.consumer({ topics: [topic], start: 'earliest' })
  for await (const { partition, value } of consumer) {
    byPartition.get(partition)?.push(String(value))
    if (--left === 0) break
  }
  return byPartition
}

test('a, b, c, d without key over two partitions alternate', async () => {
  await using running = await runBroker()
  const client = running.client()
  await client.admin().createTopic('letters', { partitions: 2 })
  const producer = client.producer()
  for (const value of ['a', 'b', 'c', 'd']) await producer.send('letters', { value })
  const both = [...(await readAll(client, 'letters')).values()].sort()
  expect(both).toEqual([
    ['a', 'c'],
    ['b', 'd'],
  ])
})

test('equal keys share a partition and keep their order', async () => {
  await using running = await runBroker()
  const client = running.client()
  await client.admin().createTopic('orders', { partitions: 5 })
  const producer = client.producer()
  const sent = Array.from({ length: 300 }, (_, index) => ({
    key: `k${index % 7}`,
    value: `k${index % 7}:${index}`,
  }))
  const answers = await Promise.all(sent.map((record) => producer.send('orders', record)))
  const partitionOf = new Map<string, number>()
  for (const [index, { partition }] of answers.entries()) {
    const key = sent[index]?.key ?? ''
    expect(partitionOf.get(key) ?? partition).toBe(partition)
    partitionOf.set(key, partition)
  }
  const all = [...(await readAll(client, 'orders')).values()].flat()
  expect(all).toHaveLength(300)
  for (const key of partitionOf.keys()) {
    const mine = all
      .filter((value) => value.startsWith(`${key}:`))
      .map((value) => Number(value.split(':')[1]))
    expect(mine).toEqual([...mine].sort((a, b) => a - b))
  }
})

test('two independent readers each see everything', async () => {
  await using running = await runBroker()
  const client = running.client()
  await client.admin().createTopic('news', { partitions: 3 })
  await client.producer().sendMany(
    'news',
    Array.from({ length: 50 }, (_, index) => ({ value: String(index) })),
  )
  const [one, two] = await Promise.all([
    readAll(running.client(), 'news'),
    readAll(running.client(), 'news'),
  ])
  expect([...one.values()].flat()).toHaveLength(50)
  expect(one).toEqual(two)
})

test('data is there after a restart, offsets go on, the clean stop scans nothing', async () => {
  await using running = await runBroker()
  const client = running.client()
  await client.admin().createTopic('kept', { partitions: 2 })
  const producer = client.producer()
  await producer.sendMany(
    'kept',
    Array.from({ length: 20 }, (_, index) => ({ value: String(index), key: null })),
  )
  const before = await readAll(client, 'kept')
  await running.restart()
  expect(running.broker.wasClean).toBe(true)
  expect(await readAll(running.client(), 'kept')).toEqual(before)
  const { offset } = await producer.send('kept', { value: 'after', partition: 0 })
  expect(offset).toBe(before.get(0)?.length)
})

test('a restart in the middle of producing and consuming is survived: nothing lost, nothing twice, no error', async () => {
  await using running = await runBroker()
  const client = running.client({ retry: { minMs: 10, maxMs: 50 } })
  await client.admin().createTopic('busy', { partitions: 3 })
  const producer = client.producer()
  const total = 3_000
  const seen: string[] = []
  const reading = (async () => {
    await using consumer = client.consumer({ topics: ['busy'], start: 'earliest' })
    for await (const { value } of consumer) {
      seen.push(String(value))
      if (seen.length === total) break
    }
  })()
  const sending: Promise<unknown>[] = []
  for (let index = 0; index < total; index++) {
    sending.push(producer.send('busy', { value: String(index), key: `k${index % 10}` }))
    if (index % 100 === 0) await new Promise(setImmediate)
    if (index === 1_000 || index === 2_000) await running.restart()
  }
  await Promise.all(sending)
  await reading
  expect(new Set(seen).size).toBe(total)
  expect(seen).toHaveLength(total)
})

test('an acknowledgement carries offset and partition; timestamps come back as they were sent', async () => {
  await using running = await runBroker()
  const client = running.client()
  await client.admin().createTopic('stamped')
  const sent = await client
    .producer()
    .send('stamped', { value: 'x', timestamp: 1_000_000, headers: { a: '1', b: null } })
  expect(sent).toMatchObject({ topic: 'stamped', partition: 0, offset: 0, timestamp: 1_000_000 })
  await using consumer = client.consumer({ topics: ['stamped'], start: 'earliest' })
  for await (const record of consumer) {
    expect(record.timestamp).toBe(1_000_000)
    expect([record.headers.get('a')?.toString(), record.headers.get('b')]).toEqual(['1', null])
    break
  }
})
