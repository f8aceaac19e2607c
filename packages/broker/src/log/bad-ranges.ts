// What of an open log cannot be read: damage that was found, and holes that a repair left.
// Enters: damage, as it is found. Leaves: for an offset, whether it can be read and where reading has to stop or begin.
import type { Damage, Hole } from './damage.ts'

/** More places than these in one log are one: the rest of their segment. */
const DAMAGES_MAX = 256

export class BadRanges {
  readonly #holes: readonly Hole[]
  /** Ascending, apart from one another. */
  #damages: readonly Damage[] = []

  constructor(holes: readonly Hole[]) {
    this.#holes = holes
  }

  get damages(): readonly Damage[] {
    return this.#damages
  }

  /** The one that holds `offset`. */
  at(offset: number): Hole | Damage | undefined {
    const holds = (bad: Hole) => bad.fromOffset <= offset && offset < bad.nextOffset
    return this.#damages.find(holds) ?? this.#holes.find(holds)
  }

  /** Where the first one above `offset` begins. One without offsets (bytes behind the last batch) keeps nobody out. */
  nextFrom(offset: number): number {
    let next = Number.POSITIVE_INFINITY
    const look = ({ fromOffset, nextOffset }: Hole) => {
      if (fromOffset >= offset && nextOffset > fromOffset) next = Math.min(next, fromOffset)
    }
    this.#holes.forEach(look)
    this.#damages.forEach(look)
    return next
  }

  /** Damage of one segment, ascending. */
  in(segmentBase: number): readonly Damage[] {
    if (this.#damages.length === 0) return this.#damages
    return this.#damages.filter((damage) => damage.segmentBase === segmentBase)
  }

  /** Where to look for `offset` in a segment: behind the last damage before it, if that is later than `hit`. */
  startFor<Place extends { readonly offset: number; readonly position: number }>(
    segmentBase: number,
    offset: number,
    hit: Place,
  ): Place | { readonly offset: number; readonly position: number } {
    const last = this.in(segmentBase).findLast(({ nextOffset }) => nextOffset <= offset)
    if (last === undefined || last.endPosition <= hit.position) return hit
    return { offset: last.nextOffset, position: last.endPosition }
  }

  /** False: all of it was known. */
  mark(damage: Damage): boolean {
    const isKnown = this.#damages.some((known) => covers(known, damage))
    if (isKnown) return false
    const { length } = this.#damages
    const apart = this.#damages.filter((known) => !touches(known, damage))
    const joined = this.#damages.filter((known) => touches(known, damage)).reduce(join, damage)
    const tooMany = length >= DAMAGES_MAX
    this.#damages = [...apart, joined].sort((a, b) => a.fromOffset - b.fromOffset)
    if (tooMany) this.#damages = joinedBySegment(this.#damages)
    return true
  }

  /** The log is cut at `offset`. */
  dropFrom(offset: number): void {
    this.#damages = this.#damages.filter(({ fromOffset }) => fromOffset < offset)
  }

  /** Records below `offset` are deleted, and nobody misses them. True: something went. */
  dropBelow(offset: number): boolean {
    const kept = this.#damages.filter(({ nextOffset }) => nextOffset > offset)
    const changed = kept.length < this.#damages.length
    if (changed) this.#damages = kept
    return changed
  }
}

function covers(known: Damage, found: Damage): boolean {
  return (
    known.segmentBase === found.segmentBase &&
    known.position <= found.position &&
    known.endPosition >= found.endPosition &&
    known.fromOffset <= found.fromOffset &&
    known.nextOffset >= found.nextOffset
  )
}

function touches(one: Damage, other: Damage): boolean {
  return (
    one.segmentBase === other.segmentBase &&
    one.position <= other.endPosition &&
    other.position <= one.endPosition
  )
}

function join(one: Damage, other: Damage): Damage {
  const [first, last] = one.position <= other.position ? [one, other] : [other, one]
  return {
    ...first,
    endPosition: Math.max(first.endPosition, last.endPosition),
    nextOffset: Math.max(first.nextOffset, last.nextOffset),
  }
}

function joinedBySegment(damages: readonly Damage[]): Damage[] {
  const bySegment = new Map<number, Damage>()
  for (const damage of damages) {
    const known = bySegment.get(damage.segmentBase)
    bySegment.set(damage.segmentBase, known === undefined ? damage : join(known, damage))
  }
  return [...bySegment.values()]
}
