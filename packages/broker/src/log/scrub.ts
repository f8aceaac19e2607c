// Reads a log as no reader does: every byte, from the disk, at a pace, to find what has rotted (REPLICATION 2.12.5).
// Enters: a log and who sets the pace. Leaves: damage, marked; counts.
import { DiskError } from '@minikafka/platform'
import { BatchChain } from './batch-chain.ts'
import type { Damage } from './damage.ts'
import type { Reads } from './file-window.ts'
import { headersCrcOf } from './headers-crc.ts'
import type { LogState } from './log-state.ts'
import type { Segment } from './segment.ts'
import { type SegmentAccess, SegmentReplaced } from './segment-access.ts'
import { inspectSegment } from './segment-inspection.ts'

export type ScrubReport = {
  readonly segments: number
  readonly bytes: number
  /** Places that were not known to be damaged before. */
  readonly damages: number
  /** What the disk said of segments that it did not give. */
  readonly unreadable: readonly DiskError[]
}

/** Called before each read, of 1 MiB at most. What it throws ends the scrub. */
export type ScrubPace = (bytes: number) => Promise<void>

export async function scrubLog(
  state: LogState,
  access: SegmentAccess,
  pace: ScrubPace,
): Promise<ScrubReport> {
  const unreadable: DiskError[] = []
  let segments = 0
  let bytes = 0
  let damages = 0
  const beforeRead: ScrubPace = async (count) => {
    await pace(count)
    bytes += count
  }
  for (const segment of [...state.segments]) {
    if (segment.size === 0 || !state.segments.includes(segment)) continue
    try {
      damages += await new SegmentScrub(state, access, segment).run(beforeRead)
      segments++
    } catch (error) {
      if (error instanceof SegmentReplaced) continue
      if (!(error instanceof DiskError)) throw error
      // Retention may have taken it meanwhile, or the topic was deleted.
      const isThere = state.segments.includes(segment) && state.dead === undefined
      if (isThere) unreadable.push(error)
    }
  }
  return { segments, bytes, damages, unreadable }
}

class SegmentScrub {
  readonly #state: LogState
  readonly #access: SegmentAccess
  readonly #segment: Segment
  /** As they are now: what is appended meanwhile comes next time. */
  readonly #size: number
  readonly #endOffset: number
  #sum = 0
  #isDamaged = false

  constructor(state: LogState, access: SegmentAccess, segment: Segment) {
    this.#state = state
    this.#access = access
    this.#segment = segment
    this.#size = segment.size
    this.#endOffset = segment.nextOffset
  }

  /** Returns how much was found that nobody knew. */
  async run(pace: ScrubPace): Promise<number> {
    const segment = this.#segment
    const { baseOffset } = segment
    const chain = new BatchChain(baseOffset, -1, this.#state.rules)
    let count = 0
    const inspected = {
      file: this.#paced(pace),
      baseOffset,
      size: this.#size,
      endOffset: this.#endOffset,
    }
    for await (const fact of inspectSegment(inspected, chain, 'sums')) {
      if (fact.kind === 'batch') this.#sum = headersCrcOf(fact.bytes, 0, this.#sum)
      else if (this.#mark(fact.damage)) count++
    }
    return count + (this.#fitsItsSum() ? 0 : 1)
  }

  /** The file is held for each read alone: whoever takes it away does not wait for the pace. */
  #paced(pace: ScrubPace): Reads {
    const segment = this.#segment
    return {
      read: async (into, position) => {
        await pace(into.length)
        if (!this.#state.segments.includes(segment))
          throw new DiskError('ENOENT', 'the segment was removed', segment.path)
        return await this.#access.withFile(segment, (file) => file.read(into, position))
      },
    }
  }

  #mark(damage: Damage): boolean {
    this.#isDamaged = true
    // The log may have been cut, or the segment removed, since it was read.
    if (!this.#isStill()) return false
    return this.#access.mark(damage)
  }

  /** Batches that are right by themselves and not those that were written: another file, or an old one, stands there. */
  #fitsItsSum(): boolean {
    const segment = this.#segment
    // What was appended before it was closed is in its sum and was not read.
    const isWhole = segment.size === this.#size
    const isSummed = segment !== this.#state.active && isWhole && this.#isStill()
    if (!isSummed || this.#isDamaged || this.#sum === segment.headersCrc) return true
    return !this.#access.mark({
      segmentBase: segment.baseOffset,
      position: 0,
      endPosition: this.#size,
      fromOffset: segment.baseOffset,
      nextOffset: this.#endOffset,
      reason: 'its headers are not those that were summed when it was closed',
    })
  }

  #isStill(): boolean {
    return this.#state.segments.includes(this.#segment) && this.#segment.size >= this.#size
  }
}
