// What every implementation of the `compress` port must do. Stands in for a mock: one suite, all implementations.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Compress, CompressionError, type CompressionName } from '../env.ts'
import { bombs, foreignBlocks, foreignText } from './compress-samples.ts'

const NAMES: readonly CompressionName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const CODECS = NAMES.filter((name) => name !== 'none')
/** What the bombs may give; they ask for more. */
const MIB = 1024 * 1024

export function compressCompliance(name: string, make: () => Compress): void {
  describe(`compress: ${name}`, () => {
    for (const codec of NAMES) roundTrips(codec, make)
    for (const codec of CODECS) bounds(codec, make)
    foreign(make)
    hostile(make)
  })
}

async function prepared(make: () => Compress, codec: CompressionName): Promise<Compress> {
  const compress = make()
  await compress.prepare(codec)
  return compress
}

function roundTrips(codec: CompressionName, make: () => Compress): void {
  test(`${codec} gives back what it took, whatever its size`, async () => {
    const compress = await prepared(make, codec)
    for (const input of inputs()) {
      const compressed = compress.compress(codec, input)
      expect(Buffer.isBuffer(compressed)).toBe(true)
      const output = compress.decompress(codec, compressed, input.length)
      expect(Buffer.isBuffer(output)).toBe(true)
      expect(output.equals(input)).toBe(true)
    }
  })

  test(`${codec} gives back any bytes`, async () => {
    const compress = await prepared(make, codec)
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 3000 }), repetitive())
    fc.assert(
      fc.property(bytes, (input) => {
        const output = compress.decompress(codec, compress.compress(codec, input), input.length)
        expect(output.equals(input)).toBe(true)
      }),
    )
  })

  test(`${codec} takes a view that begins anywhere, and leaves it as it was`, async () => {
    const compress = await prepared(make, codec)
    const memory = Buffer.from(text(4000))
    const before = Buffer.from(memory)
    const view = new Uint8Array(memory.buffer, memory.byteOffset + 7, 3001)
    const compressed = compress.compress(codec, view)
    const framed = Buffer.concat([Buffer.alloc(3), compressed, Buffer.alloc(3)])
    const inner = new Uint8Array(framed.buffer, framed.byteOffset + 3, compressed.length)
    expect(compress.decompress(codec, inner, 3001).equals(view)).toBe(true)
    expect(memory.equals(before)).toBe(true)
  })

  test(`${codec} may be prepared again, and by another instance`, async () => {
    const compress = await prepared(make, codec)
    const compressed = compress.compress(codec, Buffer.from('once'))
    await Promise.all([compress.prepare(codec), compress.prepare(codec)])
    const other = await prepared(make, codec)
    expect(other.decompress(codec, compressed, 4).toString()).toBe('once')
    expect(compress.decompress(codec, compressed, 4).toString()).toBe('once')
  })
}

function bounds(codec: CompressionName, make: () => Compress): void {
  test(`${codec} gives exactly sizeMax bytes and refuses one more`, async () => {
    const compress = await prepared(make, codec)
    for (const input of inputs().filter(({ length }) => length > 0)) {
      const compressed = compress.compress(codec, input)
      expect(compress.decompress(codec, compressed, input.length)).toHaveLength(input.length)
      for (const sizeMax of [0, input.length >> 1, input.length - 1]) {
        if (sizeMax === input.length) continue
        expect(() => compress.decompress(codec, compressed, sizeMax)).toThrow(CompressionError)
      }
    }
  })

  test(`${codec} shrinks what repeats`, async () => {
    const compress = await prepared(make, codec)
    expect(compress.compress(codec, text(100_000)).length).toBeLessThan(30_000)
  })

  test(`${codec}, cut anywhere, is refused or gives less`, async () => {
    const compress = await prepared(make, codec)
    const input = text(500)
    const compressed = compress.compress(codec, input)
    for (let size = 0; size < compressed.length; size++) {
      const given = attempt(compress, codec, compressed.subarray(0, size), input.length)
      expect(given === undefined || given.length < input.length).toBe(true)
    }
  })

  test(`${codec}, changed anywhere, throws nothing but a CompressionError and keeps its bound`, async () => {
    const compress = await prepared(make, codec)
    const compressed = compress.compress(codec, text(700))
    fc.assert(
      fc.property(
        fc.array(change(compressed.length), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const changed = Buffer.from(compressed)
          for (const { position, byte } of changes) changed[position] = byte
          const given = attempt(compress, codec, changed, 1000)
          expect(given === undefined || given.length <= 1000).toBe(true)
        },
      ),
      { numRuns: 500 },
    )
  })

  test(`${codec}, noise behind its first bytes, throws nothing but a CompressionError`, async () => {
    const compress = await prepared(make, codec)
    const head = compress.compress(codec, text(50))
    const noise = fc.tuple(fc.nat(head.length), fc.uint8Array({ maxLength: 200 }))
    fc.assert(
      fc.property(noise, ([size, bytes]) => {
        const input = Buffer.concat([head.subarray(0, size), bytes])
        const given = attempt(compress, codec, input, 10_000)
        expect(given === undefined || given.length <= 10_000).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
}

function foreign(make: () => Compress): void {
  for (const { made, codec, hex } of foreignBlocks) {
    test(`${codec} of ${made} is read`, async () => {
      const compress = await prepared(make, codec)
      const output = compress.decompress(codec, Buffer.from(hex, 'hex'), 1000)
      expect(output.toString()).toBe(foreignText)
    })
  }
}

function hostile(make: () => Compress): void {
  for (const { what, codec, input } of bombs()) {
    test(`${what} is refused`, async () => {
      const compress = await prepared(make, codec)
      expect(() => compress.decompress(codec, input, MIB)).toThrow(CompressionError)
    })
  }
}

/** What decompression gives; undefined: a CompressionError. Anything else goes through. */
function attempt(
  compress: Compress,
  codec: CompressionName,
  input: Uint8Array,
  sizeMax: number,
): Buffer | undefined {
  try {
    return compress.decompress(codec, input, sizeMax)
  } catch (error) {
    if (error instanceof CompressionError) return undefined
    throw error
  }
}

/** Empty, tiny, around the block sizes of the codecs, and larger than what libraries take by default. */
function inputs(): Buffer[] {
  const sizes = [0, 1, 12, 13, 100, 32_768, 32_769, 65_535, 65_536, 65_537, 300_000]
  return [
    ...sizes.map(text),
    ...sizes.map(noise),
    Buffer.alloc(2 * MIB + 1, 'ab'),
    Buffer.concat([noise(70_000), text(70_000), Buffer.alloc(70_000)]),
  ]
}

function text(size: number): Buffer {
  const lines = Array.from(
    { length: Math.ceil(size / 20) },
    (_, line) => `line ${line} of the sample\n`,
  )
  return Buffer.from(lines.join('')).subarray(0, size)
}

/** The same each time, and nothing repeats in it. */
function noise(size: number): Buffer {
  const bytes = Buffer.alloc(size)
  let state = 88_172_645
  for (let index = 0; index < size; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[index] = state
  }
  return bytes
}

/** Parts that come again: matches that overlap themselves, near and far. */
function repetitive(): fc.Arbitrary<Uint8Array> {
  const part = fc.tuple(
    fc.uint8Array({ minLength: 1, maxLength: 40 }),
    fc.integer({ min: 1, max: 60 }),
  )
  return fc
    .array(part, { maxLength: 8 })
    .map((parts) => Buffer.concat(parts.flatMap(([bytes, times]) => Array(times).fill(bytes))))
}

function change(size: number): fc.Arbitrary<{ position: number; byte: number }> {
  return fc.record({ position: fc.nat(size - 1), byte: fc.nat(255) })
}
