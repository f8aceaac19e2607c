// One segment of a log: a file of whole batches, the indexes over it, and what is known of its content.
// Enters: batches that were written. Leaves: where they are. Reads and writes of the file itself are the log's.
//
// `%020d.log`, the number is the base offset of its first batch:
//
//   record batch, record batch, …   Kafka's format v2, byte for byte as the producer built it, but for base offset
//                                   and leader epoch (outside the batch's CRC). Nothing before, between or after.
import { assert } from '@minikafka/platform'
import { batchMaxTimestampAt, batchSizeAt } from '@minikafka/protocol'
import { headersCrcOf } from './headers-crc.ts'
import type { IndexShelf } from './index-file.ts'
import { OffsetIndex, RELATIVE_OFFSET_MAX } from './offset-index.ts'
import type { SealedSegment } from './sealed-segments.ts'
import { TimeIndex } from './time-index.ts'

export type SegmentPlace = { readonly directory: string; readonly baseOffset: number }

/** Sizes of the files as they were found. */
export type FoundSizes = { readonly index: number; readonly timeIndex: number }

const NO_FILES: FoundSizes = { index: 0, timeIndex: 0 }

export class Segment {
  readonly baseOffset: number
  readonly directory: string
  /** Changes once, for a segment that compaction made: until it has the place of the old ones it lies beside them. */
  path: string
  /** Set while the file is renamed to another path. */
  moving: Promise<void> | undefined
  /** Compaction is about to put another one in its place: `sealed` has no line for it, lest that be wrong after a crash. */
  leaving = false
  /** Compaction put another one in its place: nobody may open its path any more. */
  replaced = false
  /** Replaced as a pair when they are rebuilt. */
  offsets: OffsetIndex
  times: TimeIndex
  /** Bytes of whole batches; the file may be longer while a write is under way. */
  size = 0
  /** Offset after the last batch. */
  nextOffset: number
  /** -1: no batch has one. */
  maxTimestamp = -1
  /** Of all headers, in order. */
  headersCrc = 0
  /** Wall clock when the first batch came; undefined: not known yet, or there is none. */
  createdMs: number | undefined
  /** False: nobody has made the file yet; an empty log costs none. */
  exists = false
  readonly #shelf: IndexShelf
  /** Base offset of the batch that has maxTimestamp. */
  #maxTimestampOffset: number
  #bytesSinceIndex = 0

  constructor(
    shelf: IndexShelf,
    place: SegmentPlace,
    found: FoundSizes = NO_FILES,
    known?: SealedSegment,
  ) {
    this.#shelf = shelf
    this.directory = place.directory
    this.baseOffset = place.baseOffset
    this.nextOffset = place.baseOffset
    this.#maxTimestampOffset = place.baseOffset
    this.path = segmentPath(place, 'log')
    if (known !== undefined) this.#remember(known)
    this.offsets = new OffsetIndex(shelf, segmentPath(place, 'index'), this.baseOffset, found.index)
    this.times = this.#newTimeIndex(found.timeIndex)
  }

  /** Whether a batch with this last offset can be indexed here. */
  reaches(lastOffset: number): boolean {
    return lastOffset - this.baseOffset <= RELATIVE_OFFSET_MAX
  }

  /**
   * The batch at `position` of `bytes` now stands at the end of the file.
   *
   * Shape   `offsets`: base offset, and the offset after the batch.
   * Holds   afterwards size and nextOffset are behind it and the indexes know it.
   */
  note(
    bytes: Uint8Array,
    position: number,
    offsets: BatchOffsets,
    indexIntervalBytes: number,
  ): void {
    const { baseOffset, nextOffset } = offsets
    assert(baseOffset >= this.nextOffset, 'a batch follows the one before it')
    if (this.size > 0 && this.#bytesSinceIndex >= indexIntervalBytes) {
      this.offsets.add(baseOffset, this.size)
      this.#indexTime()
      this.#bytesSinceIndex = 0
    }
    const size = batchSizeAt(bytes, position)
    const timestamp = batchMaxTimestampAt(bytes, position)
    if (timestamp > this.maxTimestamp) {
      this.maxTimestamp = timestamp
      this.#maxTimestampOffset = baseOffset
    }
    this.headersCrc = headersCrcOf(bytes, position, this.headersCrc)
    this.size += size
    this.#bytesSinceIndex += size
    this.nextOffset = nextOffset
  }

  /** The bytes at the end of what was noted are damaged: batches go on behind them. */
  pass({ endPosition, nextOffset }: { endPosition: number; nextOffset: number }): void {
    assert(endPosition >= this.size && nextOffset >= this.nextOffset, 'damage is passed forwards')
    this.size = endPosition
    this.nextOffset = nextOffset
    // Whoever looks for what stands behind should not have to begin before it.
    this.#bytesSinceIndex = Number.POSITIVE_INFINITY
  }

  /** The last entry of the time index, when the segment is closed: it names the largest timestamp. */
  finishTimeIndex(): void {
    this.#indexTime()
  }

  /** All files that it may have. */
  get paths(): string[] {
    return SEGMENT_EXTENSIONS.map((extension) => segmentPath(this, extension))
  }

  get wantsIndexSaving(): boolean {
    return this.offsets.file.wantsSaving || this.times.file.wantsSaving
  }

  async saveIndexes(): Promise<void> {
    await Promise.all([this.offsets.file.save(), this.times.file.save()])
  }

  /** What `sealed` says of it. */
  get sealed(): SealedSegment {
    const { baseOffset, size, headersCrc, maxTimestamp } = this
    return { baseOffset, sizeBytes: size, headersCrc, maxTimestamp }
  }

  /** Forgets all it knows of its content; what a scan finds is noted anew. */
  reset(): void {
    const { offsets, times } = this
    this.maxTimestamp = -1
    this.offsets = new OffsetIndex(this.#shelf, segmentPath(this, 'index'), this.baseOffset, 0)
    this.times = this.#newTimeIndex(0)
    this.offsets.file.follow(offsets.file)
    this.times.file.follow(times.file)
    this.size = 0
    this.nextOffset = this.baseOffset
    this.headersCrc = 0
    this.#maxTimestampOffset = this.baseOffset
    this.#bytesSinceIndex = 0
  }

  /** The segment goes, or its indexes are made anew: nothing is written to their files after this resolves. */
  async forgetIndexes(): Promise<void> {
    await Promise.all([this.offsets.file.forget(), this.times.file.forget()])
  }

  /** Takes the indexes of a copy that has noted the same batches. */
  adoptIndexes(rebuilt: Segment): void {
    assert(rebuilt.size === this.size, 'a rebuilt index covers the whole segment')
    rebuilt.offsets.file.follow(this.offsets.file)
    rebuilt.times.file.follow(this.times.file)
    this.offsets = rebuilt.offsets
    this.times = rebuilt.times
    this.#bytesSinceIndex = rebuilt.#bytesSinceIndex
    this.#maxTimestampOffset = rebuilt.#maxTimestampOffset
  }

  /** The empty segment that begins where this one ends. */
  next(): Segment {
    return new Segment(this.#shelf, { directory: this.directory, baseOffset: this.nextOffset })
  }

  /** An empty twin that may note this segment's batches once more. */
  blank(): Segment {
    return new Segment(this.#shelf, this)
  }

  #indexTime(): void {
    this.times.add(this.maxTimestamp, this.#maxTimestampOffset)
  }

  #newTimeIndex(fileSize: number): TimeIndex {
    const found = { baseOffset: this.baseOffset, fileSize, lastTimestamp: this.maxTimestamp }
    return new TimeIndex(this.#shelf, segmentPath(this, 'timeindex'), found)
  }

  #remember(known: SealedSegment): void {
    this.size = known.sizeBytes
    this.headersCrc = known.headersCrc
    this.maxTimestamp = known.maxTimestamp
    // How far the last entry lies back is not known: the next batch gets one.
    this.#bytesSinceIndex = Number.POSITIVE_INFINITY
  }
}

export type BatchOffsets = { readonly baseOffset: number; readonly nextOffset: number }

export const SEGMENT_EXTENSIONS = ['log', 'index', 'timeindex'] as const
export type SegmentExtension = (typeof SEGMENT_EXTENSIONS)[number]

export function segmentPath(
  { directory, baseOffset }: SegmentPlace,
  extension: SegmentExtension,
): string {
  return `${directory}/${String(baseOffset).padStart(20, '0')}.${extension}`
}

const SEGMENT_NAME = /^(\d{20})\.(log|index|timeindex)$/

/** What a file name says; undefined: it is no file of a segment. */
export function parseSegmentName(
  name: string,
): { baseOffset: number; extension: SegmentExtension } | undefined {
  const parts = SEGMENT_NAME.exec(name)
  if (parts === null) return undefined
  const baseOffset = Number(parts[1])
  if (!Number.isSafeInteger(baseOffset)) return undefined
  return { baseOffset, extension: parts[2] as SegmentExtension }
}
