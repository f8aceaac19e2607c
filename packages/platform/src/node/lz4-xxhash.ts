// xxhash32 with seed 0: the checksum of lz4 frames. Source: Cyan4973/xxHash, doc/xxhash_spec.md.

const PRIME_1 = 0x9e3779b1 | 0
const PRIME_2 = 0x85ebca77 | 0
const PRIME_3 = 0xc2b2ae3d | 0
const PRIME_4 = 0x27d4eb2f
const PRIME_5 = 0x165667b1
const STRIPE_BYTES = 16

/** Over `bytes` from `start` to `end`; unsigned 32 bits. */
export function xxhash32(bytes: Uint8Array, start: number, end: number): number {
  const size = end - start
  const stripesEnd = start + size - (size % STRIPE_BYTES)
  let hash = (stripesEnd === start ? PRIME_5 : sumStripes(bytes, start, stripesEnd)) + size
  let position = stripesEnd
  for (; position + 4 <= end; position += 4) {
    hash = Math.imul(rotate(hash + Math.imul(word(bytes, position), PRIME_3), 17), PRIME_4)
  }
  for (; position < end; position++) {
    hash = Math.imul(rotate(hash + Math.imul(bytes[position] as number, PRIME_5), 11), PRIME_1)
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2)
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3)
  return (hash ^ (hash >>> 16)) >>> 0
}

function sumStripes(bytes: Uint8Array, start: number, end: number): number {
  let a = (PRIME_1 + PRIME_2) | 0
  let b = PRIME_2
  let c = 0
  let d = -PRIME_1 | 0
  for (let position = start; position < end; position += STRIPE_BYTES) {
    a = round(a, word(bytes, position))
    b = round(b, word(bytes, position + 4))
    c = round(c, word(bytes, position + 8))
    d = round(d, word(bytes, position + 12))
  }
  return (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0
}

function round(lane: number, input: number): number {
  return Math.imul(rotate(lane + Math.imul(input, PRIME_2), 13), PRIME_1)
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

function word(bytes: Uint8Array, position: number): number {
  return (
    (bytes[position] as number) |
    ((bytes[position + 1] as number) << 8) |
    ((bytes[position + 2] as number) << 16) |
    ((bytes[position + 3] as number) << 24)
  )
}
