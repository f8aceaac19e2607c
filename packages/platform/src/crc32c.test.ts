import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32c, crc32cOfPart } from './crc32c.ts'
import { crc32cOwn } from './crc32c-own.ts'
import { nativeCrc32c } from './node/native-crc32c.ts'

// Source of the vectors: RFC 3720, appendix B.4; the check value of the CRC catalogue.
test.each([
  [Buffer.alloc(32), 0x8a9136aa],
  [Buffer.alloc(32, 0xff), 0x62a8ab43],
  [Buffer.from(Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e],
  [Buffer.from('123456789'), 0xe3069283],
  [Buffer.alloc(0), 0],
])('the sum of %j is known', (bytes, sum) => {
  expect(crc32cOwn(bytes)).toBe(sum)
  expect(crc32c(bytes)).toBe(sum)
})

test('native and own code agree, at every length and alignment', () => {
  const native = nativeCrc32c()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(7), (bytes, skipped) => {
      const part = bytes.subarray(skipped)
      expect(crc32c(part)).toBe(crc32cOwn(part))
      if (native !== undefined) expect(native(part, 0)).toBe(crc32cOwn(part))
    }),
  )
})

test('a sum goes on where the last one ended', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), (a, b) => {
      const whole = Buffer.concat([a, b])
      expect(crc32c(b, crc32c(a))).toBe(crc32c(whole))
      expect(crc32cOwn(b, crc32cOwn(a))).toBe(crc32cOwn(whole))
    }),
  )
})

test('the sum of a part is that of a view of it', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 500 }),
      fc.nat(500),
      fc.nat(500),
      (bytes, one, other) => {
        const [from, end] = [one, other]
          .map((at) => Math.min(at, bytes.length))
          .sort((a, b) => a - b)
        const part = bytes.subarray(from, end)
        expect(crc32cOfPart(bytes, from as number, end as number, 7)).toBe(crc32cOwn(part, 7))
      },
    ),
  )
})
