import { createWorld, type World } from '@minikafka/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withChecksum } from '../log/index.ts'
import { loadProducerSnapshot, saveProducerSnapshot } from './producer-snapshot.ts'

const DIRECTORY = '/orders-0'
const WHO = { topicId: '0b5e7a0e-54c8-4d5a-9d0f-3c1d5e8a7b11', partition: 0 }
const MARK = {
  firstSequence: 0,
  lastSequence: 4,
  firstOffset: 10,
  lastOffset: 14,
  appendTimeMs: -1,
}
const SNAPSHOT = {
  ...WHO,
  endOffset: 15,
  appendTimeMs: -1,
  producers: [{ producerId: 7, epoch: 1, isWhole: true, batches: [MARK], idleMs: 12 }],
}

/** The first line of it. */
const FIRST = { formatVersion: 1, ...WHO, endOffset: 15, appendTimeMs: -1 }

let world: World
beforeEach(() => {
  world = createWorld({ seed: 1 })
})
afterEach(() => world.close())

/** What is made of a file with these lines, under a checksum that fits. */
async function loaded(lines: readonly unknown[]) {
  const env = world.env('broker')
  const text = lines.map((line) => JSON.stringify(line)).join('\n')
  const work = async () => {
    await env.disk.makeDirectory(DIRECTORY)
    await env.disk.replaceFile(`${DIRECTORY}/producer-snapshot`, withChecksum(text))
    return await loadProducerSnapshot(env, DIRECTORY, WHO)
  }
  return await world.complete(work())
}

test('what was saved is loaded', async () => {
  const env = world.env('broker')
  const work = async () => {
    await env.disk.makeDirectory(DIRECTORY)
    const size = await saveProducerSnapshot(env, DIRECTORY, SNAPSHOT)
    expect(size).toBe((await env.disk.stat(`${DIRECTORY}/producer-snapshot`))?.size)
    return await loadProducerSnapshot(env, DIRECTORY, WHO)
  }
  expect(await world.complete(work())).toEqual(SNAPSHOT)
})

test('many producers are saved and loaded over many turns, in which others are served', async () => {
  const env = world.env('broker')
  const producers = Array.from({ length: 10_000 }, (_, id) => ({
    ...(SNAPSHOT.producers[0] as (typeof SNAPSHOT.producers)[0]),
    producerId: id,
  }))
  let turns = 0
  const clock = {
    soon(callback: () => void) {
      turns++
      env.clock.soon(callback)
    },
  }
  const work = async () => {
    await env.disk.makeDirectory(DIRECTORY)
    await saveProducerSnapshot({ ...env, clock }, DIRECTORY, { ...SNAPSHOT, producers })
    const saving = turns
    const loaded = await loadProducerSnapshot({ ...env, clock }, DIRECTORY, WHO)
    return { saving, loading: turns - saving, loaded }
  }
  const { saving, loading, loaded } = await world.complete(work())
  expect(loaded).toEqual({ ...SNAPSHOT, producers })
  expect(saving).toBeGreaterThan(20)
  expect(loading).toBeGreaterThan(2)
})

test.each<[string, readonly unknown[]]>([
  ['no line', []],
  ['a first line that is no object', [7]],
  ['of another version', [{ ...FIRST, formatVersion: 2 }]],
  ['an end that is no offset', [{ ...FIRST, endOffset: 1.5 }]],
  ['of another partition', [{ ...FIRST, partition: 1 }]],
  ['a producer that is no list', [FIRST, 7]],
  ['a producer without batches', [FIRST, [7, 1, 1]]],
  ['a batch with a field too few', [FIRST, [7, 1, 1, [[0, 4, 10, 14]], 0]]],
  ['a batch with a text', [FIRST, [7, 1, 1, [[0, 4, 10, '14', -1]], 0]]],
  ['an age that is none', [FIRST, [7, 1, 1, [], 'old']]],
])('%s: nothing in it is believed, whatever the checksum says', async (_, lines) => {
  expect(await loaded(lines)).toBe('damaged')
})

test('the first line alone is that of no producers', async () => {
  expect(await loaded([FIRST])).toEqual({ ...SNAPSHOT, producers: [] })
})
