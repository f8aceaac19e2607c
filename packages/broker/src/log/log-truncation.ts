// Cuts a log back: a follower whose log went another way than its leader's (REPLICATION 2.3).
// Enters: an offset, while nothing is queued, written or synced. Leaves: a log that ends there.
import { batchBaseOffsetAt, batchLastOffsetAt } from '@minikafka/protocol'
import { BatchChain } from './batch-chain.ts'
import type { GroupCommit } from './group-commit.ts'
import { walkHeaders } from './header-walk.ts'
import type { LogHost } from './log-host.ts'
import type { LogState } from './log-state.ts'
import type { Segment } from './segment.ts'
import { BrokenChain, type SegmentAccess } from './segment-access.ts'

/** Where a log can be cut: between two batches. */
export type CutPlace = {
  readonly segment: Segment
  readonly position: number
  /** The log ends here afterwards. */
  readonly offset: number
}

/** The start of the batch that holds `offset`, so that the batch goes whole. */
export async function findCut(
  state: LogState,
  access: SegmentAccess,
  offset: number,
): Promise<CutPlace> {
  const segment = state.segments[state.segmentIndexOf(offset)] as Segment
  let place: CutPlace = { segment, position: segment.size, offset: segment.nextOffset }
  if (offset <= segment.baseOffset) return { segment, position: 0, offset: segment.baseOffset }
  await access.walk(segment, offset, (bytes, at, position) => {
    if (batchLastOffsetAt(bytes, at) < offset) return undefined
    place = { segment, position, offset: batchBaseOffsetAt(bytes, at) }
    return false
  })
  return place
}

/** Both floors are at or below `place.offset` already, durably. */
export async function cutLog(
  host: LogHost,
  state: LogState,
  place: CutPlace,
  does: { commit: GroupCommit; access: SegmentAccess },
): Promise<void> {
  const { segment, position, offset } = place
  const { disk } = host.env
  const later = state.segments.filter(({ baseOffset }) => baseOffset > segment.baseOffset)
  state.segments = state.segments.filter((kept) => !later.includes(kept))
  if (state.tail) host.tail.cut(state.tail, offset)
  state.logEndOffset = offset
  state.durableEndOffset = Math.min(state.durableEndOffset, offset)
  state.logStartOffset = Math.min(state.logStartOffset, offset)
  state.epochs.cutEnd(offset)
  state.bad.dropFrom(offset)
  // From the end, so that a crash on the way leaves no hole.
  for (const { paths } of later.reverse()) {
    for (const path of paths) {
      host.files.drop(path)
      await disk.removeFile(path)
      // A reader may have opened it meanwhile; the next segment may get the same name.
      host.files.drop(path)
    }
  }
  for (const gone of later) does.commit.forget(gone)
  if (segment.exists) {
    await does.access.withFile(segment, async (file) => {
      await file.truncate(position)
      await file.sync()
      await noteAnew(state, segment, file, position)
    })
  }
  await disk.syncDirectory(state.directory)
  await state.epochs.save()
}

async function noteAnew(
  state: LogState,
  segment: Segment,
  file: Parameters<typeof walkHeaders>[0],
  end: number,
): Promise<void> {
  segment.reset()
  const chain = new BatchChain(segment.baseOffset, -1, state.rules)
  const broken = await walkHeaders(file, { from: 0, end }, chain, (bytes, at) => {
    const baseOffset = batchBaseOffsetAt(bytes, at)
    const nextOffset = batchLastOffsetAt(bytes, at) + 1
    segment.note(bytes, at, { baseOffset, nextOffset }, state.settings.indexIntervalBytes)
    return undefined
  })
  if (broken !== undefined) throw new BrokenChain(broken)
}
