import { createWorld, type World } from '@minikafka/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Partition } from './partition/index.ts'
import { Suspicions } from './suspicions.ts'

let world: World

beforeEach(() => {
  world = createWorld({ seed: 1, clock: 'held' })
})

afterEach(() => world.close())

/** A partition that takes so long to look, and what was looked at. */
function looked(delay: () => Promise<void> = async () => {}) {
  const offsets: number[] = []
  const examine = (offset: number) => {
    offsets.push(offset)
    return delay()
  }
  return { offsets, partition: { examine } as unknown as Partition }
}

const connection = () => new AbortController().signal

test('one connection is heard once a second, whatever it says', async () => {
  const suspicions = new Suspicions(world.env('broker').clock)
  const { offsets, partition } = looked()
  const liar = connection()
  for (let tenth = 0; tenth < 100; tenth++) {
    await suspicions.look(partition, tenth, liar)
    await world.clock.advance('100ms')
  }
  expect(offsets).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90])
})

test('a thousand connections are heard ten times a second, one after the other', async () => {
  const suspicions = new Suspicions(world.env('broker').clock)
  let open = () => {}
  const { offsets, partition } = looked(() => new Promise((resolve) => (open = resolve)))
  const first = suspicions.look(partition, 0, connection())
  // While one is looked at the others are not kept waiting.
  for (let count = 1; count < 1000; count++) await suspicions.look(partition, count, connection())
  open()
  await first
  await suspicions.look(partition, 1000, connection())
  expect(offsets).toEqual([0])
  await world.clock.advance('100ms')
  void suspicions.look(partition, 1001, connection())
  expect(offsets).toEqual([0, 1001])
})
