import { expect, test } from 'vitest'
import { parseDuration } from './duration.ts'

test.each([
  ['250ms', 250],
  ['1.5s', 1500],
  ['15m', 900_000],
  ['4h', 14_400_000],
  ['7d', 604_800_000],
  ['2w', 1_209_600_000],
])('duration %s', (text, ms) => expect(parseDuration(text)).toBe(ms))

test.each(['', '5', '-5s', '1y', 's', '5 s', '1h30m'])('%j is no duration', (text) =>
  expect(() => parseDuration(text)).toThrow(/expected a duration/),
)
