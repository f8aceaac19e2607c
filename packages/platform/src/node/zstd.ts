// zstd: Node's own from 22.15 on, else compiled to WebAssembly. Either is handed one walked frame at a time.
import * as zlib from 'node:zlib'
import { assert } from '../assert.ts'
import { CompressionError } from '../env.ts'
import type { Codec } from './compress-codec.ts'
import { readZstdFrames, type ZstdFrame } from './zstd-frame.ts'

type Zstd = {
  compress(input: Uint8Array): Uint8Array
  /** Of exactly one frame; throws where it would give more than `sizeMax`. */
  decompress(frame: Uint8Array, sizeMax: number): Uint8Array
}

export function zstdCodec(): Codec {
  let zstd: Zstd | undefined
  return {
    async prepare() {
      zstd ??= nodeZstd() ?? (await wasmZstd())
    },
    assertPrepared() {
      assert(zstd !== undefined, 'zstd is prepared before its first use')
    },
    compress(input) {
      assert(zstd !== undefined, 'zstd is prepared before its first use')
      return bufferOver(zstd.compress(input))
    },
    decompress(input, sizeMax) {
      assert(zstd !== undefined, 'zstd is prepared before its first use')
      return decompress(zstd, input, sizeMax)
    },
  }
}

function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Nearly always one frame; the Java client reads several in a row, and so do we. */
function decompress(zstd: Zstd, input: Uint8Array, sizeMax: number): Buffer {
  const frames = readZstdFrames(input)
  const outputs: Uint8Array[] = []
  let size = 0
  for (const frame of frames) {
    const output = decompressFrame(zstd, input, frame, sizeMax - size)
    outputs.push(output)
    size += output.length
  }
  return outputs.length === 1 ? bufferOver(outputs[0] as Uint8Array) : Buffer.concat(outputs)
}

function decompressFrame(
  zstd: Zstd,
  input: Uint8Array,
  frame: ZstdFrame,
  sizeMax: number,
): Uint8Array {
  const { start, end, contentSize } = frame
  if (contentSize !== undefined && contentSize > sizeMax) {
    throw new CompressionError(`zstd declares ${contentSize} bytes, over ${sizeMax}`)
  }
  const output = zstd.decompress(input.subarray(start, end), Math.min(frame.sizeMax, sizeMax))
  if (contentSize !== undefined && output.length !== contentSize) {
    throw new CompressionError(`zstd declares ${contentSize} bytes and gives ${output.length}`)
  }
  return output
}

/** Not yet in the types of Node 20. */
type NodeZstd = {
  zstdCompressSync?(input: Uint8Array): Buffer
  zstdDecompressSync?(input: Uint8Array, options: { maxOutputLength: number }): Buffer
}

function nodeZstd(): Zstd | undefined {
  const { zstdCompressSync, zstdDecompressSync } = zlib as NodeZstd
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) return undefined
  return {
    compress: (input) => zstdCompressSync(input),
    decompress(frame, sizeMax) {
      // zlib's least limit is 1.
      const output = zstdDecompressSync(frame, { maxOutputLength: Math.max(sizeMax, 1) })
      if (output.length > sizeMax) throw new CompressionError(`gives more than ${sizeMax} bytes`)
      return output
    },
  }
}

/**
 * The library is one instance a process: a second init would give it new memory and leave it the old functions.
 * So this is remembered here and not in a codec.
 */
const started: { wasm?: Promise<void> } = {}

async function wasmZstd(): Promise<Zstd> {
  const { compress, decompress, init } = await import('@bokuweb/zstd-wasm')
  started.wasm ??= init()
  await started.wasm
  return {
    compress: (input) => compress(input),
    // Where no size is declared it allocates 1 MiB unless told otherwise, and fails above.
    decompress: (frame, sizeMax) => decompress(frame, { defaultHeapSize: sizeMax }),
  }
}
