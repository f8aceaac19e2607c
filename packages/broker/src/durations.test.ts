// Buckets as Prometheus wants them: each counts what its bound includes, and everything below.
import { expect, test } from 'vitest'
import { Durations } from './durations.ts'

test('a duration counts in each bucket whose bound it does not pass', () => {
  const durations = new Durations([0.001, 0.01, 0.1])
  for (const ms of [0, 1, 1.001, 10, 99, 100, 101, 60_000]) durations.add(ms)
  expect(durations.cumulative).toEqual([2, 4, 6])
  expect(durations.count).toBe(8)
  expect(durations.sumSeconds).toBeCloseTo(60.312_001, 9)
})

test('nothing has been added: all is 0', () => {
  const durations = new Durations([1])
  expect([durations.cumulative, durations.count, durations.sumSeconds]).toEqual([[0], 0, 0])
})
