// lz4 frames. lz4-napi compresses where it is installed, else our own codec does, into frames of the same form.
// Decompressing is ours alone: it is as fast, and lz4-napi takes no limit and a frame that was cut for a short one.
import type * as Lz4Napi from 'lz4-napi'
import type { Codec } from './compress-codec.ts'
import { compressLz4Frame, decompressLz4Frame } from './lz4-frame.ts'

type Native = Pick<typeof Lz4Napi, 'compressFrameSync'>

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
    decompress: decompressLz4Frame,
  }
}

/** An optional dependency: absent, or without a binary for this machine, which its loader reports in many ways. */
async function loadNative(): Promise<Native | undefined> {
  try {
    return (await import('lz4-napi')).default
  } catch {
    return undefined
  }
}

function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
