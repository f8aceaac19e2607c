// The two lz4 implementations against each other, and what only one of them would meet.

import fc from 'fast-check'
import { compressFrameSync, decompressFrameSync } from 'lz4-napi'
import { expect, test } from 'vitest'
import { CompressionError } from '../env.ts'
import { lz4Codec } from './lz4.ts'
import { compressLz4Frame, decompressLz4Frame, readLz4Frame } from './lz4-frame.ts'
import { xxhash32 } from './lz4-xxhash.ts'

const SIZE_MAX = 1024 * 1024

const part = fc.tuple(
  fc.uint8Array({ minLength: 1, maxLength: 50 }),
  fc.integer({ min: 1, max: 3000 }),
)
const content = fc
  .array(part, { maxLength: 6 })
  .map((parts) => Buffer.concat(parts.flatMap(([bytes, times]) => Array(times).fill(bytes))))

test('each reads what the other wrote', () => {
  fc.assert(
    fc.property(content, (input) => {
      expect(decompressFrameSync(compressLz4Frame(input)).equals(input)).toBe(true)
      expect(decompressLz4Frame(compressFrameSync(input), input.length).equals(input)).toBe(true)
    }),
  )
})

test('our codec reads block and content checksums of the other, and sees them broken', () => {
  const input = Buffer.from('checked '.repeat(100))
  const frame = compressFrameSync(input, { blockChecksums: true, contentChecksum: true })
  expect(decompressLz4Frame(frame, SIZE_MAX).equals(input)).toBe(true)
  for (const fromEnd of [1, 5 + 4]) {
    const broken = Buffer.from(frame)
    broken[broken.length - fromEnd] = (broken[broken.length - fromEnd] as number) ^ 1
    expect(() => decompressLz4Frame(broken, SIZE_MAX)).toThrow(CompressionError)
  }
})

test('both write the header of the Java client: independent 64-KiB blocks, no checksums', () => {
  const header = '04224d18604082'
  const input = Buffer.alloc(70_000, 'x')
  expect(compressLz4Frame(input).subarray(0, 7).toString('hex')).toBe(header)
  expect(readLz4Frame(compressLz4Frame(input)).blocks).toHaveLength(2)
  expect(compressFrameSync(Buffer.from('x')).subarray(0, 7).toString('hex')).toBe(header)
})

test('a changed frame that our codec still reads gives what the other reads', () => {
  const frame = compressLz4Frame(Buffer.from('which of the two reads this? '.repeat(5)))
  fc.assert(
    fc.property(fc.nat(frame.length - 1), fc.nat(255), (position, byte) => {
      const changed = Buffer.from(frame)
      changed[position] = byte
      const ours = attempt(() => decompressLz4Frame(changed, SIZE_MAX))
      if (ours !== 'refused') expect(ours).toBe(attempt(() => decompressFrameSync(changed)))
    }),
    { numRuns: 1000 },
  )
})

test('the codec is the same with lz4-napi and without, but for the bytes of its frames', async () => {
  const without = lz4Codec()
  const native = lz4Codec()
  await native.prepare()
  const input = Buffer.from('the same '.repeat(1000))
  expect(native.compress(input).equals(compressFrameSync(input))).toBe(true)
  expect(without.compress(input).equals(compressLz4Frame(input))).toBe(true)
  expect(native.decompress(without.compress(input), SIZE_MAX).equals(input)).toBe(true)
  expect(without.decompress(native.compress(input), SIZE_MAX).equals(input)).toBe(true)
})

test('a linked block reaches back into the one before, an independent one does not', () => {
  // Eight literals; then a match of eight that begins eight back, and five literals.
  const blocks = '09000000806162636465666768' + '09000000040800506162636465' + '00000000'
  const linked = frameOf(0x40, blocks)
  expect(decompressLz4Frame(linked, SIZE_MAX).toString()).toBe('abcdefghabcdefghabcde')
  expect(() => decompressLz4Frame(frameOf(0x60, blocks), SIZE_MAX)).toThrow(CompressionError)
})

test('a block that gives more than its frame allows one is refused, though the bound has room', () => {
  // 1 literal, a match of 4 + 15 + 65,600 and 5 literals; then a block of 5, for which there would be room.
  const match = Buffer.concat([Buffer.alloc(257, 255), Buffer.from([65])])
  const large = Buffer.concat([
    Buffer.from('1f610100', 'hex'),
    match,
    Buffer.from('506162636465', 'hex'),
  ])
  const size = Buffer.alloc(4)
  size.writeUInt32LE(large.length)
  const small = Buffer.from('06000000506162636465', 'hex')
  const frame = frameOf(0x60, Buffer.concat([size, large, small, Buffer.alloc(4)]).toString('hex'))
  expect(readLz4Frame(frame).sizeMax).toBe(65_536 + 6 * 255)
  expect(() => decompressLz4Frame(frame, SIZE_MAX)).toThrow(CompressionError)
})

test('a declared size above the bound is refused before anything is decoded', () => {
  const frame = Buffer.from('04224d18684005000000000000000005000080', 'hex')
  frame[14] = (xxhash32(frame, 4, 14) >>> 8) & 0xff
  const whole = Buffer.concat([frame, Buffer.from('hello'), Buffer.alloc(4)])
  expect(() => decompressLz4Frame(whole, 4)).toThrow('over 4')
})

test('bytes behind the frame are refused', () => {
  const frame = compressLz4Frame(Buffer.from('one frame is one batch'))
  expect(() => decompressLz4Frame(Buffer.concat([frame, frame]), SIZE_MAX)).toThrow(
    CompressionError,
  )
})

test('xxhash32 gives the published sums', () => {
  const sums = { '': 0x02cc5d05, a: 0x550d7456, abc: 0x32d153ff, '0123456789abcdef': 0xc2c45b69 }
  for (const [text, sum] of Object.entries(sums)) {
    expect(xxhash32(Buffer.from(text), 0, text.length)).toBe(sum)
  }
  const text = Buffer.from('Nobody inspects the spammish repetition')
  expect(xxhash32(text, 0, text.length)).toBe(0xe2293b2f)
})

function attempt(work: () => Buffer): string {
  try {
    return work().toString('hex')
  } catch {
    return 'refused'
  }
}

function frameOf(flags: number, blocks: string): Buffer {
  const descriptor = Buffer.from([flags, 0x40])
  const check = (xxhash32(descriptor, 0, 2) >>> 8) & 0xff
  return Buffer.concat([
    Buffer.from('04224d18', 'hex'),
    descriptor,
    Buffer.from([check]),
    Buffer.from(blocks, 'hex'),
  ])
}
