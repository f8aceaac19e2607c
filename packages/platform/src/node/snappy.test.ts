// Our reader of snappy against snappyjs, which writes for us and reads what is not hostile.
import fc from 'fast-check'
import snappyjs from 'snappyjs'
import { expect, test } from 'vitest'
import { snappyCodec } from './snappy.ts'
import { decodeSnappyBlock, readSnappySize } from './snappy-block.ts'

test('a raw block decodes to what snappyjs makes of it', () => {
  const part = fc.tuple(
    fc.uint8Array({ minLength: 1, maxLength: 70 }),
    fc.integer({ min: 1, max: 2000 }),
  )
  const content = fc
    .array(part, { maxLength: 6 })
    .map((parts) => Buffer.concat(parts.flatMap(([bytes, times]) => Array(times).fill(bytes))))
  fc.assert(
    fc.property(content, (input) => {
      const block = snappyjs.compress(input)
      expect(readSnappySize(block, 0, block.length)).toBe(input.length)
      const output = Buffer.alloc(input.length + 4)
      expect(decodeSnappyBlock(block, 0, block.length, output, 2)).toBe(input.length + 2)
      expect(output.subarray(2, -2).equals(snappyjs.uncompress(block))).toBe(true)
    }),
  )
})

test('every kind of element: literals of all widths, copies with one, two and four bytes of offset', () => {
  const literal = Buffer.alloc(300, 'abcdefg')
  const elements = [
    Buffer.concat([Buffer.from([0x08]), Buffer.from('xyz')]),
    Buffer.concat([Buffer.from([60 << 2, 99]), literal.subarray(0, 100)]),
    Buffer.concat([Buffer.from([61 << 2, 43, 1]), literal]),
    Buffer.concat([Buffer.from([62 << 2, 43, 1, 0]), literal]),
    Buffer.concat([Buffer.from([63 << 2, 43, 1, 0, 0]), literal]),
    Buffer.from([0x01 | (3 << 2) | (1 << 5), 0x02]),
    Buffer.from([0x02 | (63 << 2), 0x03, 0x01]),
    Buffer.from([0x03 | (9 << 2), 0x04, 0x00, 0x00, 0x00]),
  ]
  const size = 3 + 100 + 3 * 300 + 7 + 64 + 10
  const block = Buffer.concat([Buffer.from([(size & 0x7f) | 0x80, size >> 7]), ...elements])
  const output = Buffer.alloc(size)
  expect(decodeSnappyBlock(block, 0, block.length, output, 0)).toBe(size)
  expect(output.equals(snappyjs.uncompress(block))).toBe(true)
})

test('a block is not worth the memory that it declares and could not fill', () => {
  const declaring = (size: number) =>
    Buffer.from([(size & 0x7f) | 0x80, size >> 7, 1, 2, 3, 4, 5, 6])
  expect(readSnappySize(declaring(128), 0, 8)).toBe(128)
  expect(() => readSnappySize(declaring(129), 0, 8)).toThrow('declares 129 bytes')
})

test('compressed records stand in chunks of 32 KiB, framed as the Java client frames them', async () => {
  const codec = snappyCodec()
  await codec.prepare()
  const framed = codec.compress(Buffer.alloc(70_000, 'ab'))
  expect(framed.subarray(0, 16).toString('hex')).toBe('82534e41505059000000000100000001')
  const first = framed.subarray(20, 20 + framed.readInt32BE(16))
  expect(snappyjs.uncompress(first)).toHaveLength(32 * 1024)
})
