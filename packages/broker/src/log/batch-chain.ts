// What every header must say after the one before it: all that the CRC of a batch leaves out (REPLICATION 2.3).
// Enters: headers in file order. Leaves: a sentence where one does not follow, which is corruption or a torn tail.
import {
  BATCH_HEADER_SIZE,
  batchBaseOffsetAt,
  batchLastOffsetAt,
  batchLeaderEpochAt,
  batchMagicAt,
  batchSizeAt,
} from '@minikafka/protocol'
import type { Hole } from './damage.ts'
import type { EpochSpan } from './leader-epochs.ts'

/** No batch is larger: `message.max.bytes` ends at 15 MiB. What claims to be is damage, and is never allocated. */
export const BATCH_BYTES_MAX = 16 * 1024 * 1024

const MAGIC_V2 = 2

/** What is known of a log that its headers must fit. */
export type ChainRules = {
  /** Below it compaction may have left gaps between offsets. */
  readonly compactedBelow: number
  /** Offsets that a repair gave up: the batch before ends where one begins, the next one begins where it ends. */
  readonly holes: readonly Hole[]
  /** The epoch that an offset was written in, by the checkpoint; undefined: the headers alone say it. */
  readonly epochs: { spanAt(offset: number): EpochSpan | undefined } | undefined
}

export class BatchChain {
  /** Base offset that the next batch must have; below `compactedBelow` at least this. */
  nextOffset: number
  /** Leader epochs never go back. */
  leaderEpoch: number
  /** The next batch begins at `nextOffset` itself, whatever may be missing: an entry of the index says so. */
  isExact = false
  readonly rules: ChainRules
  /** Of the batch before, so that not every header asks for it anew. */
  #span: EpochSpan | undefined

  constructor(nextOffset: number, leaderEpoch: number, rules: ChainRules) {
    this.nextOffset = nextOffset
    this.leaderEpoch = leaderEpoch
    this.rules = rules
  }

  /**
   * Checks the header at `position` of `bytes` and moves behind it.
   *
   * Shape   61 bytes are there. `bytesLeft`: from the start of this batch to the end of its file.
   * Holds   returns undefined and has moved, or a sentence and has not.
   */
  step(bytes: Uint8Array, position: number, bytesLeft: number): string | undefined {
    const reason = this.check(bytes, position, bytesLeft)
    if (reason !== undefined) return reason
    this.isExact = false
    this.nextOffset = batchLastOffsetAt(bytes, position) + 1
    this.leaderEpoch = batchLeaderEpochAt(bytes, position)
    return undefined
  }

  /** As `step`, and stays where it is. */
  check(bytes: Uint8Array, position: number, bytesLeft: number): string | undefined {
    const wrong = shapeOf(bytes, position, bytesLeft)
    if (wrong !== undefined) return wrong
    const baseOffset = batchBaseOffsetAt(bytes, position)
    if (!this.follows(baseOffset)) return `base offset ${baseOffset} instead of ${this.nextOffset}`
    const leaderEpoch = batchLeaderEpochAt(bytes, position)
    if (leaderEpoch < this.leaderEpoch)
      return `leader epoch ${leaderEpoch} after ${this.leaderEpoch}`
    return this.#epochOf(baseOffset, leaderEpoch)
  }

  /** Whether a batch or a segment that begins at `baseOffset` may come next. */
  follows(baseOffset: number): boolean {
    const { nextOffset, rules } = this
    if (baseOffset === nextOffset) return true
    if (this.isExact) return false
    if (!Number.isSafeInteger(baseOffset) || baseOffset < nextOffset) return false
    // Compaction leaves gaps; also the gap that ends at compactedBelow itself (REPLICATION 2.12.1).
    if (nextOffset < rules.compactedBelow) return true
    return rules.holes.some(
      (hole) => hole.fromOffset <= nextOffset && hole.nextOffset === baseOffset,
    )
  }

  /** An epoch is durable in the checkpoint before a batch carries it, so that any other one is damage. */
  #epochOf(baseOffset: number, leaderEpoch: number): string | undefined {
    const { epochs } = this.rules
    if (epochs === undefined || isIn(this.#span, baseOffset, leaderEpoch)) return undefined
    this.#span = epochs.spanAt(baseOffset)
    if (this.#span === undefined || this.#span.epoch === leaderEpoch) return undefined
    return `leader epoch ${leaderEpoch} instead of ${this.#span.epoch}`
  }
}

/** What is wrong with a header whatever stands before it. */
export function shapeOf(
  bytes: Uint8Array,
  position: number,
  bytesLeft: number,
): string | undefined {
  const magic = batchMagicAt(bytes, position)
  if (magic !== MAGIC_V2) return `magic ${magic} instead of ${MAGIC_V2}`
  const size = batchSizeAt(bytes, position)
  if (size < BATCH_HEADER_SIZE || size > BATCH_BYTES_MAX) return `a batch of ${size} bytes`
  if (size > bytesLeft) return `a batch of ${size} bytes of which ${bytesLeft} are there`
  const lastOffset = batchLastOffsetAt(bytes, position)
  const isLast =
    Number.isSafeInteger(lastOffset) && lastOffset >= batchBaseOffsetAt(bytes, position)
  return isLast ? undefined : `last offset ${lastOffset}`
}

function isIn(span: EpochSpan | undefined, offset: number, epoch: number): boolean {
  return span?.epoch === epoch && offset >= span.startOffset && offset < span.endOffset
}
