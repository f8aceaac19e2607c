import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { type Change, History } from './history.ts'

const REVISIONS_MAX = 10_000
const CHANGES_MAX = 100_000
const MEBIBYTE = 1024 ** 2

test('revisions of many changes are bounded by their changes: what is forgotten takes no memory', () => {
  const change: Change = { key: '/topics/orders', before: undefined, after: undefined }
  const history = new History(0, REVISIONS_MAX)
  const before = heapBytes()
  // Far fewer than REVISIONS_MAX, and 16 MiB of them.
  for (let at = 0; at < 2_000; at++) history.trim(history.add(Array(1_000).fill(change)))
  const grown = heapBytes() - before
  expect(history.last - history.compacted).toBe(CHANGES_MAX / 1_000)
  expect(grown).toBeLessThan(4 * MEBIBYTE)
})

test('what is kept is found after much was forgotten', () => {
  const history = new History(0, 10)
  for (let rev = 1; rev <= 100; rev++) {
    history.add([{ key: `key ${rev}`, before: undefined, after: undefined }])
    history.trim(rev)
    expect(history.compacted).toBe(Math.max(0, rev - 10))
    expect(history.get(history.compacted + 1).changes[0]?.key).toBe(`key ${history.compacted + 1}`)
    expect(history.get(rev).changes[0]?.key).toBe(`key ${rev}`)
  }
})

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}
