import { expect, test } from 'vitest'
import { SyncQueue, syncsAtOnce } from './sync-queue.ts'

/** Syncs that end when the test says so. */
function slowSyncs() {
  const ends: ((error: Error | null) => void)[] = []
  const begun: string[] = []
  return {
    begun,
    sync: (name: string) => (done: (error: Error | null) => void) => {
      begun.push(name)
      ends.push(done)
    },
    endFirst: (error: Error | null = null) => ends.shift()?.(error),
  }
}

test('syncs above the cap wait, and begin in the order they were asked for', async () => {
  const { begun, sync, endFirst } = slowSyncs()
  const queue = new SyncQueue(2)
  const all = ['a', 'b', 'c', 'd'].map((name) => queue.run(sync(name)))
  expect(begun).toEqual(['a', 'b'])
  endFirst()
  expect(begun).toEqual(['a', 'b', 'c'])
  endFirst()
  endFirst()
  expect(begun).toEqual(['a', 'b', 'c', 'd'])
  endFirst()
  await Promise.all(all)
})

test('a sync that fails rejects, and the next one begins all the same', async () => {
  const { begun, sync, endFirst } = slowSyncs()
  const queue = new SyncQueue(1)
  const failing = queue.run(sync('a'))
  const next = queue.run(sync('b'))
  endFirst(new Error('EIO'))
  await expect(failing).rejects.toThrow('EIO')
  expect(begun).toEqual(['a', 'b'])
  endFirst()
  await next
})

test('a sync that throws at once rejects, and gives its slot to the next one', async () => {
  const { begun, sync, endFirst } = slowSyncs()
  const queue = new SyncQueue(1)
  const first = queue.run(sync('a'))
  const throwing = queue.run(() => {
    throw new RangeError('no such descriptor')
  })
  const next = queue.run(sync('b'))
  endFirst()
  await first
  await expect(throwing).rejects.toThrow('no such descriptor')
  expect(begun).toEqual(['a', 'b'])
  endFirst()
  await next
})

test.each([
  [undefined, 3],
  ['1', 1],
  ['2', 1],
  ['4', 3],
  ['7', 3],
  ['16', 12],
  ['5000', 1020],
  ['many', 3],
])('a pool of %s leaves room for reads: %d syncs at once', (size, atOnce) => {
  expect(syncsAtOnce(size)).toBe(atOnce)
})
