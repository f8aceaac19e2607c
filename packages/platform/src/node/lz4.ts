// lz4 frames: by lz4-napi where it is installed, else by our own codec. Both give and take the same frames.
import type * as Lz4Napi from 'lz4-napi'
import { CompressionError } from '../env.ts'
import type { Codec } from './compress-codec.ts'
import { compressLz4Frame, decompressLz4Frame, readLz4Frame } from './lz4-frame.ts'

type Native = Pick<typeof Lz4Napi, 'compressFrameSync' | 'decompressFrameSync'>

export function lz4Codec(): Codec {
  let native: Native | undefined
  return {
    async prepare() {
      native ??= await loadNative()
    },
    // Our own codec needs no preparation, so there is always one.
    assertPrepared: () => {},
    compress: (input) =>
      native === undefined ? compressLz4Frame(input) : native.compressFrameSync(bufferOver(input)),
    decompress(input, sizeMax) {
      if (native === undefined) return decompressLz4Frame(input, sizeMax)
      return decompressNative(native, input, sizeMax)
    },
  }
}

/** An optional dependency: absent, or without a binary for this machine, which each loader reports in its own way. */
async function loadNative(): Promise<Native | undefined> {
  try {
    return (await import('lz4-napi')).default
  } catch {
    return undefined
  }
}

/**
 * lz4-napi takes no limit and takes a frame that was cut for a short one. So the frame is walked first, and where
 * its blocks could hold more than `sizeMax` our own codec reads it, which stops there.
 */
function decompressNative(native: Native, input: Uint8Array, sizeMax: number): Buffer {
  const frame = readLz4Frame(input)
  if (frame.sizeMax > sizeMax) return decompressLz4Frame(input, sizeMax)
  const output = native.decompressFrameSync(bufferOver(input))
  if (frame.contentSize !== undefined && output.length !== frame.contentSize) {
    throw new CompressionError(`lz4 declares ${frame.contentSize} bytes and gives ${output.length}`)
  }
  return output
}

function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
