import { expect, test } from 'vitest'
import { isBeyond, slopeOf } from './slope.ts'

const MINUTE_MS = 60_000

/** A value a minute. */
function points(valueAt: (minute: number) => number) {
  return Array.from({ length: 60 }, (_, minute) => ({
    atMs: minute * MINUTE_MS,
    value: valueAt(minute),
  }))
}

test('a steady growth is found, whatever it begins at', () => {
  const slope = slopeOf(points((minute) => 100 + 2 * minute))
  expect(slope.perHour).toBeCloseTo(120)
  expect(slope.errorPerHour).toBeCloseTo(0)
  expect([isBeyond(slope, 119), isBeyond(slope, 121)]).toEqual([true, false])
})

test('what swings without a trend is not beyond a small bound, although its slope may be', () => {
  const slope = slopeOf(points((minute) => 100 + 30 * Math.sin(minute * minute)))
  expect(slope.errorPerHour).toBeGreaterThan(5)
  expect(isBeyond(slope, 1)).toBe(false)
})

test('a leak is found below the swings', () => {
  const slope = slopeOf(points((minute) => minute + 5 * Math.sin(minute * minute)))
  expect(isBeyond(slope, 40)).toBe(true)
})

test('what was not measured is beyond every bound', () => {
  expect(isBeyond(slopeOf([]), 1_000)).toBe(true)
})
