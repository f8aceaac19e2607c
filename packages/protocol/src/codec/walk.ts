// Walks msgpack before anything is built from it, and allocates nothing (SECURITY "Node specifics").
// Enters: bytes. Leaves: the position after one item, or a WireError at the item that is not our language.
import { isUtf8Between } from './utf8.ts'
import { WireError } from './wire-error.ts'

/**
 * Walks one item with all that is in it.
 *
 * Holds   every declared element is there, arrays nest at most `depthMax` deep, strings are UTF-8, and there are no
 *         maps, extensions or reserved bytes: the reader may then read without checking bounds.
 */
export function walkItem(
  bytes: Uint8Array,
  position: number,
  end: number,
  depthMax: number,
): number {
  if (position >= end) throw new WireError('malformed', position, 'the frame ends too early')
  const lead = bytes[position] as number
  if (lead < 0x80 || lead >= 0xe0) return position + 1
  if (lead >= 0xa0 && lead < 0xc0) return walkString(bytes, position, 1, lead & 0x1f, end)
  if (lead >= 0x90 && lead < 0xa0) return walkArray(bytes, position, 1, lead & 0x0f, end, depthMax)
  return walkLong(bytes, position, end, depthMax)
}

/** Items whose first byte says only their kind. */
function walkLong(bytes: Uint8Array, position: number, end: number, depthMax: number): number {
  const lead = bytes[position] as number
  switch (lead) {
    case 0xc0: // nil, false, true
    case 0xc2:
    case 0xc3:
      return position + 1
    case 0xcc: // uint 8, int 8
    case 0xd0:
      return checkEnd(position, position + 2, end)
    case 0xcd: // uint 16, int 16
    case 0xd1:
      return checkEnd(position, position + 3, end)
    case 0xca: // float 32, uint 32, int 32
    case 0xce:
    case 0xd2:
      return checkEnd(position, position + 5, end)
    case 0xcb: // float 64, uint 64, int 64
    case 0xcf:
    case 0xd3:
      return checkEnd(position, position + 9, end)
    default:
      return walkSized(bytes, position, end, depthMax)
  }
}

/** Items that say their size or count: str, bin, array. All others are refused. */
function walkSized(bytes: Uint8Array, position: number, end: number, depthMax: number): number {
  const lead = bytes[position] as number
  const width = sizeWidth(lead)
  if (width === 0) throw new WireError('malformed', position, `${refusedKind(lead)} is not allowed`)
  checkEnd(position, position + 1 + width, end)
  const size = uintAt(bytes, position + 1, width)
  if (lead >= 0xdc) return walkArray(bytes, position, 1 + width, size, end, depthMax)
  if (lead >= 0xd9) return walkString(bytes, position, 1 + width, size, end)
  return checkEnd(position, position + 1 + width + size, end)
}

function walkString(
  bytes: Uint8Array,
  position: number,
  headerSize: number,
  size: number,
  end: number,
): number {
  const after = checkEnd(position, position + headerSize + size, end)
  if (isUtf8Between(bytes, position + headerSize, after)) return after
  throw new WireError('malformed', position, 'the string is not UTF-8')
}

function walkArray(
  bytes: Uint8Array,
  position: number,
  headerSize: number,
  count: number,
  end: number,
  depthMax: number,
): number {
  if (depthMax === 0) throw new WireError('malformed', position, 'arrays are nested too deep')
  let next = position + headerSize
  // An item takes a byte at least: a count of two thousand million in a hundred bytes ends here.
  if (count > end - next) {
    throw new WireError('malformed', position, 'the array announces more items than there are')
  }
  for (let index = 0; index < count; index++) next = walkItem(bytes, next, end, depthMax - 1)
  return next
}

function checkEnd(position: number, after: number, end: number): number {
  if (after <= end) return after
  throw new WireError('malformed', position, 'the item is longer than the frame')
}

/** Bytes of the size that follows the lead byte; 0 where such an item is not allowed. */
export function sizeWidth(lead: number): 0 | 1 | 2 | 4 {
  switch (lead) {
    case 0xc4: // bin 8, str 8
    case 0xd9:
      return 1
    case 0xc5: // bin 16, str 16, array 16
    case 0xda:
    case 0xdc:
      return 2
    case 0xc6: // bin 32, str 32, array 32
    case 0xdb:
    case 0xdd:
      return 4
    default:
      return 0
  }
}

/** Big-endian, unsigned. */
export function uintAt(bytes: Uint8Array, position: number, width: 1 | 2 | 4): number {
  let value = 0
  for (let index = 0; index < width; index++) {
    value = value * 256 + (bytes[position + index] as number)
  }
  return value
}

function refusedKind(lead: number): string {
  if ((lead >= 0x80 && lead < 0x90) || lead === 0xde || lead === 0xdf) return 'a map'
  return lead === 0xc1 ? 'the reserved byte 0xc1' : 'an extension'
}
