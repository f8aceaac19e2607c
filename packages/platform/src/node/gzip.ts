// gzip, from Node itself. Its bound is kept by zlib: it stops after `maxOutputLength` bytes.
import { gunzipSync, gzipSync } from 'node:zlib'
import { CompressionError } from '../env.ts'
import type { Codec } from './compress-codec.ts'

export function gzipCodec(): Codec {
  return {
    prepare: async () => {},
    assertPrepared: () => {},
    compress: (input) => gzipSync(input),
    decompress(input, sizeMax) {
      // zlib's least limit is 1.
      const output = gunzipSync(input, { maxOutputLength: Math.max(sizeMax, 1) })
      if (output.length > sizeMax) throw new CompressionError(`gives more than ${sizeMax} bytes`)
      return output
    },
  }
}
