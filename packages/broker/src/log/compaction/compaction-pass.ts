// One pass over a log (REPLICATION 2.12.7): the last record of each key is found in the dirty part, then all of the log
// up to there is written anew without what is past, group by group, and each group put in the place of the old one.
// Enters: a log, and how far it may go. Leaves: the same offsets and order, fewer records; how far it came.
import { assert } from '@minikafka/platform'
import {
  BATCH_HEADER_SIZE,
  type BatchHeader,
  BatchReader,
  batchBaseOffsetAt,
  batchLastOffsetAt,
  emptyBatch,
  isMinikafkaError,
  readBatchHeader,
} from '@minikafka/protocol'
import { BatchChain } from '../batch-chain.ts'
import type { Damage, Hole } from '../damage.ts'
import type { LogHooks, LogHost } from '../log-host.ts'
import type { LogState } from '../log-state.ts'
import type { Segment } from '../segment.ts'
import { type SegmentAccess, SegmentReplaced } from '../segment-access.ts'
import { inspectSegment } from '../segment-inspection.ts'
import { type Cleanable, groupsOf } from './cleanable.ts'
import { CleanedSegment } from './cleaned-segment.ts'
import { type OffsetMap, SPAN_MAX } from './offset-map.ts'
import { RECORDS_AT_ONCE, RecordFilter } from './record-filter.ts'

export type CompactionRequest = {
  /** Wall clock: of the tombstones' horizons. */
  readonly nowMs: number
  /** Begun anew; its size bounds how many keys one pass takes in. */
  readonly map: OffsetMap
  readonly producerEnds: ReadonlyMap<number, number>
  /** Called before each read and after each write. What it throws ends the pass; `signal`: the log is closed. */
  readonly pace: (bytes: number, signal: AbortSignal) => Promise<void>
}

export type CompactionReport = {
  readonly bytesRead: number
  readonly bytesWritten: number
  readonly records: number
  readonly droppedRecords: number
  /** Batches that were left alone, for their records cannot be read. */
  readonly unreadableBatches: number
  readonly keys: number
  readonly segmentsBefore: number
  readonly segmentsAfter: number
  /** The next pass begins here. */
  readonly firstDirtyOffset: number
  /** When the first tombstone may go; undefined: there is none. */
  readonly nextHorizonMs: number | undefined
  /** What stopped it. */
  readonly damage: Damage | undefined
}

/** What the pass needs of the log that it is in. */
export type PassTools = {
  readonly host: LogHost
  readonly state: LogState
  readonly hooks: LogHooks
  readonly access: SegmentAccess
  /** Called once, before the first group is put in place: from there on offsets below `endOffset` may be missing. */
  readonly beforeGaps: (endOffset: number) => Promise<void>
  /** False: the old ones are not there any more, or damaged. */
  readonly swap: (old: readonly Segment[], cleaned: CleanedSegment) => Promise<boolean>
  readonly pace: (bytes: number) => Promise<void>
}

/** So many bytes of batches are gone through before others have their turn. */
const SLICE_BYTES = 256 * 1024

export class CompactionPass {
  readonly #tools: PassTools
  readonly #request: CompactionRequest
  readonly #counts = { bytesRead: 0, bytesWritten: 0, segmentsBefore: 0, segmentsAfter: 0 }
  readonly #unreadable: Hole[] = []
  #sliceBytes = 0
  #damage: Damage | undefined
  #hasGaps = false

  constructor(tools: PassTools, request: CompactionRequest) {
    this.#tools = tools
    this.#request = request
  }

  /** Errors: DiskError; what `pace` throws. The log is whole then, and the next pass goes over the same part again. */
  async run(plan: Cleanable): Promise<CompactionReport> {
    const { state } = this.#tools
    const { map, nowMs, producerEnds } = this.#request
    const { firstDirtyOffset } = plan
    const endOffset = await this.#takeIn(plan)
    const filter = new RecordFilter(this.#tools.host.env.compress, {
      map,
      endOffset,
      unreadable: this.#unreadable,
      producerEnds,
      nowMs,
      deleteRetentionMs: state.settings.deleteRetentionMs,
    })
    const isDone = await this.#clean(filter, endOffset)
    return this.#report(filter, isDone ? Math.max(firstDirtyOffset, endOffset) : firstDirtyOffset)
  }

  // --- the last record of each key -------------------------------------------------------------

  /** Returns how far the map knows the log: where it was full, where damage begins, or where the plan ends. */
  async #takeIn({ firstDirtyOffset, endOffset }: Cleanable): Promise<number> {
    const { state } = this.#tools
    this.#request.map.begin(firstDirtyOffset)
    for (const segment of [...state.segments]) {
      if (segment.nextOffset <= firstDirtyOffset) continue
      if (segment.baseOffset >= endOffset) break
      let full: number | undefined
      const isWhole = await this.#batches(segment, async (batch) => {
        if (batchLastOffsetAt(batch) < firstDirtyOffset) return true
        full = await this.#takeBatch(batch, firstDirtyOffset)
        return full === undefined
      })
      if (full !== undefined) return full
      if (!isWhole) return segment.baseOffset
    }
    return endOffset
  }

  /** The offset that there was no room for; undefined: all of it was taken in. */
  async #takeBatch(batch: Buffer, firstDirtyOffset: number): Promise<number | undefined> {
    const { map } = this.#request
    try {
      const reader = await this.#reader(batch)
      if (reader === undefined) return undefined
      for (let count = 1; reader.next(); count++) {
        if (count % RECORDS_AT_ONCE === 0) await this.#turn()
        const { offset, body, keyStart, keySize } = reader
        if (keySize < 0 || offset < firstDirtyOffset) continue
        if (offset - firstDirtyOffset > SPAN_MAX) return offset
        if (!map.put(body, keyStart, keySize, offset)) return offset
      }
    } catch (error) {
      if (!isMinikafkaError(error)) throw error
      const fromOffset = batchBaseOffsetAt(batch)
      this.#unreadable.push({ fromOffset, nextOffset: batchLastOffsetAt(batch) + 1 })
    }
    return undefined
  }

  /** undefined: there is no record of a user in it. Errors: as BatchReader. */
  async #reader(batch: Buffer): Promise<BatchReader | undefined> {
    const header = readBatchHeader(batch)
    if (header.control) return undefined
    await this.#prepare(header)
    return new BatchReader(batch, this.#tools.host.env.compress)
  }

  /** What is left of a compressed batch may have to be compressed otherwise. */
  async #prepare({ compression = 'none' }: BatchHeader): Promise<void> {
    if (compression === 'none') return
    const { compress } = this.#tools.host.env
    await compress.prepare(compression)
    await compress.prepare('snappy')
  }

  // --- writing anew ----------------------------------------------------------------------------

  /** False: it stopped before `endOffset`. */
  async #clean(filter: RecordFilter, endOffset: number): Promise<boolean> {
    const { state } = this.#tools
    for (const group of groupsOf(state.segments, endOffset, state.settings.segmentBytes)) {
      const isDone = await this.#cleanGroup(group, filter, endOffset)
      if (!isDone) return false
    }
    return true
  }

  async #cleanGroup(
    group: readonly Segment[],
    filter: RecordFilter,
    endOffset: number,
  ): Promise<boolean> {
    const { host, hooks, state } = this.#tools
    const [first] = group
    assert(first !== undefined, 'a group has a segment')
    if (group.every(({ size }) => size === 0)) return true
    const place = { directory: state.directory, baseOffset: first.baseOffset }
    const cleaned = await CleanedSegment.begin(
      host,
      hooks,
      place,
      state.settings.indexIntervalBytes,
    )
    let isNeeded = false
    try {
      const droppedBefore = filter.counts.dropped
      const bytes = await this.#fill(cleaned, group, filter)
      if (bytes === undefined) return false
      const isSame = bytes.isSame && filter.counts.dropped === droppedBefore && group.length === 1
      if (isSame) return true
      await cleaned.finish()
      cleaned.segment.nextOffset = group.at(-1)?.nextOffset as number
      isNeeded = true
    } finally {
      await cleaned.close()
      if (!isNeeded) await cleaned.remove()
    }
    return await this.#putInPlace(group, cleaned, endOffset)
  }

  async #putInPlace(
    group: readonly Segment[],
    cleaned: CleanedSegment,
    endOffset: number,
  ): Promise<boolean> {
    let isIn = false
    try {
      if (!this.#hasGaps) await this.#tools.beforeGaps(endOffset)
      this.#hasGaps = true
      isIn = await this.#tools.swap(group, cleaned)
    } finally {
      if (!isIn) await cleaned.remove()
    }
    this.#counts.segmentsBefore += group.length
    this.#counts.segmentsAfter++
    return isIn
  }

  /** What stays of a group; undefined: a part of it is damaged. */
  async #fill(
    cleaned: CleanedSegment,
    group: readonly Segment[],
    filter: RecordFilter,
  ): Promise<{ isSame: boolean } | undefined> {
    const header = Buffer.alloc(BATCH_HEADER_SIZE)
    let lastIsGone = false
    let isSame = true
    for (const segment of group) {
      const isWhole = await this.#batches(segment, async (batch) => {
        await this.#prepare(readBatchHeader(batch))
        const kept = await filter.filter(batch, () => this.#turn())
        isSame &&= kept === batch
        lastIsGone = kept === undefined
        if (kept === undefined) batch.copy(header, 0, 0, BATCH_HEADER_SIZE)
        else await this.#write(cleaned, kept)
        return true
      })
      if (!isWhole) return undefined
    }
    // A segment ends where the next one begins: a scan must not take less for the end of the log.
    if (lastIsGone) await this.#write(cleaned, emptyBatch(header))
    return { isSame }
  }

  async #write(cleaned: CleanedSegment, batch: Buffer): Promise<void> {
    const bytes = await cleaned.add(batch)
    if (bytes === 0) return
    this.#counts.bytesWritten += bytes
    await this.#tools.pace(bytes)
  }

  // --- reading ---------------------------------------------------------------------------------

  /**
   * Every batch of a segment, its CRC checked; `visit` says whether to go on.
   *
   * Holds   false: some of it is damaged, and marked; the batches before were visited.
   */
  async #batches(segment: Segment, visit: (batch: Buffer) => Promise<boolean>): Promise<boolean> {
    const { state, access } = this.#tools
    const { baseOffset, size, nextOffset: endOffset } = segment
    const chain = new BatchChain(baseOffset, -1, state.rules)
    const file = { read: (into: Uint8Array, at: number) => this.#read(segment, into, at) }
    const inspected = { file, baseOffset, size, endOffset }
    for await (const fact of inspectSegment(inspected, chain, 'bytes')) {
      if (fact.kind === 'damage') {
        this.#damage = fact.damage
        access.mark(fact.damage)
        return false
      }
      if (!(await visit(fact.bytes))) return true
      await this.#breathe(fact.bytes.length)
    }
    return true
  }

  /** The file is held for each read alone: whoever takes it away does not wait for the pace. */
  async #read(segment: Segment, into: Uint8Array, position: number): Promise<number> {
    if (!this.#tools.state.segments.includes(segment)) throw new SegmentReplaced()
    const bytes = Math.min(into.length, segment.size - position)
    await this.#tools.pace(bytes)
    this.#counts.bytesRead += bytes
    return await this.#tools.access.withFile(segment, (file) => file.read(into, position))
  }

  /** Many small batches in one window have no read to wait for. */
  async #breathe(bytes: number): Promise<void> {
    this.#sliceBytes += bytes
    if (this.#sliceBytes < SLICE_BYTES) return
    this.#sliceBytes = 0
    await this.#turn()
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#tools.host.env.clock.soon(resolve))
  }

  #report(filter: RecordFilter, firstDirtyOffset: number): CompactionReport {
    const { nextHorizonMs, counts } = filter
    return {
      ...this.#counts,
      records: counts.records,
      droppedRecords: counts.dropped,
      unreadableBatches: counts.unreadable,
      keys: this.#request.map.count,
      firstDirtyOffset,
      nextHorizonMs: Number.isFinite(nextHorizonMs) ? nextHorizonMs : undefined,
      damage: this.#damage,
    }
  }
}
