// The way into a segment file: opens it, finds the place in it by the index, and rebuilds an index that is wrong.
// Enters: a segment and an offset. Leaves: a file and a position where a batch begins; damage that was met is marked.
import { assert, DiskError, type File } from '@minikafka/platform'
import { batchBaseOffsetAt, batchLastOffsetAt } from '@minikafka/protocol'
import { BatchChain } from './batch-chain.ts'
import type { Damage } from './damage.ts'
import { type BatchVisit, type ChainBreak, walkHeaders } from './header-walk.ts'
import type { LogHooks, LogHost } from './log-host.ts'
import type { LogState } from './log-state.ts'
import type { IndexHit } from './offset-index.ts'
import type { Segment } from './segment.ts'
import { damageFrom, type InspectionDepth } from './segment-inspection.ts'

/** Thrown inside this folder where headers do not follow one another. */
export class BrokenChain extends Error {
  override name = 'BrokenChain'
  declare readonly at: ChainBreak
  constructor(at: ChainBreak) {
    super(at.reason)
    this.at = at
  }
}

export class SegmentAccess {
  readonly #host: LogHost
  readonly #state: LogState
  readonly #hooks: LogHooks
  readonly #rebuilding = new Map<Segment, Promise<void>>()
  /** By segment and position. */
  readonly #lookingFor = new Map<string, Promise<Damage | undefined>>()

  constructor(host: LogHost, state: LogState, hooks: LogHooks) {
    this.#host = host
    this.#state = state
    this.#hooks = hooks
  }

  /** The file is held until `use` settles. */
  async withFile<T>(segment: Segment, use: (file: File) => Promise<T>): Promise<T> {
    const open = await this.#host.files.acquire(segment.path)
    try {
      return await use(open.file)
    } finally {
      this.#host.files.release(open)
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
    use: (file: File, hit: IndexHit) => Promise<T>,
  ): Promise<T> {
    const { bad } = this.#state
    return this.withFile(segment, async (file) => {
      const hit = await segment.offsets.lookup(offset, segment.size)
      try {
        if (hit !== undefined) return await use(file, bad.startFor(segment.baseOffset, offset, hit))
      } catch (error) {
        const indexIsWrong = error instanceof BrokenChain && error.at.position === hit?.position
        if (!indexIsWrong || hit?.position === 0) throw error
      }
      await this.rebuildIndexes(segment)
      const rebuilt = await segment.offsets.lookup(offset, segment.size)
      assert(rebuilt !== undefined, 'a rebuilt index can be searched')
      return await use(file, bad.startFor(segment.baseOffset, offset, rebuilt))
    })
  }

  /**
   * Visits headers from shortly before `offset` to the end of the segment as it is now.
   *
   * Errors  KAFKA_STORAGE_ERROR where `damage` says throw and some lies behind `offset`; else it is passed by, marked.
   */
  walk(
    segment: Segment,
    offset: number,
    visit: BatchVisit,
    { damage = 'pass' }: { damage?: 'pass' | 'throw' } = {},
  ): Promise<void> {
    return this.withPlace(segment, offset, async (file, hit) => {
      await this.#walkFrom(file, segment, hit, visit, (passed) => {
        const isOnTheWay = passed.nextOffset > offset
        if (damage === 'throw' && isOnTheWay) throw this.#state.unreadable(passed)
      })
    })
  }

  async #walkFrom(
    file: File,
    segment: Segment,
    hit: IndexHit,
    visit: BatchVisit,
    pass: (damage: Damage) => void,
  ): Promise<void> {
    const { bad, rules } = this.#state
    const goesOn: BatchVisit = (...batch) => {
      const answer = visit(...batch)
      if (answer === false) hasStopped = true
      return answer
    }
    let hasStopped = false
    for (let place = hit; ; ) {
      const { position } = place
      const next = bad.in(segment.baseOffset).find((damage) => damage.endPosition > position)
      const chain = new BatchChain(place.offset, -1, rules)
      const range = { from: position, end: Math.max(position, next?.position ?? segment.size) }
      const broken = await walkHeaders(file, range, chain, goesOn)
      if (hasStopped) return
      if (broken !== undefined) {
        const indexMayBeWrong = broken.position === hit.position && hit.position > 0
        if (indexMayBeWrong || !(await this.found(segment, broken))) throw new BrokenChain(broken)
        place = broken
      } else if (next === undefined) return
      else {
        pass(next)
        place = { position: next.endPosition, offset: next.nextOffset }
      }
    }
  }

  /** Makes both indexes of a segment anew from its headers; shared by all who ask meanwhile. */
  rebuildIndexes(segment: Segment): Promise<void> {
    const running = this.#rebuilding.get(segment)
    if (running !== undefined) return running
    const rebuilding = this.withFile(segment, (file) => this.#rebuild(file, segment)).finally(() =>
      this.#rebuilding.delete(segment),
    )
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
    // The log may have been cut meanwhile; whoever needs the index then asks again.
    if (twin.size !== segment.size) return
    if (segment !== this.#state.active) twin.finishTimeIndex()
    segment.adoptIndexes(twin)
    this.#hooks.warn(undefined, 'rebuilt an index')
    await segment.saveIndexes()
  }

  /** What is wrong at `at` is marked, and nothing of it is served from then on. False: looked at again, it is right. */
  async found(segment: Segment, { position, offset }: { position: number; offset: number }) {
    return (await this.#look(segment, { position, offset }, 'headers')) !== undefined
  }

  /** As `found`, of a batch of which somebody says that its CRC is wrong. */
  suspect(
    segment: Segment,
    place: { position: number; offset: number },
  ): Promise<Damage | undefined> {
    return this.#look(segment, place, 'sums')
  }

  #look(
    segment: Segment,
    place: { position: number; offset: number },
    depth: InspectionDepth,
  ): Promise<Damage | undefined> {
    const key = `${segment.baseOffset} ${place.position} ${depth}`
    const running = this.#lookingFor.get(key)
    if (running !== undefined) return running
    const looking = this.#lookOnce(segment, place, depth).finally(() =>
      this.#lookingFor.delete(key),
    )
    this.#lookingFor.set(key, looking)
    return looking
  }

  async #lookOnce(
    segment: Segment,
    place: { position: number; offset: number },
    depth: InspectionDepth,
  ): Promise<Damage | undefined> {
    const { baseOffset, size, nextOffset: endOffset } = segment
    const chain = new BatchChain(place.offset, -1, this.#state.rules)
    const damage = await this.withFile(segment, (file) =>
      damageFrom({ file, baseOffset, size, endOffset }, place, chain, { depth }),
    )
    if (damage !== undefined) this.mark(damage)
    return damage
  }

  mark(damage: Damage): void {
    if (this.#state.bad.mark(damage)) this.#hooks.damaged(damage)
  }

  /** What a caller hears of damage and I/O errors at `offset`. */
  readError(error: unknown, offset: number): unknown {
    const { logStartOffset } = this.#state
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
