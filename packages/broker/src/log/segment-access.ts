// The way into a segment file: opens it, finds the place in it by the index, and rebuilds an index that is wrong.
// Enters: a segment and an offset. Leaves: a file and a position where a batch begins; damage that was met is marked.
import { assert, DiskError, type File } from '@minikafka/platform'
import { batchBaseOffsetAt, batchLastOffsetAt, batchSizeAt } from '@minikafka/protocol'
import { BatchChain } from './batch-chain.ts'
import type { Damage } from './damage.ts'
import { type BatchVisit, type ChainBreak, walkHeaders } from './header-walk.ts'
import type { LogHooks, LogHost } from './log-host.ts'
import type { LogState } from './log-state.ts'
import type { IndexHit } from './offset-index.ts'
import type { OpenFile } from './open-files.ts'
import type { Segment } from './segment.ts'
import { inspectSegment } from './segment-inspection.ts'

/** Thrown inside this folder where headers do not follow one another. */
export class BrokenChain extends Error {
  override name = 'BrokenChain'
  declare readonly at: ChainBreak
  constructor(at: ChainBreak) {
    super(at.reason)
    this.at = at
  }
}

/** Thrown inside this folder where damage was met that nobody knew: it is marked, and who goes over batches begins anew. */
export class NewDamage extends Error {
  override name = 'NewDamage'
  declare readonly damage: Damage
  constructor(damage: Damage) {
    super(damage.reason)
    this.damage = damage
  }
}

/** Thrown inside this folder where compaction put another segment in the place of this one: ask for it anew. */
export class SegmentReplaced extends Error {
  override name = 'SegmentReplaced'
}

/** Does `work`, which asks the log for its segments, anew where one was replaced meanwhile. */
export async function beyondSwaps<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      // Each time compaction has got on: this ends.
      if (!(error instanceof SegmentReplaced)) throw error
    }
  }
}

/** Where to begin in a segment. */
export type Place = IndexHit & {
  /** An entry of the index says it: the batch there has this very base offset, also where compaction left gaps. */
  readonly isEntry?: boolean
}

/** Each one after the first met damage on its way that was not known before. */
const ATTEMPTS_MAX = 32

export class SegmentAccess {
  readonly #host: LogHost
  readonly #state: LogState
  readonly #hooks: LogHooks
  readonly #rebuilding = new Map<Segment, Promise<void>>()
  /** By segment and position. */
  readonly #suspecting = new Map<string, Promise<Damage | undefined>>()

  constructor(host: LogHost, state: LogState, hooks: LogHooks) {
    this.#host = host
    this.#state = state
    this.#hooks = hooks
  }

  /** The file is held until `use` settles, also when it is replaced. Errors: SegmentReplaced, before `use` is called. */
  async withFile<T>(segment: Segment, use: (file: File) => Promise<T>): Promise<T> {
    const open = await this.#acquire(segment)
    try {
      return await use(open.file)
    } finally {
      this.#host.files.release(open)
    }
  }

  /** Its path may come to mean another file while it is opened: that is looked at afterwards, in the same turn. */
  async #acquire(segment: Segment): Promise<OpenFile> {
    for (;;) {
      if (segment.moving !== undefined) await segment.moving
      const { path } = segment
      try {
        const open = await this.#host.files.acquire(path)
        if (!segment.replaced) return open
        this.#host.files.release(open)
      } catch (error) {
        const hasMoved = segment.path !== path || segment.moving !== undefined
        if (!hasMoved && !segment.replaced) throw error
      }
      if (segment.replaced) throw new SegmentReplaced()
    }
  }

  /**
   * Calls `use` with the file and the start of the batch that holds `offset`, or of one shortly before.
   *
   * Holds   where no such batch begins there (`use` throws a BrokenChain for that very position), the index was
   *         wrong: it is rebuilt and `use` called once more. A break elsewhere is damage of the log and thrown.
   */
  withPlace<T>(
    segment: Segment,
    offset: number,
    use: (file: File, hit: Place) => Promise<T>,
  ): Promise<T> {
    const { bad } = this.#state
    return this.withFile(segment, async (file) => {
      const { random } = this.#host.env
      if (random.buggify('log-index-rebuilt', 0.02)) await this.rebuildIndexes(segment)
      const hit = await segment.offsets.lookup(offset, segment.size)
      try {
        if (hit !== undefined)
          return await use(file, bad.startFor(segment.baseOffset, offset, placeOf(hit)))
      } catch (error) {
        const indexIsWrong = error instanceof BrokenChain && error.at.position === hit?.position
        if (!indexIsWrong || hit?.position === 0) throw error
      }
      await this.rebuildIndexes(segment)
      const rebuilt = await segment.offsets.lookup(offset, segment.size)
      assert(rebuilt !== undefined, 'a rebuilt index can be searched')
      return await use(file, bad.startFor(segment.baseOffset, offset, placeOf(rebuilt)))
    })
  }

  /**
   * Visits headers from shortly before `offset` to the end of the segment as it is now, past damage that is marked.
   *
   * Errors  NewDamage: begin anew. KAFKA_STORAGE_ERROR where `damage` says throw and some lies behind `offset`.
   */
  walk(
    segment: Segment,
    offset: number,
    visit: BatchVisit,
    { damage = 'pass' }: { damage?: 'pass' | 'throw' } = {},
  ): Promise<void> {
    return this.withPlace(segment, offset, (file, hit) =>
      this.#walkFrom(file, segment, hit, visit, (passed) => {
        const isOnTheWay = passed.nextOffset > offset
        if (damage === 'throw' && isOnTheWay) throw this.#state.unreadable(passed)
      }),
    )
  }

  async #walkFrom(
    file: File,
    segment: Segment,
    hit: Place,
    visit: BatchVisit,
    pass: (damage: Damage) => void,
  ): Promise<void> {
    const { bad, rules } = this.#state
    let hasStopped = false
    const goesOn: BatchVisit = (...batch) => {
      hasStopped = visit(...batch) === false
      return !hasStopped
    }
    for (let place: Place = hit; ; ) {
      const { position } = place
      const next = bad.in(segment.baseOffset).find((damage) => damage.endPosition > position)
      const chain = new BatchChain(place.offset, -1, rules)
      chain.isExact = place.isEntry === true
      const range = { from: position, end: Math.max(position, next?.position ?? segment.size) }
      const broken = await walkHeaders(file, range, chain, goesOn)
      if (broken !== undefined) throw await this.#met(segment, broken, hit)
      if (hasStopped || next === undefined) return
      pass(next)
      place = { position: next.endPosition, offset: next.nextOffset }
    }
  }

  async #met(segment: Segment, broken: ChainBreak, hit: IndexHit): Promise<Error> {
    // An index that is wrong is not damage of the log.
    if (broken.position === hit.position && hit.position > 0) return new BrokenChain(broken)
    const damage = await this.suspect(segment, broken)
    return damage === undefined ? new BrokenChain(broken) : new NewDamage(damage)
  }

  /** Does `work` anew as often as it meets new damage. */
  async beginningAnew<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof NewDamage) || attempt === ATTEMPTS_MAX) throw error
      }
    }
  }

  /** Makes both indexes of a segment anew from its headers; shared by all who ask meanwhile. */
  rebuildIndexes(segment: Segment): Promise<void> {
    const running = this.#rebuilding.get(segment)
    if (running !== undefined) return running
    const rebuilding = this.beginningAnew(() =>
      this.withFile(segment, (file) => this.#rebuild(file, segment)),
    ).finally(() => this.#rebuilding.delete(segment))
    this.#rebuilding.set(segment, rebuilding)
    return rebuilding
  }

  /** Notes all batches in a twin until it has caught up with the writer; then its indexes are taken over. */
  async #rebuild(file: File, segment: Segment): Promise<void> {
    const twin = segment.blank()
    const { indexIntervalBytes } = this.#state.settings
    const note: BatchVisit = (bytes, at) => {
      const baseOffset = batchBaseOffsetAt(bytes, at)
      const nextOffset = batchLastOffsetAt(bytes, at) + 1
      twin.note(bytes, at, { baseOffset, nextOffset }, indexIntervalBytes)
      return undefined
    }
    while (twin.size < segment.size) {
      const place = { offset: twin.nextOffset, position: twin.size }
      await this.#walkFrom(file, segment, place, note, (damage) => twin.pass(damage))
    }
    // Its index files are those of the segment that took its place.
    if (segment.replaced) throw new SegmentReplaced()
    // The log may have been cut meanwhile; whoever needs the index then asks again.
    if (twin.size !== segment.size) return
    if (segment !== this.#state.active) twin.finishTimeIndex()
    segment.adoptIndexes(twin)
    this.#hooks.warn(undefined, 'rebuilt an index')
    await segment.saveIndexes()
  }

  /**
   * Looks closely, CRCs too, at what stands from shortly before a place to behind it: the batch before may be the one
   * that is wrong, if it says that it ends elsewhere. What is damaged is marked, and served no more.
   *
   * Returns the last damage that was found; undefined: looked at again, all is right.
   */
  suspect(
    segment: Segment,
    place: { readonly position: number; readonly offset: number },
  ): Promise<Damage | undefined> {
    const key = `${segment.baseOffset} ${place.position}`
    const running = this.#suspecting.get(key)
    if (running !== undefined) return running
    const looking = this.withFile(segment, (file) => this.#examine(file, segment, place)).finally(
      () => this.#suspecting.delete(key),
    )
    this.#suspecting.set(key, looking)
    return looking
  }

  /** As `suspect`, the whole segment. */
  suspectAll(segment: Segment): Promise<Damage | undefined> {
    const { size, nextOffset } = segment
    return this.suspect(segment, { position: size, offset: nextOffset })
  }

  async #examine(
    file: File,
    segment: Segment,
    { position, offset }: { readonly position: number; readonly offset: number },
  ): Promise<Damage | undefined> {
    const start = { offset: segment.baseOffset, position: 0 }
    const isAll = position === segment.size
    const hit = isAll ? start : await this.#placeBefore(segment, offset, position)
    let damages = await this.#scan(file, segment, hit, position)
    // An entry of the index may be what is wrong.
    if (hit.position > 0 && damages[0]?.position === hit.position)
      damages = await this.#scan(file, segment, start, position)
    if (segment.replaced) throw new SegmentReplaced()
    for (const damage of damages) this.mark(damage)
    return damages.at(-1)
  }

  async #placeBefore(segment: Segment, offset: number, position: number): Promise<Place> {
    const hit = await segment.offsets.lookup(Math.max(segment.baseOffset, offset - 1), segment.size)
    if (hit !== undefined && hit.position < position) return placeOf(hit)
    return { offset: segment.baseOffset, position: 0 }
  }

  /** What is damaged from one place to behind another. */
  async #scan(file: File, segment: Segment, from: Place, until: number): Promise<Damage[]> {
    const { baseOffset, size, nextOffset: endOffset } = segment
    const chain = new BatchChain(from.offset, -1, this.#state.rules)
    chain.isExact = from.isEntry === true
    const inspected = { file, baseOffset, size, endOffset }
    const damages: Damage[] = []
    for await (const fact of inspectSegment(inspected, chain, 'sums', from.position)) {
      if (fact.kind === 'damage') damages.push(fact.damage)
      const end =
        fact.kind === 'damage' ? fact.damage.endPosition : fact.position + batchSizeAt(fact.bytes)
      if (end > until && fact.kind !== 'damage') break
    }
    return damages
  }

  /** Nothing of it is served from now on. False: it was known. */
  mark(damage: Damage): boolean {
    const isNew = this.#state.bad.mark(damage)
    if (isNew) this.#hooks.damaged(damage)
    return isNew
  }

  /** What a caller hears of damage and I/O errors at `offset`. */
  readError(error: unknown, offset: number): unknown {
    const { logStartOffset } = this.#state
    if (error instanceof NewDamage) return this.#state.unreadable(error.damage)
    if (error instanceof BrokenChain) {
      const { position, offset: brokenOffset, reason } = error.at
      return this.#state.storageError(
        `the batch at byte ${position}, offset ${brokenOffset}, was damaged when it was read: ${reason}`,
        { offset: brokenOffset, cause: error },
      )
    }
    if (!(error instanceof DiskError)) return error
    if (offset < logStartOffset) return this.#state.outOfRange(offset)
    const message = `reading at offset ${offset} failed: ${error.message}`
    return this.#state.storageError(message, { offset, cause: error })
  }
}

/** The start of a segment has no entry. */
function placeOf(hit: IndexHit): Place {
  return hit.position > 0 ? { ...hit, isEntry: true } : hit
}
