// Is it UTF-8? Without allocating for short strings, which is what names are.
import { isUtf8 } from 'node:buffer'

/** Below this the loop is faster than making a view for the native check. */
const VIEW_PAYS_FROM = 64

export function isUtf8Between(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start >= VIEW_PAYS_FROM) return isUtf8(bytes.subarray(start, end))
  let position = start
  while (position < end) {
    if ((bytes[position] as number) < 0x80) position++
    else {
      const size = sequenceSize(bytes, position, end)
      if (size === 0) return false
      position += size
    }
  }
  return true
}

/** Bytes of the multi-byte sequence at `position`; 0 where it is none. Source: Unicode 15, table 3-7. */
function sequenceSize(bytes: Uint8Array, position: number, end: number): number {
  const lead = bytes[position] as number
  const size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2
  if (lead < 0xc2 || lead > 0xf4 || position + size > end) return 0
  const second = bytes[position + 1] as number
  // Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte.
  const min = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  const max = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  if (second < min || second > max) return 0
  for (let index = 2; index < size; index++) {
    if (((bytes[position + index] as number) & 0xc0) !== 0x80) return 0
  }
  return size
}
