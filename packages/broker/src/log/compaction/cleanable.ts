// What of a log can be compacted now, and how much of it has not been. Pure.
// Enters: segments, settings and the clock. Leaves: a range of offsets and its share; groups of segments to be made one.
import { RELATIVE_OFFSET_MAX } from '../offset-index.ts'

/** What is asked about a segment. */
export type SegmentFacts = {
  readonly baseOffset: number
  /** Where the next one begins. */
  readonly nextOffset: number
  readonly size: number
  /** -1: no record has one. */
  readonly maxTimestamp: number
}

export type CleaningLimits = {
  /** All below was compacted by a pass that ended. */
  readonly firstDirtyOffset: number
  /** Nothing from here on may be looked at: high watermark, last stable offset, the first damaged segment. */
  readonly below: number
  readonly nowMs: number
  readonly minCompactionLagMs: number
}

export type Cleanable = {
  readonly firstDirtyOffset: number
  /** Where the last segment ends that may be compacted. */
  readonly endOffset: number
  readonly cleanBytes: number
  readonly dirtyBytes: number
}

/**
 * Whole segments from the front, never the active one.
 *
 * Shape   `segments`: all of the log, ascending, the last one active.
 * Source  Kafka LogCleanerManager.cleanableOffsets.
 */
export function cleanableOf(
  segments: readonly SegmentFacts[],
  { firstDirtyOffset, below, nowMs, minCompactionLagMs }: CleaningLimits,
): Cleanable {
  const youngestMs = nowMs - minCompactionLagMs
  let endOffset = segments[0]?.baseOffset ?? 0
  let cleanBytes = 0
  let dirtyBytes = 0
  for (const segment of segments.slice(0, -1)) {
    const isDirty = segment.nextOffset > firstDirtyOffset
    const isYoung = minCompactionLagMs > 0 && segment.maxTimestamp > youngestMs
    if (segment.nextOffset > below || (isDirty && isYoung)) break
    if (isDirty) dirtyBytes += segment.size
    else cleanBytes += segment.size
    endOffset = segment.nextOffset
  }
  return { firstDirtyOffset, endOffset, cleanBytes, dirtyBytes }
}

/** Which share of what can be compacted has not been: 0 to 1. */
export function dirtyShare({ cleanBytes, dirtyBytes }: Cleanable): number {
  return dirtyBytes === 0 ? 0 : dirtyBytes / (cleanBytes + dirtyBytes)
}

/**
 * Neighbours that become one segment: together no larger than a segment may be before they are cleaned.
 *
 * Shape   only segments that begin below `endOffset`; each group has one at least.
 */
export function groupsOf<S extends SegmentFacts>(
  segments: readonly S[],
  endOffset: number,
  segmentBytes: number,
): S[][] {
  const groups: S[][] = []
  let bytes = 0
  for (const segment of segments.slice(0, -1)) {
    if (segment.baseOffset >= endOffset) break
    const group = groups.at(-1)
    const first = group?.[0]
    bytes += segment.size
    const fits =
      first !== undefined &&
      bytes <= segmentBytes &&
      segment.nextOffset - first.baseOffset <= RELATIVE_OFFSET_MAX
    if (fits) group?.push(segment)
    else {
      groups.push([segment])
      bytes = segment.size
    }
  }
  return groups
}
