import { expect, test } from 'vitest'
import { BufferPool } from './buffer-pool.ts'

const KIB = 1024

test('a buffer is of the smallest class that holds the size', () => {
  const pool = new BufferPool(1024 * KIB, 4096 * KIB)
  const sizes = [1, 16 * KIB, 16 * KIB + 1, 40 * KIB, 64 * KIB, 700 * KIB, 1024 * KIB]
  expect(sizes.map((size) => pool.take(size).length / KIB)).toEqual([
    16, 16, 32, 64, 64, 1024, 1024,
  ])
})

test('a buffer that came back is handed out again', () => {
  const pool = new BufferPool(1024 * KIB, 4096 * KIB)
  const buffer = pool.take(20 * KIB)
  pool.give(buffer)
  expect(pool.pooledBytes).toBe(32 * KIB)
  expect(pool.take(32 * KIB)).toBe(buffer)
  expect(pool.pooledBytes).toBe(0)
})

test('no buffer comes back twice', () => {
  const pool = new BufferPool(1024 * KIB, 4096 * KIB)
  const buffer = pool.take(1)
  pool.give(buffer)
  expect(() => pool.give(buffer)).toThrow('a buffer comes back once')
})

test('above the largest class a buffer is made to measure and not kept', () => {
  const pool = new BufferPool(64 * KIB, 4096 * KIB)
  const buffer = pool.take(64 * KIB + 7)
  expect(buffer.length).toBe(64 * KIB + 7)
  pool.give(buffer)
  expect(pool.pooledBytes).toBe(0)
})

test('no more is kept than allowed', () => {
  const pool = new BufferPool(1024 * KIB, 48 * KIB)
  const buffers = [1, 2, 3, 4].map((size) => pool.take(size))
  for (const buffer of buffers) pool.give(buffer)
  expect(pool.pooledBytes).toBe(48 * KIB)
})
