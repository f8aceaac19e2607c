import { afterEach, beforeEach, expect, test } from 'vitest'
import { type TemporaryStore, temporaryStore } from './compliance/temporary-store.ts'
import type { EmbeddedStore } from './embedded/index.ts'
import { PRODUCER_ID_KEY } from './keys.ts'
import { PRODUCER_ID_BLOCK, ProducerIds } from './producer-ids.ts'

let world: TemporaryStore
let store: EmbeddedStore
beforeEach(async () => {
  world = await temporaryStore()
  store = await world.open()
})
afterEach(async () => {
  await store.close()
  await world.remove()
})

async function take(ids: ProducerIds, count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, () => ids.next()))
}

test('no producer id is given twice, by many brokers at once and over restarts', async () => {
  const brokers = [new ProducerIds(store), new ProducerIds(store), new ProducerIds(store)]
  const given = await Promise.all(brokers.map((ids) => take(ids, 1200)))
  await store.close()
  store = await world.open()
  given.push(await take(new ProducerIds(store), 10))
  const all = given.flat()
  expect(new Set(all).size).toBe(3610)
  expect(Math.max(...all)).toBeLessThan(7 * PRODUCER_ID_BLOCK)
})

test('a block costs one write, its ids none', async () => {
  const ids = new ProducerIds(store)
  await take(ids, PRODUCER_ID_BLOCK)
  expect((await store.range('')).rev).toBe(1)
  expect(await ids.next()).toBe(PRODUCER_ID_BLOCK)
  expect((await store.range('')).rev).toBe(2)
})

test('a field of a later version stays in the key', async () => {
  await store.txn([], [{ op: 'put', key: PRODUCER_ID_KEY, value: '{"v":1,"next":5000,"x":1}' }], [])
  expect(await new ProducerIds(store).next()).toBe(5000)
  expect((await store.range(PRODUCER_ID_KEY)).kvs[0]?.value).toBe('{"v":1,"next":6000,"x":1}')
})

test('without a store, or with a key that cannot be read, there are none right now', async () => {
  await store.txn([], [{ op: 'put', key: PRODUCER_ID_KEY, value: 'broken' }], [])
  const unavailable = { name: 'COORDINATOR_NOT_AVAILABLE', retriable: true }
  await expect(new ProducerIds(store).next()).rejects.toMatchObject(unavailable)
  await store.close()
  await expect(new ProducerIds(store).next()).rejects.toMatchObject(unavailable)
})
