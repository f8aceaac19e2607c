// From a time to an offset: the time index, then headers, then the one batch that holds the record (REPLICATION 2.12.7).
// Enters: a timestamp. Leaves: the first record at or after it.
import type { Env } from '@minikafka/platform'
import {
  BatchReader,
  batchBaseOffsetAt,
  batchLastOffsetAt,
  batchMaxTimestampAt,
  batchSizeAt,
  isMinikafkaError,
  readBatchHeader,
} from '@minikafka/protocol'
import type { LogState } from './log-state.ts'
import type { Segment } from './segment.ts'
import { NewDamage, type SegmentAccess, SegmentReplaced } from './segment-access.ts'
import type { TimeHit } from './time-index.ts'

export type RecordTime = { readonly offset: number; readonly timestamp: number }

export type TimeRequest = {
  readonly timestampMs: number
  /** Records from here on are visible: the log start. */
  readonly from: number
  /** Records below it are: the high watermark or the last stable offset. */
  readonly below: number
}

type Candidate = {
  readonly position: number
  readonly size: number
  readonly offset: number
  readonly nextOffset: number
}

/** What lies in damage might be older or newer: where it stands on the way, there is no answer. */
const MUST_SEE_ALL = { damage: 'throw' } as const

export class TimeSearch {
  readonly #env: Env
  readonly #state: LogState
  readonly #access: SegmentAccess

  constructor(env: Env, state: LogState, access: SegmentAccess) {
    this.#env = env
    this.#state = state
    this.#access = access
  }

  /** Errors: KAFKA_STORAGE_ERROR; CORRUPT_MESSAGE, INVALID_RECORD where the batch does not decode. */
  async find(request: TimeRequest): Promise<RecordTime | undefined> {
    for (;;) {
      const from = Math.max(request.from, this.#state.logStartOffset)
      try {
        const found = await this.#findFrom({ ...request, from })
        if (this.#state.logStartOffset <= (found?.offset ?? from)) return found
      } catch (error) {
        const isReplaced = error instanceof SegmentReplaced
        if (!isReplaced && this.#state.logStartOffset <= from) throw error
      }
      // Retention or compaction passed by: what it took is not the answer, nor is the file that it took an error.
    }
  }

  async #findFrom(request: TimeRequest): Promise<RecordTime | undefined> {
    for (const segment of [...this.#state.segments]) {
      if (segment.baseOffset >= request.below) return undefined
      if (segment.nextOffset <= request.from) continue
      if (segment.maxTimestamp < request.timestampMs) continue
      const found = await this.#access.beginningAnew(() => this.#findIn(segment, request))
      if (found !== undefined) return found.offset < request.below ? found : undefined
    }
    return undefined
  }

  async #findIn(segment: Segment, request: TimeRequest): Promise<RecordTime | undefined> {
    try {
      let from = Math.max(await this.#startIn(segment, request.timestampMs), request.from)
      for (;;) {
        const candidate = await this.#nextCandidate(segment, { ...request, from })
        if (candidate === undefined) return undefined
        const found = await this.#recordIn(segment, candidate, request)
        if (found !== undefined) return found
        // Its newest record lies before the log start, or its header promised too much.
        from = candidate.nextOffset
      }
    } catch (error) {
      if (error instanceof NewDamage) throw error
      throw this.#access.readError(error, request.from)
    }
  }

  /** Every record of the segment before the returned offset is older than `timestampMs`. */
  async #startIn(segment: Segment, timestampMs: number): Promise<number> {
    const hit = await segment.times.lookup(timestampMs)
    if (hit !== undefined && (await this.#isRight(segment, hit))) return hit.offset
    await this.#access.rebuildIndexes(segment)
    return (await segment.times.lookup(timestampMs))?.offset ?? segment.baseOffset
  }

  /** The batch that an entry names has the timestamp that it says. */
  async #isRight(segment: Segment, hit: TimeHit): Promise<boolean> {
    if (hit.timestamp === -1) return true
    let isRight = false
    await this.#access.walk(segment, hit.offset, (bytes, at) => {
      if (batchLastOffsetAt(bytes, at) < hit.offset) return undefined
      isRight = batchBaseOffsetAt(bytes, at) === hit.offset
      isRight &&= batchMaxTimestampAt(bytes, at) === hit.timestamp
      return false
    })
    return isRight
  }

  /** The first batch from `from` on whose header says that it has a record as new. */
  async #nextCandidate(
    segment: Segment,
    { timestampMs, from, below }: TimeRequest,
  ): Promise<Candidate | undefined> {
    if (from >= segment.nextOffset) return undefined
    let candidate: Candidate | undefined
    await this.#access.walk(
      segment,
      from,
      (bytes, at, position) => {
        if (batchBaseOffsetAt(bytes, at) >= below) return false
        const lastOffset = batchLastOffsetAt(bytes, at)
        if (lastOffset < from || batchMaxTimestampAt(bytes, at) < timestampMs) return undefined
        const offset = batchBaseOffsetAt(bytes, at)
        candidate = { position, size: batchSizeAt(bytes, at), offset, nextOffset: lastOffset + 1 }
        return false
      },
      MUST_SEE_ALL,
    )
    return candidate
  }

  async #recordIn(
    segment: Segment,
    candidate: Candidate,
    request: TimeRequest,
  ): Promise<RecordTime | undefined> {
    try {
      return await this.#decode(segment, candidate, request)
    } catch (error) {
      if (!isMinikafkaError(error) || error.name !== 'CORRUPT_MESSAGE') throw error
      const damage = await this.#access.suspect(segment, candidate)
      throw damage === undefined ? error : this.#state.unreadable(damage)
    }
  }

  /** Decodes one batch, in bounds that `BatchReader` keeps. */
  async #decode(
    segment: Segment,
    { position, size }: Candidate,
    { timestampMs, from }: TimeRequest,
  ): Promise<RecordTime | undefined> {
    const batch = Buffer.allocUnsafeSlow(size)
    await this.#access.withFile(segment, (file) => file.read(batch, position))
    const { compression } = readBatchHeader(batch)
    if (compression !== undefined) await this.#env.compress.prepare(compression)
    const reader = new BatchReader(batch, this.#env.compress)
    while (reader.next()) {
      if (reader.offset < from || reader.timestamp < timestampMs) continue
      return { offset: reader.offset, timestamp: reader.timestamp }
    }
    return undefined
  }
}
