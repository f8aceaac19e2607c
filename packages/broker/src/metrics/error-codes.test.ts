// Which errors of an answer are counted.
import { expect, test } from 'vitest'
import { eachErrorCode } from './error-codes.ts'

function codesOf(answer: unknown): number[] {
  const codes: number[] = []
  eachErrorCode(answer, (code) => codes.push(code))
  return codes
}

test('each item that has one counts, however deep it lies, and 0 is none', () => {
  const topics = [
    { errorCode: 3, partitions: [] },
    { errorCode: 0, partitions: [{ errorCode: 6 }, { errorCode: 0 }, { errorCode: 6 }] },
  ]
  expect(codesOf({ errorCode: 0, topics })).toEqual([3, 6, 6])
  expect(codesOf({ errorCode: 29 })).toEqual([29])
})

test('no answer, lists of numbers and bytes have none', () => {
  expect(codesOf(undefined)).toEqual([])
  expect(codesOf({ ids: [1, 2], records: [Buffer.from([1])], name: 'x' })).toEqual([])
})
