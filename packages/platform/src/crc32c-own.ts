// CRC-32C in JavaScript, eight bytes a step. Source: Kounavis and Berry, "A Systematic Approach to Building High
// Performance Software-based CRC Generators" (slicing-by-8).

const POLYNOMIAL = 0x82f63b78
const SLICES = 8

const tables: readonly Int32Array[] = makeTables()

export function crc32cOwn(bytes: Uint8Array, previous = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
  ]
  let crc = ~previous
  let at = 0
  const byte = (index: number) => bytes[index] as number
  for (const end = bytes.length - SLICES; at <= end; at += SLICES) {
    const low = crc ^ (byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16) | (byte(at + 3) << 24))
    crc =
      (t7[low & 0xff] as number) ^
      (t6[(low >>> 8) & 0xff] as number) ^
      (t5[(low >>> 16) & 0xff] as number) ^
      (t4[low >>> 24] as number) ^
      (t3[byte(at + 4)] as number) ^
      (t2[byte(at + 5)] as number) ^
      (t1[byte(at + 6)] as number) ^
      (t0[byte(at + 7)] as number)
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ (t0[(crc ^ byte(at)) & 0xff] as number)
  return ~crc >>> 0
}

/** Table n tells what a byte does to the sum when n more bytes follow it. */
function makeTables(): Int32Array[] {
  const first = new Int32Array(256)
  for (let value = 0; value < 256; value++) {
    let crc = value
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    first[value] = crc
  }
  const all = [first]
  for (let slice = 1; slice < SLICES; slice++) {
    const before = all[slice - 1] as Int32Array
    all.push(before.map((crc) => (first[crc & 0xff] as number) ^ (crc >>> 8)))
  }
  return all
}
