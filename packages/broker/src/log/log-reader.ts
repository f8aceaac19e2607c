// Reads slices of a log from its files, for those who are behind the in-memory tail.
// Enters: an offset and bounds. Leaves: whole batches as one view, checked header by header (REPLICATION 2.3).
import type { File } from '@minikafka/platform'
import {
  BATCH_HEADER_SIZE,
  type BatchHeader,
  batchBaseOffsetAt,
  batchLastOffsetAt,
  batchSizeAt,
  type FramePool,
  readBatchHeader,
} from '@minikafka/protocol'
import { BatchChain } from './batch-chain.ts'
import type { ChainBreak } from './header-walk.ts'
import { headersCrcOf } from './headers-crc.ts'
import type { LogState } from './log-state.ts'
import type { LogSlice } from './log-types.ts'
import type { IndexHit } from './offset-index.ts'
import type { Segment } from './segment.ts'
import {
  BrokenChain,
  beyondSwaps,
  NewDamage,
  type Place,
  type SegmentAccess,
} from './segment-access.ts'
import { SliceWindow } from './slice-window.ts'

/** One read, and about one slice: 1 MiB is fastest (PERFORMANCE 4), twice that holds more than one large batch. */
const READ_BYTES_MAX = 2 * 1024 * 1024
/** Ends of slices that are remembered per log: who goes on there needs no index. */
const CURSORS_MAX = 8
/** Each one after the first met damage on its way that was not known before. */
const READS_MAX = 16

export type SliceRequest = {
  readonly from: number
  /** No batch reaches beyond it. At most logEndOffset. */
  readonly below: number
  readonly bytesMax: number
  readonly firstWhole: boolean
}

type Cursor = { readonly segment: Segment; readonly position: number }

export class LogReader {
  readonly #state: LogState
  readonly #access: SegmentAccess
  readonly #frames: FramePool
  /** By the offset that follows, oldest first. */
  readonly #cursors = new Map<number, Cursor>()

  constructor(state: LogState, access: SegmentAccess, frames: FramePool) {
    this.#state = state
    this.#access = access
    this.#frames = frames
  }

  /** The log was cut: positions behind the cut mean nothing. */
  forgetPositions(): void {
    this.#cursors.clear()
  }

  /** Errors: KAFKA_STORAGE_ERROR; OFFSET_OUT_OF_RANGE where the segment was removed meanwhile. */
  read(request: SliceRequest): Promise<LogSlice> {
    return beyondSwaps(() => this.#read(request))
  }

  async #read(request: SliceRequest): Promise<LogSlice> {
    const { from } = request
    const { bad } = this.#state
    for (let attempt = 1; ; attempt++) {
      const segment = this.#segmentFor(from)
      const below = Math.min(request.below, bad.nextFrom(from))
      try {
        return await this.#readIn(segment, { ...request, below })
      } catch (error) {
        const isDamage = error instanceof BrokenChain && attempt < READS_MAX
        const isMarked = isDamage && (await this.#mark(segment, error.at, from))
        if (!isMarked) throw this.#access.readError(error, from)
      }
      const met = bad.at(from)
      if (met !== undefined) throw this.#state.unreadable(met)
    }
  }

  async #mark(segment: Segment, at: ChainBreak, from: number): Promise<boolean> {
    try {
      return (await this.#access.suspect(segment, at)) !== undefined
    } catch (error) {
      throw this.#access.readError(error, from)
    }
  }

  #readIn(segment: Segment, request: SliceRequest): Promise<LogSlice> {
    const cursor = this.#cursors.get(request.from)
    if (cursor?.segment === segment) {
      const hit = { offset: request.from, position: cursor.position }
      return this.#access.withFile(segment, (file) => this.#cut(file, segment, hit, request))
    }
    return this.#access.withPlace(segment, request.from, (file, hit) =>
      this.#cut(file, segment, hit, request),
    )
  }

  /** Looks closely at the batch that holds `offset`. What is damaged on the way to it is marked as well. */
  examine(offset: number): Promise<void> {
    return beyondSwaps(() => this.#examine(offset))
  }

  async #examine(offset: number): Promise<void> {
    const segment = this.#segmentFor(offset)
    let place: IndexHit | undefined
    try {
      await this.#access.walk(segment, offset, (bytes, at, position) => {
        if (batchLastOffsetAt(bytes, at) < offset) return undefined
        place = { position, offset: batchBaseOffsetAt(bytes, at) }
        return false
      })
      if (place !== undefined) await this.#access.suspect(segment, place)
    } catch (error) {
      if (!(error instanceof NewDamage)) throw this.#access.readError(error, offset)
    }
  }

  /** Visits every batch from the one that holds `from` to the end of the log as it is now; `begin`: from the start. */
  async headers(
    from: number,
    begin: () => void,
    visit: (header: BatchHeader, position: number) => void,
  ): Promise<void> {
    try {
      await beyondSwaps(() =>
        this.#access.beginningAnew(async () => {
          begin()
          const segments = this.#state.segments.slice(this.#state.segmentIndexOf(from))
          for (const segment of segments)
            if (segment.nextOffset > from) await this.#headersOf(segment, from, visit)
        }),
      )
    } catch (error) {
      throw this.#access.readError(error, from)
    }
  }

  /** A closed segment was summed when it was written: what the CRCs of its batches would say, without reading them. */
  async #headersOf(
    segment: Segment,
    from: number,
    visit: (header: BatchHeader, position: number) => void,
  ): Promise<void> {
    const { active, bad } = this.#state
    let sum = 0
    let sumEnd = 0
    await this.#access.walk(segment, Math.max(from, segment.baseOffset), (bytes, at, position) => {
      if (position === sumEnd) {
        sum = headersCrcOf(bytes, at, sum)
        sumEnd += batchSizeAt(bytes, at)
      }
      if (batchLastOffsetAt(bytes, at) >= from) visit(readBatchHeader(bytes, at), position)
      return undefined
    })
    const isSummed = segment !== active && sumEnd === segment.size
    if (!isSummed || sum === segment.headersCrc || bad.in(segment.baseOffset).length > 0) return
    const damage = await this.#access.suspectAll(segment)
    if (damage !== undefined) throw new NewDamage(damage)
  }

  /** The segment with the first batch at or after `from`. */
  #segmentFor(from: number): Segment {
    const { segments } = this.#state
    let index = this.#state.segmentIndexOf(from)
    // In a gap that compaction left behind its last batch: the next one.
    while (from >= (segments[index] as Segment).nextOffset && index < segments.length - 1) index++
    return segments[index] as Segment
  }

  async #cut(file: File, segment: Segment, hit: Place, request: SliceRequest): Promise<LogSlice> {
    const { from, below, bytesMax, firstWhole } = request
    const chain = new BatchChain(hit.offset, -1, this.#state.rules)
    chain.isExact = hit.isEntry === true
    const window = new SliceWindow(file, segment.size, this.#frames)
    const wanted = Math.max(BATCH_HEADER_SIZE, Math.min(bytesMax, READ_BYTES_MAX))
    const first = await findBatch(window, chain, { from, hit, end: segment.size, wanted })
    if (first === undefined) {
      // A segment that should follow is not there.
      const offset = chain.nextOffset
      const isMissing = from < segment.nextOffset && !chain.follows(segment.nextOffset)
      if (isMissing) throw endsEarly({ position: segment.size, offset })
      return nothingFrom(from)
    }
    // By its header, which no CRC has vouched for yet, it would reach beyond the segment.
    if (chain.nextOffset > segment.nextOffset)
      throw new BrokenChain({ ...first, reason: `last offset ${chain.nextOffset - 1}` })
    this.#watchIndex(segment, hit, first.position)
    const tooLarge = first.size > bytesMax && !firstWhole
    if (tooLarge || chain.nextOffset > below) return nothingFrom(from)
    const start = await window.need(first.position, first.size, wanted)
    if (start === undefined) throw endsEarly(first)
    const bytesLeft = Math.min(window.ready(first.position), Math.max(first.size, wanted))
    const slice = extend(window.buffer, chain, { start, size: first.size, bytesLeft, below })
    this.#remember(slice.nextOffset, { segment, position: first.position + slice.size })
    const buffer = window.buffer.subarray(start, start + slice.size)
    return { buffers: [buffer], bytes: slice.size, nextOffset: slice.nextOffset, isHeld: true }
  }

  /** A batch that lies a whole interval behind its entry should have had one of its own. */
  #watchIndex(segment: Segment, hit: IndexHit, position: number): void {
    if (position - hit.position < this.#state.settings.indexIntervalBytes) return
    this.#access.rebuildIndexes(segment).catch(() => undefined) // Whoever needs it meets the error.
  }

  #remember(offset: number, cursor: Cursor): void {
    this.#cursors.delete(offset)
    this.#cursors.set(offset, cursor)
    if (this.#cursors.size <= CURSORS_MAX) return
    const [oldest] = this.#cursors.keys()
    if (oldest !== undefined) this.#cursors.delete(oldest)
  }
}

function nothingFrom(offset: number): LogSlice {
  return { buffers: [], bytes: 0, nextOffset: offset }
}

/** Moves `chain` behind the first batch that reaches to `from` or beyond; undefined where the segment ends before. */
async function findBatch(
  window: SliceWindow,
  chain: BatchChain,
  { from, hit, end, wanted }: { from: number; hit: IndexHit; end: number; wanted: number },
): Promise<{ position: number; size: number; offset: number } | undefined> {
  let position = hit.position
  while (position < end) {
    const bytesLeft = end - position
    const offset = chain.nextOffset
    const headerSize = Math.min(BATCH_HEADER_SIZE, bytesLeft)
    const ready = window.ready(position) >= headerSize
    const at = ready ? window.at(position) : await window.need(position, headerSize, wanted)
    if (at === undefined) throw endsEarly({ position, offset })
    const reason =
      headerSize < BATCH_HEADER_SIZE
        ? `${headerSize} bytes, less than a header`
        : chain.step(window.buffer, at, bytesLeft)
    if (reason !== undefined) throw new BrokenChain({ position, offset, reason })
    const size = batchSizeAt(window.buffer, at)
    if (chain.nextOffset > from) return { position, size, offset }
    position += size
  }
  return undefined
}

function endsEarly({ position, offset }: { position: number; offset: number }): BrokenChain {
  return new BrokenChain({ position, offset, reason: 'the file ends early' })
}

/** Takes whole batches behind the first as long as they fit; a break ends the slice and is met by the next read. */
function extend(
  bytes: Buffer,
  chain: BatchChain,
  first: { start: number; size: number; bytesLeft: number; below: number },
): { size: number; nextOffset: number } {
  let { size } = first
  let { nextOffset } = chain
  while (size + BATCH_HEADER_SIZE <= first.bytesLeft) {
    if (chain.step(bytes, first.start + size, first.bytesLeft - size) !== undefined) break
    if (chain.nextOffset > first.below) break
    size += batchSizeAt(bytes, first.start + size)
    nextOffset = chain.nextOffset
  }
  return { size, nextOffset }
}
