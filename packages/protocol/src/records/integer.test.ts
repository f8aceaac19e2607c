import fc from 'fast-check'
import { expect, test } from 'vitest'
import { int16At, int32At, int64At, putInt16, putInt32, putInt64, uint32At } from './integer.ts'
import { putVarint, varintSize } from './varint.ts'

const int64 = fc.oneof(
  fc.maxSafeInteger(),
  fc.constantFrom(0, -1, 1, 2 ** 31, -(2 ** 31), 2 ** 32, -(2 ** 32) - 1),
  fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
)

test('an int64 is written and read as a BigInt would be', () => {
  fc.assert(
    fc.property(int64, (value) => {
      const ours = new Uint8Array(10)
      putInt64(ours, 1, value)
      const theirs = Buffer.alloc(10)
      theirs.writeBigInt64BE(BigInt(value), 1)
      expect(Buffer.from(ours).equals(theirs)).toBe(true)
      expect(int64At(ours, 1)).toBe(value)
    }),
  )
})

test('an int64 beyond 2^53 never looks like a safe integer', () => {
  const beyond = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
  fc.assert(
    fc.property(beyond, (value) => {
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64BE(value)
      const read = int64At(bytes, 0)
      expect(Number.isSafeInteger(read)).toBe(Number.isSafeInteger(Number(value)))
    }),
  )
  const first = Buffer.from('0020000000000000', 'hex')
  expect(Number.isSafeInteger(int64At(first, 0))).toBe(false)
})

test('smaller integers are written and read as Buffer does', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }), (a, b) => {
      const bytes = Buffer.alloc(6)
      putInt32(bytes, 0, a)
      putInt16(bytes, 4, b)
      expect([bytes.readInt32BE(0), bytes.readInt16BE(4)]).toEqual([a, b])
      expect([int32At(bytes, 0), uint32At(bytes, 0), int16At(bytes, 4)]).toEqual([a, a >>> 0, b])
    }),
  )
})

test('a varint is the zigzag form of its value, in its shortest form, and its size is known before', () => {
  const edges = [6, 7, 13, 14, 20, 21, 27, 28, 31, 34, 41, 48, 53].flatMap((bits) => {
    const power = Math.min(2 ** bits, Number.MAX_SAFE_INTEGER)
    return [power - 1, power, -power, -power + 1, -power - 1].filter(Number.isSafeInteger)
  })
  fc.assert(
    fc.property(fc.oneof(int64, fc.constantFrom(...edges)), (value) => {
      const bytes = new Uint8Array(12)
      const end = putVarint(bytes, 1, value)
      expect(Buffer.from(bytes.subarray(1, end)).toString('hex')).toBe(zigzag(BigInt(value)))
      expect(varintSize(value)).toBe(end - 1)
    }),
    { numRuns: 1000 },
  )
})

/** By the book, in BigInt. */
function zigzag(value: bigint): string {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  const bytes: number[] = []
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  return Buffer.from([...bytes, Number(rest)]).toString('hex')
}
