// The `compress` port: Kafka's codecs, synchronous, each with a bound on what it gives.
// Enters: records or a compressed block of them. Leaves: the other. Broken input is a CompressionError, always.
import { AssertionError, assert } from '../assert.ts'
import { type Compress, CompressionError, type CompressionName } from '../env.ts'
import type { Codec } from './compress-codec.ts'
import { gzipCodec } from './gzip.ts'
import { lz4Codec } from './lz4.ts'
import { snappyCodec } from './snappy.ts'
import { zstdCodec } from './zstd.ts'

export function nodeCompress(): Compress {
  const codecs: Readonly<Record<CompressionName, Codec>> = {
    none: noneCodec,
    gzip: gzipCodec(),
    snappy: snappyCodec(),
    lz4: lz4Codec(),
    zstd: zstdCodec(),
  }
  return {
    prepare: (name) => codecs[name].prepare(),
    compress: (name, input) => codecs[name].compress(input),
    decompress(name, input, sizeMax) {
      assert(Number.isSafeInteger(sizeMax) && sizeMax >= 0, 'what decompression gives is bounded')
      const output = decompress(name, codecs[name], input, sizeMax)
      // The codecs refuse earlier and by less; this is the pair of their checks.
      assert(output.length <= sizeMax, 'a codec keeps to its bound')
      return output
    },
  }
}

/** What a library throws on broken input has no common type: all but our own assertions becomes one. */
function decompress(name: string, codec: Codec, input: Uint8Array, sizeMax: number): Buffer {
  codec.assertPrepared()
  try {
    return codec.decompress(input, sizeMax)
  } catch (cause) {
    if (cause instanceof CompressionError || cause instanceof AssertionError) throw cause
    throw new CompressionError(`broken ${name}: ${(cause as Error).message}`, { cause })
  }
}

const noneCodec: Codec = {
  prepare: async () => {},
  assertPrepared: () => {},
  compress: bufferOver,
  decompress(input, sizeMax) {
    if (input.length > sizeMax) throw new CompressionError(`gives more than ${sizeMax} bytes`)
    return bufferOver(input)
  },
}

/** The same memory. */
function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
