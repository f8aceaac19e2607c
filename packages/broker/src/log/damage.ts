// Parts of a log that cannot be read any more. Enters: what a scan found. Leaves: words that name the place.

/** Offsets that a repair gave up for good; `partition.meta` lists them. */
export type Hole = {
  readonly fromOffset: number
  /** The first offset behind it. */
  readonly nextOffset: number
}

/** Bytes of a segment that are no batches, and the offsets that stood there. */
export type Damage = Hole & {
  /** Base offset of the segment. */
  readonly segmentBase: number
  readonly position: number
  /** Where batches go on in the file. */
  readonly endPosition: number
  /** What is wrong at `position`: a clause. */
  readonly reason: string
}

/** The offset itself, or the first one behind the holes that hold it. */
export function behindHoles(holes: readonly Hole[], offset: number): number {
  let behind = offset
  for (const { fromOffset, nextOffset } of holes)
    if (fromOffset <= behind && behind < nextOffset) behind = nextOffset
  return behind
}

/** `offset 5`, `offsets 5 to 9`, inclusive as people count. */
export function offsetsText({ fromOffset, nextOffset }: Hole): string {
  const last = nextOffset - 1
  if (last < fromOffset) return 'no offset'
  return last === fromOffset ? `offset ${last}` : `offsets ${fromOffset} to ${last}`
}
