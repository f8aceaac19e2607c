import { expect, test } from 'vitest'
import { BadRanges } from './bad-ranges.ts'

test('reading stops where the next range begins; bytes that hold no offset keep nobody out', () => {
  const bad = new BadRanges([{ fromOffset: 20, nextOffset: 25 }])
  const garbage = {
    segmentBase: 0,
    fromOffset: 10,
    nextOffset: 10,
    position: 900,
    endPosition: 980,
  }
  bad.mark({ ...garbage, reason: 'no batch begins here' })
  expect(bad.at(10)).toBeUndefined()
  expect([bad.nextFrom(5), bad.nextFrom(10), bad.nextFrom(21)]).toEqual([
    20,
    20,
    Number.POSITIVE_INFINITY,
  ])
})
