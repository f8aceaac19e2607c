// Where batches go on behind damage. Enters: a segment file and a place in it. Leaves: the next place at which a whole
// batch with a right CRC begins that fits between its neighbours.
import {
  BATCH_HEADER_SIZE,
  batchBaseOffsetAt,
  batchCrcIsRight,
  batchLastOffsetAt,
  batchLeaderEpochAt,
  batchSizeAt,
} from '@minikafka/protocol'
import { type ChainRules, shapeOf } from './batch-chain.ts'
import type { Reads } from './file-window.ts'

const WINDOW_SIZE = 1024 * 1024
/** Sums over what looks like a batch: a segment made of headers must not take the square of its size. */
const SUMMED_PER_BYTE_MAX = 4
const MAGIC_POSITION = 16
const MAGIC_V2 = 2

export type ResyncRange = {
  /** Where the damage begins: behind it a batch may. */
  readonly from: number
  /** Size of the file. */
  readonly end: number
  /** The batch lies in these offsets, the second one not included. */
  readonly fromOffset: number
  readonly endOffset: number
}

/**
 * Looks at every byte behind the start of the damage.
 *
 * Errors  DiskError.
 * Holds   memory of one window and one batch, a turn of the loop per window. A value may hold what looks like a batch:
 *         where the length of the damaged one leads to a good one, nothing before counts but a row that ends there.
 */
export async function findNextBatch(
  file: Reads,
  range: ResyncRange,
  rules: ChainRules,
): Promise<{ readonly position: number; readonly offset: number } | undefined> {
  let summedBytes = 0
  const claim = await claimedEnd(file, range, rules)
  const window = Buffer.allocUnsafeSlow(Math.min(WINDOW_SIZE, range.end - range.from))
  for (let start = range.from + 1; start + BATCH_HEADER_SIZE <= range.end; ) {
    const bytes = window.subarray(0, await readFully(file, window, start, range.end))
    if (bytes.length < BATCH_HEADER_SIZE) return undefined
    for (const at of likelyStarts(bytes)) {
      const position = start + at
      if (!fits(bytes, at, range.end - position, range, rules)) continue
      summedBytes += batchSizeAt(bytes, at)
      if (summedBytes > SUMMED_PER_BYTE_MAX * (range.end - range.from)) return undefined
      if (!(await isWhole(file, bytes, at, position))) continue
      if (position < claim && !(await leadsTo(file, position, claim))) continue
      return { position, offset: batchBaseOffsetAt(bytes, at) }
    }
    // A header may begin in the last bytes of the window.
    start += bytes.length - BATCH_HEADER_SIZE + 1
  }
  return undefined
}

/** Where the damaged batch ends by its own length, if a whole batch begins there or the file ends; else `from`. */
async function claimedEnd(file: Reads, range: ResyncRange, rules: ChainRules): Promise<number> {
  const { from, end } = range
  const header = await headerAt(file, from, end)
  const size = header === undefined ? 0 : batchSizeAt(header)
  const claim = from + size
  if (size < BATCH_HEADER_SIZE || claim > end) return from
  if (claim === end) return claim
  const next = await headerAt(file, claim, end)
  if (next === undefined || !fits(next, 0, end - claim, range, rules)) return from
  return (await isWhole(file, next, 0, claim)) ? claim : from
}

/** Whether batches lie one behind the other from `position` to `end`. */
async function leadsTo(file: Reads, position: number, end: number): Promise<boolean> {
  let at = position
  while (at < end) {
    const header = await headerAt(file, at, end)
    if (header === undefined || shapeOf(header, 0, end - at) !== undefined) return false
    at += batchSizeAt(header)
  }
  return at === end
}

async function headerAt(file: Reads, position: number, end: number): Promise<Buffer | undefined> {
  const header = Buffer.allocUnsafeSlow(BATCH_HEADER_SIZE)
  return (await readFully(file, header, position, end)) === header.length ? header : undefined
}

/** Places of `bytes` at which a header with our magic would be whole. */
function* likelyStarts(bytes: Buffer): Generator<number> {
  const last = bytes.length - BATCH_HEADER_SIZE
  for (let at = 0; at <= last; at++) {
    const magicAt = bytes.indexOf(MAGIC_V2, at + MAGIC_POSITION)
    if (magicAt === -1) return
    at = magicAt - MAGIC_POSITION
    if (at <= last) yield at
  }
}

function fits(
  bytes: Buffer,
  at: number,
  bytesLeft: number,
  { fromOffset, endOffset }: ResyncRange,
  { epochs }: ChainRules,
): boolean {
  // The first two bytes of an offset below 2^53 are almost always zero: cheaper than the number.
  if (bytes[at] !== 0 || shapeOf(bytes, at, bytesLeft) !== undefined) return false
  const baseOffset = batchBaseOffsetAt(bytes, at)
  if (baseOffset < fromOffset || batchLastOffsetAt(bytes, at) >= endOffset) return false
  const span = epochs?.spanAt(baseOffset)
  return span === undefined || span.epoch === batchLeaderEpochAt(bytes, at)
}

async function isWhole(file: Reads, bytes: Buffer, at: number, position: number): Promise<boolean> {
  const size = batchSizeAt(bytes, at)
  if (at + size <= bytes.length) return batchCrcIsRight(bytes, at)
  const batch = Buffer.allocUnsafeSlow(size)
  return (
    (await readFully(file, batch, position, position + size)) === size && batchCrcIsRight(batch)
  )
}

/** How many bytes came: fewer where the file ends. */
async function readFully(
  file: Reads,
  into: Buffer,
  position: number,
  end: number,
): Promise<number> {
  const wanted = Math.min(into.length, end - position)
  let filled = 0
  while (filled < wanted) {
    const read = await file.read(into.subarray(filled, wanted), position + filled)
    if (read === 0) break
    filled += read
  }
  return filled
}
