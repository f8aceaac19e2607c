import { expect, test } from 'vitest'
import { FramePool } from './frame-pool.ts'

const KIB = 1024

function poolOf(idleKiB = 1024) {
  return new FramePool(idleKiB * KIB, { buggify: () => false })
}

test('memory is used again when all who held it have let it go, not before', () => {
  const pool = poolOf()
  const first = pool.take(100 * KIB)
  pool.hold(first.buffer)
  pool.letGo(first.buffer)
  expect(pool.take(100 * KIB).buffer).not.toBe(first.buffer)
  pool.letGo(first.buffer)
  const second = pool.take(101 * KIB)
  expect(second.buffer).toBe(first.buffer)
  expect(second).toHaveLength(101 * KIB)
  expect(pool.idleBytes).toBe(0)
})

test('who lets go once too often takes nothing from those who have it now', () => {
  const pool = poolOf()
  const first = pool.take(100 * KIB)
  pool.letGo(first.buffer)
  pool.letGo(first.buffer)
  expect(pool.idleBytes).toBe(first.buffer.byteLength)
  expect(pool.take(100 * KIB).buffer).toBe(first.buffer)
  expect(pool.take(100 * KIB).buffer).not.toBe(first.buffer)
})

test('what was given away is never used again', () => {
  const pool = poolOf()
  const { buffer } = pool.take(100 * KIB)
  pool.giveAway(buffer)
  pool.letGo(buffer)
  pool.hold(buffer)
  pool.letGo(buffer)
  expect(pool.idleBytes).toBe(0)
})

test('memory from elsewhere, and that of small frames, is left alone', () => {
  const pool = poolOf()
  for (const memory of [new ArrayBuffer(100 * KIB), pool.take(KIB).buffer]) {
    pool.hold(memory)
    pool.letGo(memory)
    pool.letGo(memory)
  }
  expect(pool.idleBytes).toBe(0)
})

test('memory much larger than needed waits for a larger frame', () => {
  const pool = poolOf()
  const { buffer } = pool.take(200 * KIB)
  pool.letGo(buffer)
  expect(pool.take(100 * KIB).buffer).not.toBe(buffer)
  expect(pool.take(190 * KIB).buffer).toBe(buffer)
})

test('no more waits than was agreed: the oldest goes first, and what is very large is not kept', () => {
  const pool = poolOf(1024)
  const taken = Array.from({ length: 5 }, () => pool.take(256 * KIB))
  for (const { buffer } of taken) pool.letGo(buffer)
  expect(pool.idleBytes).toBe(1024 * KIB)
  pool.letGo(pool.take(512 * KIB).buffer)
  expect(pool.idleBytes).toBe(1024 * KIB)
  pool.setIdleBytesMax(512 * KIB)
  expect(pool.idleBytes).toBe(512 * KIB)
  const again = [pool.take(256 * KIB), pool.take(256 * KIB), pool.take(256 * KIB)]
  expect(again[0]?.buffer).toBe(taken[4]?.buffer)
  expect(again[1]?.buffer).toBe(taken[3]?.buffer)
  expect(taken.map(({ buffer }) => buffer)).not.toContain(again[2]?.buffer)
})

test('in the simulated world memory that was let go holds garbage', () => {
  const pool = new FramePool(1024 * KIB, { buggify: () => true })
  const frame = pool.take(100 * KIB)
  frame.fill(1)
  pool.letGo(frame.buffer)
  expect(frame.every((byte) => byte === 0xdb)).toBe(true)
})
