// Zigzag varints, as they are written. One form serves varint and varlong: what differs is how much the reader
// accepts. Zigzag puts the sign into the lowest bit, so the first byte holds it and six bits of the magnitude;
// that way numbers up to 2^53 need no BigInt.

/** Bytes that `value`, a safe integer, takes. */
export function varintSize(value: number): number {
  let magnitude = value < 0 ? -1 - value : value
  if (magnitude < 0x40) return 1
  if (magnitude < 0x2000) return 2
  if (magnitude < 0x100000) return 3
  if (magnitude < 0x8000000) return 4
  let size = 4
  for (magnitude = Math.floor(magnitude / 0x8000000); magnitude > 0; size++) {
    magnitude = Math.floor(magnitude / 0x80)
  }
  return size
}

/** Writes `value`, a safe integer, and returns the position behind it. */
export function putVarint(bytes: Uint8Array, position: number, value: number): number {
  const sign = value < 0 ? 1 : 0
  const magnitude = sign === 1 ? -1 - value : value
  if (magnitude < 0x40) {
    bytes[position] = (magnitude << 1) | sign
    return position + 1
  }
  if (magnitude < 0x2000) {
    bytes[position] = ((magnitude & 0x3f) << 1) | sign | 0x80
    bytes[position + 1] = magnitude >> 6
    return position + 2
  }
  return putLongVarint(bytes, position, sign, magnitude)
}

function putLongVarint(bytes: Uint8Array, start: number, sign: number, magnitude: number): number {
  let position = start
  bytes[position++] = ((magnitude % 0x40) << 1) | sign | 0x80
  let rest = Math.floor(magnitude / 0x40)
  while (rest >= 0x80) {
    bytes[position++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  bytes[position++] = rest
  return position
}
