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

/** No batch is larger: `message.max.bytes` ends at 15 MiB. What claims to be is damage, and is never allocated. */
export const BATCH_BYTES_MAX = 16 * 1024 * 1024

const MAGIC_V2 = 2

export class BatchChain {
  /** Base offset that the next batch must have; below `compactedBelow` at least this. */
  nextOffset: number
  /** Leader epochs never go back. */
  leaderEpoch: number
  readonly #compactedBelow: number

  constructor(nextOffset: number, leaderEpoch: number, compactedBelow: number) {
    this.nextOffset = nextOffset
    this.leaderEpoch = leaderEpoch
    this.#compactedBelow = compactedBelow
  }

  /**
   * Checks the header at `position` of `bytes` and moves behind it.
   *
   * Shape   61 bytes are there. `bytesLeft`: from the start of this batch to the end of its file.
   * Holds   returns undefined and has moved, or a sentence and has not.
   */
  step(bytes: Uint8Array, position: number, bytesLeft: number): string | undefined {
    const magic = batchMagicAt(bytes, position)
    if (magic !== MAGIC_V2) return `magic ${magic} instead of ${MAGIC_V2}`
    const size = batchSizeAt(bytes, position)
    if (size < BATCH_HEADER_SIZE || size > BATCH_BYTES_MAX) return `a batch of ${size} bytes`
    if (size > bytesLeft) return `a batch of ${size} bytes of which ${bytesLeft} are there`
    const baseOffset = batchBaseOffsetAt(bytes, position)
    const lastOffset = batchLastOffsetAt(bytes, position)
    if (!this.#follows(baseOffset)) return `base offset ${baseOffset} instead of ${this.nextOffset}`
    if (!Number.isSafeInteger(lastOffset) || lastOffset < baseOffset)
      return `last offset ${lastOffset}`
    const leaderEpoch = batchLeaderEpochAt(bytes, position)
    if (leaderEpoch < this.leaderEpoch)
      return `leader epoch ${leaderEpoch} after ${this.leaderEpoch}`
    this.nextOffset = lastOffset + 1
    this.leaderEpoch = leaderEpoch
    return undefined
  }

  #follows(baseOffset: number): boolean {
    if (baseOffset === this.nextOffset) return true
    // Compaction leaves gaps; also the gap that ends at compactedBelow itself (REPLICATION 2.12.1).
    return (
      Number.isSafeInteger(baseOffset) &&
      baseOffset > this.nextOffset &&
      this.nextOffset < this.#compactedBelow
    )
  }
}
