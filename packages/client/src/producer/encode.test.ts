import { expect, test } from 'vitest'
import { json, nullable, text, topic } from '../topic/index.ts'
import { encodeKey, encodeValue, headerPairs } from './encode.ts'

test('without a codec, strings and bytes pass as they are', () => {
  const bytes = Buffer.from([1, 2])
  expect(encodeValue('t', bytes)).toBe(bytes)
  expect(encodeValue('t', '')).toBe('')
  expect(encodeValue('t', null)).toBeNull()
  expect(encodeKey('t', undefined)).toBeNull()
  expect(encodeKey('t', '')).toBe('')
})

test('anything else is refused, and the error says what there is', () => {
  const failed = (kind: RegExp) =>
    expect.objectContaining({ name: 'SERIALIZATION_FAILED', message: expect.stringMatching(kind) })
  expect(() => encodeValue('t', { id: 1 })).toThrow(failed(/value .* is an object/))
  expect(() => encodeValue('t', 7)).toThrow(failed(/is number/))
  expect(() => encodeValue('t', undefined)).toThrow(failed(/is undefined/))
  expect(() => encodeKey('t', 7)).toThrow(failed(/key .* is number/))
})

test('null goes past the codec only where it is nullable', () => {
  const plain = topic('t', { value: text() })
  const admitting = topic('t', { value: nullable(text()) })
  expect(encodeValue(admitting, null)).toBeNull()
  expect(() => encodeValue(plain, null)).toThrow(/nullable\(codec\)/)
})

test('what a codec throws is the cause', () => {
  const cyclic: { self?: unknown } = {}
  cyclic.self = cyclic
  expect(() => encodeValue(topic('t', { value: json<unknown>() }), cyclic)).toThrow(
    expect.objectContaining({
      name: 'SERIALIZATION_FAILED',
      topic: 't',
      cause: expect.any(TypeError),
    }),
  )
})

test('headers come as a record or as pairs; order and duplicates are kept', () => {
  expect(headerPairs('t', { a: '1', b: null })).toEqual([
    ['a', '1'],
    ['b', null],
  ])
  expect(
    headerPairs('t', [
      ['a', '1'],
      ['a', ''],
    ]),
  ).toEqual([
    ['a', '1'],
    ['a', ''],
  ])
  expect(headerPairs('t', new Map([['a', '1']]))).toEqual([['a', '1']])
  expect(() => headerPairs('t', { a: 1 } as never)).toThrow(/header 'a'/)
})
