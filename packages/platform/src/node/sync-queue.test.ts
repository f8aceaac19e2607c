import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SyncQueue, syncsAtOnce } from './sync-queue.ts'

test('all syncs are done, in the order they were asked for where only one runs at a time', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'minikafka-sync-'))
  const descriptor = openSync(join(directory, 'file'), 'w')
  const queue = new SyncQueue(1)
  const done: number[] = []
  await Promise.all(
    [1, 2, 3].map(async (number) => {
      await queue.sync(descriptor)
      done.push(number)
    }),
  )
  expect(done).toEqual([1, 2, 3])
  closeSync(descriptor)
  await expect(queue.sync(descriptor)).rejects.toMatchObject({ code: 'EBADF' })
  rmSync(directory, { recursive: true })
})

test.each([
  [undefined, 3],
  ['4', 3],
  ['16', 12],
  ['many', 3],
])('a pool of %s leaves room for reads: %d syncs at once', (size, atOnce) => {
  expect(syncsAtOnce(size)).toBe(atOnce)
})
