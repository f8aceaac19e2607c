// The way into a segment file: opens it, finds the place in it by the index, and rebuilds an index that is wrong.
// Enters: a segment and an offset. Leaves: a file and a position where a batch begins.
import { assert, DiskError, type File } from '@minikafka/platform'
import { batchBaseOffsetAt, batchLastOffsetAt } from '@minikafka/protocol'
import { BatchChain } from './batch-chain.ts'
import { type BatchVisit, type ChainBreak, walkHeaders } from './header-walk.ts'
import type { LogHooks, LogHost } from './log-host.ts'
import type { LogState } from './log-state.ts'
import type { IndexHit } from './offset-index.ts'
import type { Segment } from './segment.ts'

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
    return this.withFile(segment, async (file) => {
      const hit = await segment.offsets.lookup(offset, segment.size)
      try {
        if (hit !== undefined) return await use(file, hit)
      } catch (error) {
        const indexIsWrong = error instanceof BrokenChain && error.at.position === hit?.position
        if (!indexIsWrong || hit?.position === 0) throw error
      }
      await this.rebuildIndexes(segment)
      const rebuilt = await segment.offsets.lookup(offset, segment.size)
      assert(rebuilt !== undefined, 'a rebuilt index can be searched')
      return await use(file, rebuilt)
    })
  }

  /** Visits headers from shortly before `offset` to the end of the segment as it is now. */
  walk(segment: Segment, offset: number, visit: BatchVisit): Promise<void> {
    return this.withPlace(segment, offset, async (file, hit) => {
      const chain = new BatchChain(hit.offset, -1, this.#state.compactedBelow)
      const range = { from: hit.position, end: segment.size }
      const broken = await walkHeaders(file, range, chain, visit)
      if (broken !== undefined) throw new BrokenChain(broken)
    })
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
    const chain = new BatchChain(segment.baseOffset, -1, this.#state.compactedBelow)
    const intervalBytes = this.#state.settings.indexIntervalBytes
    while (twin.size < segment.size) {
      const range = { from: twin.size, end: segment.size }
      const broken = await walkHeaders(file, range, chain, (bytes, at) => {
        const baseOffset = batchBaseOffsetAt(bytes, at)
        const nextOffset = batchLastOffsetAt(bytes, at) + 1
        twin.note(bytes, at, { baseOffset, nextOffset }, intervalBytes)
        return undefined
      })
      if (broken !== undefined) throw new BrokenChain(broken)
    }
    // The log may have been cut meanwhile; whoever needs the index then asks again.
    if (twin.size !== segment.size) return
    if (segment !== this.#state.active) twin.finishTimeIndex()
    segment.adoptIndexes(twin)
    this.#hooks.warn(undefined, 'rebuilt an index')
    await segment.saveIndexes()
  }

  /** What a caller hears of damage and I/O errors at `offset`. */
  readError(error: unknown, offset: number): unknown {
    const { logStartOffset } = this.#state
    if (error instanceof BrokenChain) {
      const { position, offset: brokenOffset, reason } = error.at
      return this.#state.storageError(
        `the batch at byte ${position}, offset ${brokenOffset}, is damaged: ${reason}. What lies before can be read.`,
        { offset: brokenOffset, cause: error },
      )
    }
    if (!(error instanceof DiskError)) return error
    if (offset < logStartOffset) return this.#state.outOfRange(offset)
    const message = `reading at offset ${offset} failed: ${error.message}`
    return this.#state.storageError(message, { offset, cause: error })
  }
}
