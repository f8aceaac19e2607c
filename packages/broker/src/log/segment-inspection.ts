// Reads a segment file from a place to its end, and on behind what is damaged, which recovery does not. Changes nothing.
// Enters: an open file. Leaves: facts, in file order: a batch each, or a part that is no batch any more.
import { crc32c } from '@minikafka/platform'
import { BATCH_HEADER_SIZE, batchSizeAt, readBatchHeader } from '@minikafka/protocol'
import type { BatchChain } from './batch-chain.ts'
import type { Damage } from './damage.ts'
import { FileWindow, type Reads } from './file-window.ts'
import { findNextBatch } from './resync.ts'

/** No read is larger, but for a batch whose bytes are asked for whole. */
const WINDOW_SIZE = 1024 * 1024
/** From here on the CRC sums a batch. */
const SUMMED_FROM = 21

export type InspectedSegment = {
  readonly file: Reads
  readonly baseOffset: number
  readonly size: number
  /** Where the next segment begins; undefined: nothing says where this one should end. */
  readonly endOffset: number | undefined
}

/** `headers`: no CRC is looked at. `sums`: every byte is read. `bytes`: and each batch is handed out whole. */
export type InspectionDepth = 'headers' | 'sums' | 'bytes'

export type InspectedBatch = {
  readonly kind: 'batch'
  readonly position: number
  /** A view, valid until the next fact: the header, or with `bytes` the whole batch. */
  readonly bytes: Buffer
}

export type InspectedDamage = {
  readonly kind: 'damage'
  readonly damage: Damage
  /** As of a batch, where its place is sure and only the CRC is wrong. */
  readonly bytes: Buffer | undefined
}

type Fact = InspectedBatch | InspectedDamage
/** What stands at a position. */
type Look = { readonly reason: string | undefined; readonly size: number; readonly bytes: Buffer }

/**
 * Every batch from `from` on.
 *
 * Shape   `chain` expects the batch at `from`; afterwards it is behind the last one.
 * Errors  DiskError.
 * Holds   memory of a window, and of one batch with `bytes` or behind damage.
 */
export async function* inspectSegment(
  segment: InspectedSegment,
  chain: BatchChain,
  depth: InspectionDepth,
  from = 0,
): AsyncGenerator<Fact> {
  const { file, size } = segment
  const header = Buffer.allocUnsafeSlow(BATCH_HEADER_SIZE)
  let window = new FileWindow(file, size, WINDOW_SIZE)
  let position = from
  while (position < size) {
    const { nextOffset: offset, leaderEpoch } = chain
    const look = await lookAt(window, position, size, { chain, depth, header })
    const isBatch = look.size > 0
    if (isBatch && look.reason === undefined) {
      yield { kind: 'batch', position, bytes: look.bytes }
      position += look.size
      continue
    }
    const place = { segmentBase: segment.baseOffset, position, fromOffset: offset }
    const reason = look.reason as string
    const bytes = Buffer.from(look.bytes)
    // A wrong CRC may be a wrong length or a wrong count just as well, if nothing follows where it says.
    if (isBatch && (await continues(window, position + look.size, segment, chain))) {
      const endPosition = position + look.size
      const damage = { ...place, endPosition, nextOffset: chain.nextOffset, reason }
      yield { kind: 'damage', damage, bytes }
      position = endPosition
      continue
    }
    chain.leaderEpoch = leaderEpoch
    const end = await resync(segment, position, offset, chain)
    yield { kind: 'damage', damage: { ...place, ...end, reason }, bytes: undefined }
    chain.nextOffset = end.nextOffset
    position = end.endPosition
    window = new FileWindow(file, size, WINDOW_SIZE)
  }
  if (segment.endOffset !== undefined && !chain.follows(segment.endOffset))
    yield {
      kind: 'damage',
      damage: missingEnd(segment, segment.endOffset, chain),
      bytes: undefined,
    }
}

/** All that is there is right, and the next segment begins too late. */
function missingEnd(
  { baseOffset, size }: InspectedSegment,
  endOffset: number,
  chain: BatchChain,
): Damage {
  const { nextOffset: fromOffset } = chain
  chain.nextOffset = Math.max(fromOffset, endOffset)
  const reason = `ends at offset ${fromOffset}, what follows begins at ${endOffset}`
  const place = { segmentBase: baseOffset, position: size, endPosition: size }
  return { ...place, fromOffset, nextOffset: chain.nextOffset, reason }
}

/** The first damage that begins at or behind a place and before `until`. */
export async function damageFrom(
  segment: InspectedSegment,
  at: { readonly position: number; readonly offset: number },
  chain: BatchChain,
  { depth, until = at.position + 1 }: { depth: InspectionDepth; until?: number },
): Promise<Damage | undefined> {
  chain.nextOffset = at.offset
  for await (const fact of inspectSegment(segment, chain, depth, at.position)) {
    if (fact.kind === 'damage') return fact.damage.position < until ? fact.damage : undefined
    if (fact.position + batchSizeAt(fact.bytes) >= until) return undefined
  }
  return undefined
}

/** Size 0: no batch begins here. With a reason and a size it is one whose CRC is wrong; the chain is behind it. */
async function lookAt(
  window: FileWindow,
  position: number,
  end: number,
  { chain, depth, header }: { chain: BatchChain; depth: InspectionDepth; header: Buffer },
): Promise<Look> {
  const bytesLeft = end - position
  if (bytesLeft < BATCH_HEADER_SIZE) return nothing(`${bytesLeft} bytes, less than a header`)
  const at = await window.need(position, BATCH_HEADER_SIZE)
  if (at === undefined) return nothing(ENDS_EARLY)
  const reason = chain.step(window.buffer, at, bytesLeft)
  if (reason !== undefined) return nothing(reason)
  const size = batchSizeAt(window.buffer, at)
  // What a window holds is overwritten by the next read.
  window.buffer.copy(header, 0, at, at + BATCH_HEADER_SIZE)
  if (depth === 'headers') return { reason: undefined, size, bytes: header }
  const whole = depth === 'bytes' ? await window.need(position, size) : undefined
  const sum = await sumOf(window, position + SUMMED_FROM, position + size)
  if (sum === undefined) return nothing(ENDS_EARLY)
  const bytes = whole === undefined ? header : window.buffer.subarray(whole, whole + size)
  return { reason: sum === readBatchHeader(header).crc ? undefined : WRONG_CRC, size, bytes }
}

function nothing(reason: string): Look {
  return { reason, size: 0, bytes: Buffer.alloc(0) }
}

const ENDS_EARLY = 'the file ends early'
const WRONG_CRC = 'a wrong CRC'

/** In parts, so that a large batch takes no more memory than a small one. */
async function sumOf(window: FileWindow, from: number, end: number): Promise<number | undefined> {
  let sum = 0
  for (let position = from; position < end; ) {
    const size = Math.min(WINDOW_SIZE, end - position)
    const ready = window.need(position, size)
    const at = ready instanceof Promise ? await ready : ready
    if (at === undefined) return undefined
    sum = crc32c(window.buffer.subarray(at, at + size), sum)
    position += size
  }
  return sum
}

/** Whether what stands at `position` follows on what `chain` believes. */
async function continues(
  window: FileWindow,
  position: number,
  { size, endOffset }: InspectedSegment,
  chain: BatchChain,
): Promise<boolean> {
  if (position === size) return endOffset === undefined || chain.follows(endOffset)
  const bytesLeft = size - position
  if (bytesLeft < BATCH_HEADER_SIZE) return false
  const header = await window.need(position, BATCH_HEADER_SIZE)
  return header !== undefined && chain.check(window.buffer, header, bytesLeft) === undefined
}

async function resync(
  { file, size, endOffset }: InspectedSegment,
  position: number,
  fromOffset: number,
  chain: BatchChain,
): Promise<{ endPosition: number; nextOffset: number }> {
  const range = {
    from: position,
    end: size,
    fromOffset,
    endOffset: endOffset ?? Number.MAX_SAFE_INTEGER,
  }
  const found = await findNextBatch(file, range, chain.rules)
  if (found !== undefined) return { endPosition: found.position, nextOffset: found.offset }
  return { endPosition: size, nextOffset: Math.max(fromOffset, endOffset ?? fromOffset) }
}
