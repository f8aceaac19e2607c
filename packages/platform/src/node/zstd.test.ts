import { expect, test } from 'vitest'
import { CompressionError } from '../env.ts'
import { zstdCodec } from './zstd.ts'
import { readZstdFrames } from './zstd-frame.ts'

const BLOCK = '5d02006403'
const SKIPPABLE = '502a4d1802000000aabb'
/** Five bytes, stored. */
const HELLO = '28b52ffd200529000068656c6c6f'

test('frames in a row give their contents in a row, and share the bound', async () => {
  const codec = zstdCodec()
  await codec.prepare()
  const input = Buffer.from(`${HELLO}${SKIPPABLE}${HELLO}`, 'hex')
  expect(codec.decompress(input, 10).toString()).toBe('hellohello')
  expect(() => codec.decompress(input, 9)).toThrow(CompressionError)
})

test('a frame without a declared size may be larger than the 1 MiB that the library allots', async () => {
  const codec = zstdCodec()
  await codec.prepare()
  // Forty blocks of 128 KiB, each one byte repeated.
  const input = Buffer.from(`28b52ffd0078${'02001061'.repeat(39)}03001061`, 'hex')
  expect(codec.decompress(input, 40 * 131_072).equals(Buffer.alloc(40 * 131_072, 'a'))).toBe(true)
  expect(() => codec.decompress(input, 40 * 131_072 - 1)).toThrow()
})

test('what a frame can give is known before it is decoded', () => {
  expect(readZstdFrames(Buffer.from(HELLO, 'hex'))).toEqual([
    { start: 0, end: 14, contentSize: 5, sizeMax: 5 },
  ])
  const blocks = `${'02001061'}${'4d0000'}${'00'.repeat(9)}`
  const [frame] = readZstdFrames(Buffer.from(`28b52ffd0058${blocks}`, 'hex'))
  expect(frame).toMatchObject({ contentSize: undefined, sizeMax: 2 * 131_072 })
})

test.each([
  ['nothing', ''],
  ['another magic', '28b52ffe00'],
  ['a header that is cut', '28b52ffd'],
  ['a content size that is cut', '28b52ffdc058'],
  ['a reserved bit', '28b52ffd280100000a'],
  ['a reserved block type', '28b52ffd0058070000'],
  ['a block above 128 KiB', '28b52ffd0058090010'],
  ['a block that is cut', `28b52ffd0058${BLOCK}`],
  ['no last block', '28b52ffd0058000000'],
  ['a checksum that is cut', '28b52ffd04580100000102'],
  ['a skippable frame that is cut', '502a4d18ffffffff00'],
  ['more declared than its blocks can hold', '28b52ffd200629000068656c6c6f'],
])('%s is refused', (_what, hex) => {
  expect(() => readZstdFrames(Buffer.from(hex, 'hex'))).toThrow(CompressionError)
})
