// One raw block of snappy, read. Enters: compressed bytes. Leaves: output filled exactly, or a CompressionError.
//
//   size varint, then elements; the two low bits of a tag say which:
//   00 literal   length - 1 in the upper six bits, or in the 1-4 bytes that follow (60-63); then the bytes
//   01 copy      length - 4 in bits 2-4, offset 11 bits: bits 5-7 and a byte
//   10 copy      length - 1 in the upper six bits, offset 2 bytes, little-endian
//   11 copy      the same with an offset of 4 bytes
//
// Source: google/snappy, format_description.txt.
import { CompressionError } from '../env.ts'

/** Three bytes give 64 at most: a block that declares more is not worth its memory. */
const RATIO_BYTES_IN = 3
const RATIO_BYTES_OUT = 64

const SIZE_BYTES_MAX = 5
const LONG_COPY_BYTES = 32

/** What the block at `start` declares to hold; refused where its bytes could not hold that much. */
export function readSnappySize(input: Uint8Array, start: number, end: number): number {
  let size = 0
  for (let position = start; position < end && position < start + SIZE_BYTES_MAX; position++) {
    const byte = input[position] as number
    size += (byte & 0x7f) * 2 ** (7 * (position - start))
    if (byte >= 0x80) continue
    if (size * RATIO_BYTES_IN > (end - position - 1) * RATIO_BYTES_OUT) {
      throw new CompressionError(`snappy declares ${size} bytes in a block of ${end - start}`)
    }
    return size
  }
  throw new CompressionError('snappy has no size')
}

/** Returns the position in `output` behind the block's bytes, which are as many as it declares. */
export function decodeSnappyBlock(
  input: Buffer,
  start: number,
  end: number,
  output: Buffer,
  outputStart: number,
): number {
  const outputEnd = outputStart + readSnappySize(input, start, end)
  let position = start
  while ((input[position++] as number) >= 0x80);
  let at = outputStart
  while (position < end) {
    const tag = input[position++] as number
    const kind = tag & 3
    if (kind === 0) {
      let length = (tag >>> 2) + 1
      if (length > 60) {
        const lengthBytes = length - 60
        length = littleEndian(input, position, lengthBytes, end) + 1
        position += lengthBytes
      }
      if (length < 1 || length > end - position || length > outputEnd - at) refuseCopy()
      copyLiteral(input, position, output, at, length)
      position += length
      at += length
    } else {
      const length = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
      const offsetBytes = kind === 3 ? 4 : kind
      let offset = littleEndian(input, position, offsetBytes, end)
      if (kind === 1) offset |= (tag >>> 5) << 8
      position += offsetBytes
      if (offset < 1 || offset > at - outputStart || length > outputEnd - at) refuseCopy()
      for (let stop = at + length; at < stop; at++) output[at] = output[at - offset] as number
    }
  }
  if (at !== outputEnd) throw new CompressionError('snappy gives fewer bytes than it declares')
  return at
}

/** As int32: from 2^31 on it comes negative, and is refused like everything that reaches too far. */
function littleEndian(input: Buffer, position: number, size: number, end: number): number {
  if (size > end - position) throw new CompressionError('snappy ends within an element')
  let value = 0
  for (let index = 0; index < size; index++) {
    value |= (input[position + index] as number) << (index * 8)
  }
  return value
}

function copyLiteral(
  input: Buffer,
  from: number,
  output: Buffer,
  to: number,
  length: number,
): void {
  if (length >= LONG_COPY_BYTES) {
    input.copy(output, to, from, from + length)
    return
  }
  for (let index = 0; index < length; index++) output[to + index] = input[from + index] as number
}

function refuseCopy(): never {
  throw new CompressionError('snappy reaches beyond its bytes')
}
