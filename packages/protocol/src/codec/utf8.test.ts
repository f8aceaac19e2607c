import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isUtf8Between } from './utf8.ts'

test('the loop for short strings and the native check agree on every sequence of up to three bytes', () => {
  for (let lead = 0; lead < 256; lead++) {
    for (let second = 0; second < 256; second += 1) {
      for (const third of [0x00, 0x7f, 0x80, 0xbf, 0xc2]) {
        const bytes = Buffer.of(lead, second, third)
        if (isUtf8Between(bytes, 0, 3) !== isUtf8(bytes)) expect.unreachable(bytes.toString('hex'))
      }
    }
  }
})

test('they agree on four bytes, on text, and on text with a byte changed', () => {
  const four = fc.tuple(fc.integer({ min: 0xe0, max: 0xff }), fc.nat(255), fc.nat(255), fc.nat(255))
  const text = fc.string({ unit: 'grapheme', maxLength: 50 }).map((value) => Buffer.from(value))
  const changed = fc.tuple(text, fc.nat(), fc.nat(255)).map(([bytes, at, byte]) => {
    if (bytes.length > 0) bytes[at % bytes.length] = byte
    return bytes
  })
  fc.assert(
    fc.property(fc.oneof(four.map(Buffer.from), text, changed), (bytes) => {
      expect(isUtf8Between(bytes, 0, bytes.length)).toBe(isUtf8(bytes))
    }),
    { numRuns: 2000 },
  )
})

test('only the bytes between start and end count', () => {
  const bytes = Buffer.from([0xff, 0x61, 0xff])
  expect(isUtf8Between(bytes, 1, 2)).toBe(true)
  expect(isUtf8Between(bytes, 1, 3)).toBe(false)
})
