// What one partition remembers of its idempotent producers: the last five batches of each.
// Enters: batch headers. Leaves: append, duplicate, or an error. Pure: no clock, no I/O. Source: KIP-98, REPLICATION 2.10.
import type { BatchHeader } from '@minikafka/protocol'
import type { ProducerUse, ProducerUses } from './producer-uses.ts'

/** Batches remembered per producer; clients keep at most as many in flight. Source: KIP-98. */
export const BATCHES_REMEMBERED = 5
/** One more is kept, so that a producer's place is known when all that it had in flight is cut. */
const BATCHES_KEPT = BATCHES_REMEMBERED + 1
const SEQUENCE_MAX = 2 ** 31 - 1

export type BatchMark = {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly firstOffset: number
  readonly lastOffset: number
  readonly appendTimeMs: number
}

type ProducerEntry = ProducerUse & {
  epoch: number
  /** Oldest first, at most BATCHES_KEPT, all of `epoch`. */
  batches: BatchMark[]
  /** `batches` holds all that came in this epoch: where it is empty, sequence 0 follows. */
  isWhole: boolean
}

/** One producer as a snapshot keeps it. */
export type ProducerImage = {
  readonly producerId: number
  readonly epoch: number
  readonly isWhole: boolean
  readonly batches: readonly BatchMark[]
  /** For how long it had been silent. */
  readonly idleMs: number
}

export type Verdict =
  | { readonly kind: 'append' }
  | { readonly kind: 'duplicate'; readonly mark: BatchMark }
  | {
      readonly kind: 'refuse'
      readonly error:
        | 'INVALID_PRODUCER_EPOCH'
        | 'OUT_OF_ORDER_SEQUENCE_NUMBER'
        | 'UNKNOWN_PRODUCER_ID'
      readonly message: string
    }

const APPEND: Verdict = { kind: 'append' }

export class ProducerStates {
  readonly #uses: ProducerUses
  readonly #byId = new Map<number, ProducerEntry>()

  /** `uses`: of all partitions of the broker. */
  constructor(uses: ProducerUses) {
    this.#uses = uses
  }

  get size(): number {
    return this.#byId.size
  }

  /** Decides, changes nothing. Check and enqueue must stand in one synchronous section. */
  check(header: BatchHeader): Verdict {
    const { producerId, producerEpoch, baseSequence } = header
    if (producerId < 0) return APPEND
    const entry = this.#byId.get(producerId)
    if (entry === undefined) return baseSequence === 0 ? APPEND : unknownProducer(header)
    if (producerEpoch < entry.epoch) {
      return refuse(
        'INVALID_PRODUCER_EPOCH',
        `producer ${producerId} is at epoch ${entry.epoch}, not ${producerEpoch}`,
      )
    }
    if (producerEpoch > entry.epoch) {
      if (baseSequence === 0) return APPEND
      return outOfOrder(header, 0)
    }
    const last = lastSequenceOf(header)
    const mark = entry.batches
      .slice(-BATCHES_REMEMBERED)
      .find((batch) => batch.firstSequence === baseSequence && batch.lastSequence === last)
    if (mark !== undefined) return { kind: 'duplicate', mark }
    const newest = entry.batches.at(-1)
    if (newest === undefined && !entry.isWhole) return forgotten(header)
    const expected = newest === undefined ? 0 : nextSequence(newest.lastSequence)
    return baseSequence === expected ? APPEND : outOfOrder(header, expected)
  }

  /** Records an appended, replayed or replicated batch; never rejects. `header.baseOffset` is final. */
  record(header: BatchHeader, nowMs: number): void {
    const { producerId, producerEpoch } = header
    if (producerId < 0) return
    const entry = this.#byId.get(producerId) ?? this.#newEntry(header)
    if (entry.epoch !== producerEpoch) {
      entry.epoch = producerEpoch
      entry.batches = []
      entry.isWhole = header.baseSequence === 0
    }
    this.#uses.touch(entry, nowMs)
    if (entry.batches.length === BATCHES_KEPT) {
      entry.batches.shift()
      entry.isWhole = false
    }
    entry.batches.push({
      firstSequence: header.baseSequence,
      lastSequence: lastSequenceOf(header),
      firstOffset: header.baseOffset,
      lastOffset: header.lastOffset,
      appendTimeMs: header.timestampType === 'append' ? header.maxTimestamp : -1,
    })
  }

  /**
   * The log was cut to end at `offset`: what lay behind was never written. Every producer keeps its place, also one
   * whose earlier records are long deleted; it is not in the log any more.
   */
  truncate(offset: number): void {
    for (const entry of this.#byId.values()) entry.batches = below(offset, entry.batches)
  }

  /**
   * What is known of batches below `offset`. May be taken over many turns: what is recorded meanwhile lies behind
   * `offset`, where the log tells it again, and takes the place of nothing that then is still remembered.
   */
  *images(offset: number, nowMs: number): Generator<ProducerImage> {
    // Those that come meanwhile stand behind all others, and have nothing below.
    let left = this.#byId.size
    for (const { producerId, epoch, isWhole, batches, lastUsedMs } of this.#byId.values()) {
      if (left-- === 0) return
      const idleMs = Math.max(0, nowMs - lastUsedMs)
      yield { producerId, epoch, isWhole, batches: below(offset, batches), idleMs }
    }
  }

  /** By producer id: the last offset of the last batch that lies below `offset`. */
  ends(offset: number): Map<number, number> {
    const ends = new Map<number, number>()
    for (const { producerId, batches } of this.#byId.values()) {
      const last = batches.findLast(({ lastOffset }) => lastOffset < offset)
      if (last !== undefined) ends.set(producerId, last.lastOffset)
    }
    return ends
  }

  /** Takes what `images` gave, as if no time had passed, and forgets all else. */
  restore(images: Iterable<ProducerImage>, nowMs: number): void {
    this.clear()
    for (const { producerId, epoch, isWhole, batches, idleMs } of images) {
      const lastUsedMs = nowMs - idleMs
      const entry = { owner: this, producerId, epoch, isWhole, batches: [...batches], lastUsedMs }
      this.#byId.set(producerId, entry)
      this.#uses.restore(entry)
    }
  }

  forget(producerId: number): void {
    const entry = this.#byId.get(producerId)
    if (entry === undefined) return
    this.#byId.delete(producerId)
    this.#uses.remove(entry)
  }

  clear(): void {
    for (const producerId of this.#byId.keys()) this.forget(producerId)
  }

  has(producerId: number): boolean {
    return this.#byId.has(producerId)
  }

  #newEntry({ producerId, producerEpoch: epoch, baseSequence }: BatchHeader): ProducerEntry {
    const isWhole = baseSequence === 0
    const entry = { owner: this, producerId, epoch, isWhole, batches: [], lastUsedMs: 0 }
    this.#byId.set(producerId, entry)
    return entry
  }
}

function below(offset: number, batches: BatchMark[]): BatchMark[] {
  const newest = batches.at(-1)
  if (newest === undefined || newest.lastOffset < offset) return batches
  return batches.filter(({ lastOffset }) => lastOffset < offset)
}

/** Sequences run to 2^31 - 1, then go on at 0. */
function nextSequence(sequence: number): number {
  return sequence === SEQUENCE_MAX ? 0 : sequence + 1
}

function lastSequenceOf({ baseSequence, lastOffsetDelta }: BatchHeader): number {
  const last = baseSequence + lastOffsetDelta
  return last > SEQUENCE_MAX ? last - SEQUENCE_MAX - 1 : last
}

function refuse(error: Extract<Verdict, { kind: 'refuse' }>['error'], message: string): Verdict {
  return { kind: 'refuse', error, message }
}

function unknownProducer({ producerId, baseSequence }: BatchHeader): Verdict {
  return refuse(
    'UNKNOWN_PRODUCER_ID',
    `producer ${producerId} is not known here and its batch begins at sequence ${baseSequence}, not 0`,
  )
}

function outOfOrder({ producerId, baseSequence }: BatchHeader, expected: number): Verdict {
  return refuse(
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    `producer ${producerId} sent sequence ${baseSequence} where ${expected} follows`,
  )
}

/** More than a producer may have in flight was cut: only a new epoch tells where it is. */
function forgotten({ producerId, baseSequence }: BatchHeader): Verdict {
  return refuse(
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    `producer ${producerId} sent sequence ${baseSequence}; which one follows is not known after a failed write`,
  )
}
