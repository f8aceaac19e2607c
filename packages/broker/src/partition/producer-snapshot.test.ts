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

let world: World
beforeEach(() => {
  world = createWorld({ seed: 1 })
})
afterEach(() => world.close())

/** What is made of a file that says so, under a checksum that fits. */
async function loaded(text: string) {
  const { disk } = world.env('broker')
  const work = async () => {
    await disk.makeDirectory(DIRECTORY)
    await disk.replaceFile(`${DIRECTORY}/producer-snapshot`, withChecksum(text))
    return await loadProducerSnapshot(disk, DIRECTORY, WHO)
  }
  return await world.complete(work())
}

test('what was saved is loaded', async () => {
  const { disk } = world.env('broker')
  const work = async () => {
    await disk.makeDirectory(DIRECTORY)
    await saveProducerSnapshot(disk, DIRECTORY, SNAPSHOT)
    return await loadProducerSnapshot(disk, DIRECTORY, WHO)
  }
  expect(await world.complete(work())).toEqual(SNAPSHOT)
})

test.each([
  ['no producers', {}],
  ['producers that are no list', { producers: { length: 1 } }],
  ['a producer that is no list', { producers: [7] }],
  ['a producer without batches', { producers: [[7, 1, 1]] }],
  ['a batch with a field too few', { producers: [[7, 1, 1, [[0, 4, 10, 14]], 0]] }],
  ['a batch with a text', { producers: [[7, 1, 1, [[0, 4, 10, '14', -1]], 0]] }],
  ['an age that is none', { producers: [[7, 1, 1, [], 'old']] }],
  ['an end that is no offset', { producers: [], endOffset: 1.5 }],
])('%s: nothing in it is believed, whatever the checksum says', async (_, change) => {
  const text = JSON.stringify({ ...WHO, endOffset: 15, appendTimeMs: -1, ...change })
  expect(await loaded(text)).toBe('damaged')
})

test('one of another partition is not believed', async () => {
  const text = JSON.stringify({
    ...WHO,
    partition: 1,
    endOffset: 0,
    appendTimeMs: -1,
    producers: [],
  })
  expect(await loaded(text)).toBe('damaged')
})
