import { expect, test } from 'vitest'
import { decodeMsgpack, encodeMsgpack } from './msgpack.ts'

test('what was encoded is decoded, and later values do not change it', () => {
  const values = [1, 'two', { three: [null, true, 2 ** 40, -5] }, 'x'.repeat(100_000), {}]
  const encoded = values.map((value) => encodeMsgpack(value))
  expect(encoded.map((bytes) => decodeMsgpack(bytes))).toEqual(values)
})

test.each([
  ['a list', [0xdd, 0xff, 0xff, 0xff, 0xff]],
  ['a map', [0xdf, 0x7f, 0xff, 0xff, 0xff]],
])('%s that claims billions of items is refused at once', (_, bytes) => {
  expect(() => decodeMsgpack(Uint8Array.from(bytes))).toThrow(/length|exceed/)
})
