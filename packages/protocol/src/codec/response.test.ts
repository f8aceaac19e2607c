import { decode, encode } from '@msgpack/msgpack'
import { describe, expect, test } from 'vitest'
import { MinikafkaError } from '../errors.ts'
import {
  decodeError,
  decodeResponse,
  encodeError,
  encodeResponse,
  responseCorrelationId,
} from './index.ts'

function joined(buffers: readonly Uint8Array[]): Buffer {
  return Buffer.concat(buffers).subarray(4)
}

describe('an error frame', () => {
  test('carries message, path, and the details of its row in order', () => {
    const error = new MinikafkaError('INVALID_TIMESTAMP', {
      message: 'too old',
      path: '/a/0',
      details: { max: 2, min: 1 },
    })
    const frame = joined(encodeError(5, error))
    expect(decode(frame)).toEqual([5, 32, [], ['too old', '/a/0', [1, 2]]])
    expect(responseCorrelationId(frame)).toBe(5)
    expect(decodeResponse('produce', 0, frame)).toEqual({ error: expect.any(MinikafkaError) })
    expect(decodeError(frame)).toMatchObject({
      name: 'INVALID_TIMESTAMP',
      message: 'too old',
      path: '/a/0',
      details: { min: 1, max: 2 },
      outcome: 'not-written',
    })
  })

  test('with the sentences of the table sends none, and is read with them', () => {
    const error = new MinikafkaError('REQUEST_TIMED_OUT')
    const frame = joined(encodeError(5, error))
    expect(decode(frame)).toEqual([5, 7, [], [null, null, []]])
    expect(decodeError(frame)).toMatchObject({ message: error.message, outcome: 'unknown' })
  })

  test('with a code of the future is an UNKNOWN_SERVER_ERROR with its message', () => {
    const frame = encode([5, 12_345, [], ['something new', null, ['x', 1.5, [1], true]]])
    expect(decodeError(frame)).toMatchObject({
      name: 'UNKNOWN_SERVER_ERROR',
      message: 'something new',
    })
  })

  test('with a message of a megabyte is cut', () => {
    const error = new MinikafkaError('INVALID_REQUEST', { message: 'ä'.repeat(2 ** 20) })
    expect(joined(encodeError(5, error)).length).toBeLessThan(32_768)
  })

  test('details may be of any plain kind, and missing', () => {
    for (const key of ['text', 7, -1, true, 2 ** 40]) {
      const error = new MinikafkaError('INVALID_CONFIG', { details: { key } })
      expect(decodeError(joined(encodeError(1, error)))?.details).toEqual({ key })
    }
    const none = new MinikafkaError('INVALID_CONFIG')
    expect(decodeError(joined(encodeError(1, none)))?.details).toBeUndefined()
  })
})

test('a response is no error', () => {
  const response = { results: [] }
  const frame = joined(encodeResponse('deleteTopics', 0, 3, response))
  expect(decodeError(frame)).toBeUndefined()
  expect(decodeResponse('deleteTopics', 0, frame)).toEqual({ response })
})

test('a response that is not in the protocol names the field', () => {
  const frame = encode([3, 0, [], [[[0, null, 'name', 7]]]])
  expect(() => decodeResponse('deleteTopics', 0, frame)).toThrow(
    expect.objectContaining({ name: 'PROTOCOL_VIOLATION', path: '/results/0/topicId' }),
  )
})

test('a response whose value does not fit is refused with its path', () => {
  const broken = { results: [{ errorCode: 'x', errorMessage: null, name: null, topicId: null }] }
  expect(() => encodeResponse('deleteTopics', 0, 3, broken as never)).toThrow(
    expect.objectContaining({ path: '/results/0/errorCode' }),
  )
})
