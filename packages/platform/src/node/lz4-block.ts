// One lz4 block, both ways. A block is a row of sequences:
//
//   token       high four bits: count of literals, low four: length of the match - 4; 15: bytes follow that add
//   literals    the bytes
//   offset      2 bytes, little-endian: how far back the match begins, 1-65,535
//
// The last sequence ends after its literals. The last 5 bytes are literals, and no match begins in the last 12.
// Source: lz4 doc/lz4_Block_format.md.
import { assert } from '../assert.ts'
import { CompressionError } from '../env.ts'

const MATCH_MIN = 4
/** So that every offset fits into its two bytes. */
const ENCODED_BYTES_MAX = 65_536
const LAST_LITERALS = 5
const MATCH_START_LIMIT = 12
const HASH_BITS = 14
const HASH_FACTOR = 2654435761 | 0
/** The search takes longer steps the longer it finds nothing: one more byte each 64 tries. */
const SKIP_SHIFT = 6
const LONG_COPY_BYTES = 32

export type HashTable = Int32Array

export function lz4HashTable(): HashTable {
  return new Int32Array(1 << HASH_BITS)
}

/** Bytes that a block of `size` may take where nothing repeats. */
export function lz4BlockSizeMax(size: number): number {
  return size + Math.ceil(size / 255) + 16
}

/**
 * Writes the block for `input` from `start` to `end` and returns where it ends in `output`, which has room for
 * `lz4BlockSizeMax`. `table` may come from an earlier block of the same input: no match reaches before `start`.
 */
export function encodeLz4Block(
  input: Uint8Array,
  start: number,
  end: number,
  output: Buffer,
  outputStart: number,
  table: HashTable,
): number {
  assert(end - start <= ENCODED_BYTES_MAX, 'a block that we write holds at most 64 KiB')
  const words = new DataView(input.buffer, input.byteOffset, input.byteLength)
  const matchStartMax = end - MATCH_START_LIMIT
  const matchEndMax = end - LAST_LITERALS
  let at = outputStart
  let literalsStart = start
  let position = start
  let tries = 1 << SKIP_SHIFT
  while (position <= matchStartMax) {
    const word = words.getInt32(position, true)
    const slot = Math.imul(word, HASH_FACTOR) >>> (32 - HASH_BITS)
    // Zero is an empty slot, so positions are kept plus one.
    const candidate = (table[slot] as number) - 1
    table[slot] = position + 1
    if (candidate < start || words.getInt32(candidate, true) !== word) {
      position += tries++ >>> SKIP_SHIFT
      continue
    }
    let match = position + MATCH_MIN
    while (match < matchEndMax && input[match] === input[candidate + match - position]) match++
    at = putLiterals(input, literalsStart, position, match - position - MATCH_MIN, output, at)
    const offset = position - candidate
    output[at++] = offset
    output[at++] = offset >>> 8
    at = putMore(output, at, match - position - MATCH_MIN)
    position = literalsStart = match
    tries = 1 << SKIP_SHIFT
  }
  return putLiterals(input, literalsStart, end, 0, output, at)
}

function putLiterals(
  input: Uint8Array,
  start: number,
  end: number,
  matchExtra: number,
  output: Buffer,
  tokenAt: number,
): number {
  const count = end - start
  output[tokenAt] = (Math.min(count, 15) << 4) | Math.min(matchExtra, 15)
  const at = putMore(output, tokenAt + 1, count)
  copyBytes(input, start, output, at, count)
  return at + count
}

/** The bytes that carry what of a length is above 15. */
function putMore(output: Buffer, start: number, length: number): number {
  let at = start
  if (length < 15) return at
  let rest = length - 15
  for (; rest >= 255; rest -= 255) output[at++] = 255
  output[at++] = rest
  return at
}

/**
 * Decodes `input` from `start` to `end` to `output` at `outputStart`; returns where its bytes end there.
 *
 * Shape   matches reach back to `reach` in `output`; nothing is written at or beyond `limit`.
 * Errors  CompressionError, also where the block gives more than fits below `limit`.
 */
export function decodeLz4Block(
  input: Buffer,
  start: number,
  end: number,
  output: Buffer,
  outputStart: number,
  reach: number,
  limit: number,
): number {
  let position = start
  let at = outputStart
  while (position < end) {
    const token = input[position++] as number
    let literals = token >>> 4
    if (literals === 15) {
      const more = readMore(input, position, end)
      literals += more
      position += moreBytes(more)
    }
    if (literals > end - position || literals > limit - at) refuse()
    copyBytes(input, position, output, at, literals)
    position += literals
    at += literals
    if (position === end) return at

    if (end - position < 2) refuse()
    const offset = (input[position] as number) | ((input[position + 1] as number) << 8)
    position += 2
    let length = token & 15
    if (length === 15) {
      const more = readMore(input, position, end)
      length += more
      position += moreBytes(more)
    }
    length += MATCH_MIN
    if (offset === 0 || offset > at - reach || length > limit - at) refuse()
    if (length >= LONG_COPY_BYTES && offset >= length) {
      output.copyWithin(at, at - offset, at - offset + length)
      at += length
    } else {
      for (const stop = at + length; at < stop; at++) output[at] = output[at - offset] as number
    }
  }
  return refuse()
}

/** Every byte of 255 is followed by another. */
function readMore(input: Buffer, start: number, end: number): number {
  let more = 0
  for (let position = start; position < end; position++) {
    const byte = input[position] as number
    more += byte
    if (byte !== 255) return more
  }
  return refuse()
}

function moreBytes(more: number): number {
  return Math.floor(more / 255) + 1
}

function copyBytes(
  input: Uint8Array,
  from: number,
  output: Buffer,
  to: number,
  size: number,
): void {
  if (size >= LONG_COPY_BYTES) {
    output.set(input.subarray(from, from + size), to)
    return
  }
  for (let index = 0; index < size; index++) output[to + index] = input[from + index] as number
}

function refuse(): never {
  throw new CompressionError('an lz4 block reaches beyond its bytes or its bound')
}
