// Which records of a log survive its compaction (REPLICATION 2.12.7). Pure.
// Enters: batches, and where the last record of each key stands. Leaves: each batch as it is to be written, or nothing.
import type { Compress } from '@minikafka/platform'
import {
  BatchFilter,
  type BatchHeader,
  type BatchReader,
  emptyBatch,
  isMinikafkaError,
  readBatchHeader,
} from '@minikafka/protocol'
import type { Hole } from '../damage.ts'
import type { OffsetMap } from './offset-map.ts'

/** About a millisecond of work. */
export const RECORDS_AT_ONCE = 2_000

export type FilterRules = {
  readonly map: OffsetMap
  /** Records from here on stay: the map does not know them. */
  readonly endOffset: number
  /** Batches whose records nobody can read: no record is given up for one of theirs. Ascending. */
  readonly unreadable: readonly Hole[]
  /** By producer id: the last offset of its last batch, whose header says which sequence follows. */
  readonly producerEnds: ReadonlyMap<number, number>
  readonly nowMs: number
  readonly deleteRetentionMs: number
}

export class RecordFilter {
  /** Records that were asked for, those that went, batches that nobody can read. */
  readonly counts = { records: 0, dropped: 0, unreadable: 0 }
  /** When the first tombstone that stays may go; infinite: none stays. */
  nextHorizonMs = Number.POSITIVE_INFINITY
  readonly #compress: Compress
  readonly #rules: FilterRules

  constructor(compress: Compress, rules: FilterRules) {
    this.#compress = compress
    this.#rules = rules
  }

  /**
   * What is to be written in place of `batch`: itself, another one, or nothing.
   *
   * Shape   a sound batch; batches come in the order of the log. `compress.prepare` of its codec, and of snappy, has
   *         resolved. `breathe`: called every so many records, for others have their turn.
   * Holds   a batch whose records cannot be read stays as it is, and is counted. Markers stay.
   */
  async filter(batch: Buffer, breathe: () => Promise<void>): Promise<Buffer | undefined> {
    const { endOffset } = this.#rules
    const header = readBatchHeader(batch)
    if (header.control || header.baseOffset >= endOffset) return batch
    const filtered = await this.#filter(batch, header, breathe)
    if (filtered === 'none') return this.#endsProducer(header) ? emptyBatch(batch) : undefined
    return this.#noteHorizon(filtered ?? batch)
  }

  async #filter(
    batch: Buffer,
    { lastOffset }: BatchHeader,
    breathe: () => Promise<void>,
  ): Promise<Buffer | 'none' | undefined> {
    const { endOffset, nowMs, deleteRetentionMs } = this.#rules
    try {
      const filter = new BatchFilter(batch, this.#compress, (record) => this.#stays(record))
      while (filter.go(RECORDS_AT_ONCE)) await breathe()
      // The horizon says that a pass has gone over all before: it has not over what lies behind its end.
      return filter.build(lastOffset < endOffset ? nowMs + deleteRetentionMs : undefined)
    } catch (error) {
      if (!isMinikafkaError(error)) throw error
      this.counts.unreadable++
      return undefined
    }
  }

  #stays(record: BatchReader): boolean {
    const { map, endOffset, nowMs } = this.#rules
    const { offset, body, keyStart, keySize } = record
    this.counts.records++
    if (offset >= endOffset) return true
    // Nothing takes the place of a record without a key: it was there before the topic was compacted.
    if (keySize < 0) return true
    const last = map.get(body, keyStart, keySize)
    const isPast = last > offset && !this.#isUnreadable(last)
    const { deleteHorizonMs } = record.header
    const isExpired =
      record.valueSize < 0 && deleteHorizonMs !== undefined && deleteHorizonMs <= nowMs
    if (!isPast && !isExpired) return true
    this.counts.dropped++
    return false
  }

  #isUnreadable(offset: number): boolean {
    const { unreadable } = this.#rules
    if (unreadable.length === 0) return false
    return unreadable.some(
      ({ fromOffset, nextOffset }) => fromOffset <= offset && offset < nextOffset,
    )
  }

  #endsProducer({ producerId, lastOffset }: BatchHeader): boolean {
    return producerId >= 0 && this.#rules.producerEnds.get(producerId) === lastOffset
  }

  #noteHorizon(batch: Buffer): Buffer {
    const { deleteHorizonMs } = readBatchHeader(batch)
    // Past its time it has no tombstone any more.
    if (deleteHorizonMs !== undefined && deleteHorizonMs > this.#rules.nowMs)
      this.nextHorizonMs = Math.min(this.nextHorizonMs, deleteHorizonMs)
    return batch
  }
}
