/// <reference path="./snappyjs.d.ts" />
// snappy as Kafka's Java client writes it: chunks of raw snappy in xerial's framing. librdkafka writes one raw
// block without a frame; both are read.
//
//    0  magic          82 53 4e 41 50 50 59 00
//    8  version        int32, 1
//   12  compatible     int32, 1: the least version that a reader must know
//   16  chunks         int32 size + raw snappy, until the end
//
// Source: xerial snappy-java, SnappyOutputStream and SnappyCodec.
import { assert } from '../assert.ts'
import { CompressionError } from '../env.ts'
import type { Codec } from './compress-codec.ts'
import { decodeSnappyBlock, readSnappySize } from './snappy-block.ts'

const MAGIC = Buffer.from('82534e4150505900', 'hex')
const HEADER = Buffer.concat([MAGIC, Buffer.from('0000000100000001', 'hex')])
const VERSION = 1
const COMPATIBLE_VERSION_AT = 12
/** As the Java client cuts; a reader takes any. */
const CHUNK_BYTES_MAX = 32 * 1024

type Snappy = { compress(input: Buffer): Buffer }

/** snappyjs compresses. It does not decompress: a literal of 2^31 bytes makes it loop for ever. */
export function snappyCodec(): Codec {
  let snappy: Snappy | undefined
  return {
    async prepare() {
      snappy ??= (await import('snappyjs')).default
    },
    assertPrepared() {
      assert(snappy !== undefined, 'snappy is prepared before its first use')
    },
    compress(input) {
      assert(snappy !== undefined, 'snappy is prepared before its first use')
      return compressChunks(snappy, input)
    },
    decompress,
  }
}

function compressChunks(snappy: Snappy, input: Uint8Array): Buffer {
  const parts: Buffer[] = [HEADER]
  for (let start = 0; start < input.length; start += CHUNK_BYTES_MAX) {
    const size = Math.min(CHUNK_BYTES_MAX, input.length - start)
    const chunk = snappy.compress(Buffer.from(input.buffer, input.byteOffset + start, size))
    const head = Buffer.allocUnsafe(4)
    head.writeInt32BE(chunk.length)
    parts.push(head, chunk)
  }
  return Buffer.concat(parts)
}

/** Adds up what the chunks declare before anything is allocated. */
function decompress(bytes: Uint8Array, sizeMax: number): Buffer {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const chunks = isXerial(input) ? findChunks(input) : [{ start: 0, end: input.length }]
  let size = 0
  for (const { start, end } of chunks) size += readSnappySize(input, start, end)
  if (size > sizeMax) throw new CompressionError(`snappy declares ${size} bytes, over ${sizeMax}`)
  const output = Buffer.allocUnsafe(size)
  let position = 0
  for (const { start, end } of chunks) {
    position = decodeSnappyBlock(input, start, end, output, position)
  }
  assert(position === size, 'blocks of snappy fill what they declare')
  return output
}

/** No raw block begins like this: after its size, 0x4e would copy from before the start. */
function isXerial(input: Buffer): boolean {
  return input.length >= HEADER.length && input.subarray(0, MAGIC.length).equals(MAGIC)
}

function findChunks(input: Buffer): { start: number; end: number }[] {
  const version = input.readInt32BE(COMPATIBLE_VERSION_AT)
  if (version > VERSION) throw new CompressionError(`snappy in a framing of version ${version}`)
  const chunks: { start: number; end: number }[] = []
  let position = HEADER.length
  while (position < input.length) {
    if (input.length - position < 4) throw new CompressionError('snappy ends within a chunk header')
    const start = position + 4
    const size = input.readInt32BE(position)
    if (size < 1 || size > input.length - start) {
      throw new CompressionError(
        `snappy has a chunk of ${size} bytes, ${input.length - start} are left`,
      )
    }
    chunks.push({ start, end: start + size })
    position = start + size
  }
  return chunks
}
