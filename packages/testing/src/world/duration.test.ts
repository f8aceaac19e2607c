import { expect, test } from 'vitest'
import { type Duration, durationMs } from './duration.ts'

test('a duration is a number of milliseconds or a number with its unit', () => {
  const given: Duration[] = [250, '250ms', '10s', '1.5m', '2h', '7d']
  expect(given.map(durationMs)).toEqual([250, 250, 10_000, 90_000, 7_200_000, 604_800_000])
})

test('what is no duration is refused with an example', () => {
  for (const given of ['10', 's', '1 s', '1w', -1, Number.NaN]) {
    expect(() => durationMs(given as Duration)).toThrow(/is no duration: milliseconds, or like/)
  }
})
