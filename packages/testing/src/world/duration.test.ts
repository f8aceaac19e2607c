import { expect, test } from 'vitest'
import { type Duration, durationMs, type SignedDuration, signedMs } from './duration.ts'

test('a duration is a number of milliseconds or a number with its unit', () => {
  const given: Duration[] = [250, '250ms', '10s', '1.5m', '2h', '7d']
  expect(given.map(durationMs)).toEqual([250, 250, 10_000, 90_000, 7_200_000, 604_800_000])
})

test('what is no duration is refused with an example', () => {
  for (const given of ['10', 's', '1 s', '1w', -1, Number.NaN]) {
    expect(() => durationMs(given as Duration)).toThrow(/is no duration: milliseconds, or like/)
  }
})

test('a signed duration may go back', () => {
  const given: SignedDuration[] = [-250, '-1h', '1h', 0]
  expect(given.map(signedMs)).toEqual([-250, -3_600_000, 3_600_000, 0])
  expect(() => signedMs('--1h' as SignedDuration)).toThrow(/is no duration/)
})
