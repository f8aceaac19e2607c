// Which errors of an answer are counted.
import { apis } from '@minikafka/protocol'
import { expect, test } from 'vitest'
import { eachErrorCode, errorPlaces } from './error-places.ts'

function codesOf(api: keyof typeof apis, answer: object): number[] {
  const codes: number[] = []
  const places = errorPlaces(apis[api].response.fields)
  if (places !== undefined) eachErrorCode(answer, places, { failed: (code) => codes.push(code) })
  return codes
}

test('each item that has one counts, however deep it lies, and 0 is none', () => {
  const topics = [
    { errorCode: 3, partitions: [] },
    { errorCode: 0, partitions: [{ errorCode: 6 }, { errorCode: 0 }, { errorCode: 6 }] },
  ]
  expect(codesOf('metadata', { brokers: [], topics })).toEqual([3, 6, 6])
  expect(codesOf('leaveGroup', { results: [{ errorCode: 25 }] })).toEqual([25])
})

test('bytes, numbers and names are not looked at', () => {
  const results = [{ errorCode: 1, records: [Buffer.from([1])], aborted: null }]
  expect(codesOf('fetch', { results })).toEqual([1])
  expect(errorPlaces(apis.apiVersions.response.fields)).toBeUndefined()
})
