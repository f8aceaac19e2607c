// Our own mutator: bytes that were valid, changed in the ways that break decoders.
// Enters: dice, bytes, other bytes to splice with. Leaves: new bytes; the old ones stay as they were.
import type { Dice } from './dice.ts'

const SIZE_MAX = 256 * 1024
/** Bounds of integers, first bytes of msgpack items, and what lies beside them. */
const TELLING_BYTES = [
  0x00, 0x01, 0x7f, 0x80, 0x81, 0x8f, 0x90, 0x91, 0x95, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xc4,
  0xc6, 0xc7, 0xca, 0xcb, 0xcc, 0xcf, 0xd0, 0xd3, 0xd4, 0xd6, 0xd9, 0xdb, 0xdc, 0xdd, 0xde, 0xdf,
  0xe0, 0xff,
]
const TELLING_NUMBERS = [0, 1, -1, 2, 127, 128, 255, 256, 32_767, 65_535, 2 ** 31 - 1, -(2 ** 31)]
const WIDTHS = [1, 2, 4, 8]

type Mutation = (bytes: Buffer, dice: Dice, others: readonly Buffer[]) => Buffer

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  tellByte,
  tellByte,
  putNumber,
  stepNumber,
  insert,
  remove,
  repeat,
  splice,
  cut,
  blank,
]

/** One to eight changes, mostly few. */
export function mutate(bytes: Buffer, dice: Dice, others: readonly Buffer[] = []): Buffer {
  let mutant: Buffer = Buffer.from(bytes)
  for (let count = dice.small(8); count > 0; count--) {
    mutant = dice.pick(MUTATIONS)(mutant, dice, others)
  }
  return mutant.subarray(0, SIZE_MAX)
}

function flipBit(bytes: Buffer, dice: Dice): Buffer {
  const at = dice.below(bytes.length)
  if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << dice.below(8))
  return bytes
}

function tellByte(bytes: Buffer, dice: Dice): Buffer {
  const at = dice.below(bytes.length)
  if (at < bytes.length) bytes[at] = dice.pick(TELLING_BYTES)
  return bytes
}

/** A length, a count, an offset: big-endian, as all numbers of ours. */
function putNumber(bytes: Buffer, dice: Dice): Buffer {
  const width = dice.pick(WIDTHS)
  const number = BigInt(dice.pick(TELLING_NUMBERS))
  return withNumber(bytes, dice, width, () => number)
}

function stepNumber(bytes: Buffer, dice: Dice): Buffer {
  const width = dice.pick(WIDTHS)
  const step = BigInt(dice.pick([1, -1, 2, -2, 16, -16]))
  return withNumber(bytes, dice, width, (number) => number + step)
}

function withNumber(
  bytes: Buffer,
  dice: Dice,
  width: number,
  change: (number: bigint) => bigint,
): Buffer {
  if (bytes.length < width) return bytes
  const at = dice.below(bytes.length - width + 1)
  let number = 0n
  for (let index = 0; index < width; index++) {
    number = (number << 8n) | BigInt(bytes[at + index] as number)
  }
  number = change(number)
  for (let index = width - 1; index >= 0; index--) {
    bytes[at + index] = Number(number & 0xffn)
    number >>= 8n
  }
  return bytes
}

function insert(bytes: Buffer, dice: Dice): Buffer {
  const at = dice.below(bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, at), dice.bytes(dice.small(40)), bytes.subarray(at)])
}

function remove(bytes: Buffer, dice: Dice): Buffer {
  const at = dice.below(bytes.length)
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + dice.small(40))])
}

function repeat(bytes: Buffer, dice: Dice): Buffer {
  const at = dice.below(bytes.length)
  const piece = bytes.subarray(at, at + dice.below(64))
  const times = dice.chance(0.05) ? dice.below(300) : dice.small(5)
  const pieces = Array.from({ length: times }, () => piece)
  return Buffer.concat([bytes.subarray(0, at), ...pieces, bytes.subarray(at)])
}

function splice(bytes: Buffer, dice: Dice, others: readonly Buffer[]): Buffer {
  if (others.length === 0) return bytes
  const other = dice.pick(others)
  const from = dice.below(other.length)
  return Buffer.concat([bytes.subarray(0, dice.below(bytes.length + 1)), other.subarray(from)])
}

function cut(bytes: Buffer, dice: Dice): Buffer {
  return bytes.subarray(0, dice.below(bytes.length + 1))
}

/** As a disk gives back what was never written. */
function blank(bytes: Buffer, dice: Dice): Buffer {
  const at = dice.below(bytes.length)
  bytes.subarray(at, at + dice.below(600)).fill(dice.chance(0.7) ? 0 : 0xff)
  return bytes
}
