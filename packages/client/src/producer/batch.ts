// One batch of a partition, from its first record to the answer: bytes, who waits for them, what its attempts came to.
import { assert, type Compress, type CompressionName } from '@minikafka/platform'
import { BatchWriter, type MinikafkaError, restampProducer } from '@minikafka/protocol'
import type { BufferPool } from './buffer-pool.ts'
import type { ProduceTrace } from './channels.ts'
import type { Cohort } from './cohort.ts'
import { type Sink, Waiters } from './waiters.ts'

export type ProducerStamp = {
  readonly producerId: number
  readonly producerEpoch: number
  readonly sequence: number
}

export const NO_STAMP: ProducerStamp = { producerId: -1, producerEpoch: -1, sequence: -1 }

export class Batch {
  /** Place among the batches of its partition: a retry keeps it. */
  readonly order: number
  /** Monotonic: when it was begun. */
  readonly sinceMs: number
  /** Monotonic: when the first of its records was handed over. The delivery time-out counts from here. */
  sentMs: number
  /** Flushes that wait for it. */
  readonly cohorts: Cohort[]
  readonly #pool: BufferPool
  readonly #writer: BatchWriter
  /** Lent by the pool; undefined once given back. */
  #buffer: Buffer | undefined
  #sealed: Buffer | undefined
  /** Sends of its bytes whose write callback has not fired yet. */
  #lent = 0
  #settled = false
  stamp: ProducerStamp = NO_STAMP
  /** What the account holds for it. */
  chargedBytes = 0
  /** Records of `push`, for which nobody waits. */
  pushed = 0
  attempts = 0
  /** Of its partition, when its last attempt began. */
  round = 0
  /** An attempt had no definite outcome: it may be in the log. */
  tainted = false
  /** Refused because an earlier batch is missing: it waits for that one. */
  outOfOrder = false
  lastError: MinikafkaError | undefined
  /** For the diagnostics channel; only with subscribers. */
  trace: ProduceTrace | undefined
  readonly waiters = new Waiters()

  constructor(pool: BufferPool, buffer: Buffer, batchBytesMax: number, place: BatchPlace) {
    this.#pool = pool
    this.#buffer = buffer
    this.#writer = new BatchWriter(bounded(buffer, batchBytesMax))
    this.order = place.order
    this.sinceMs = place.sinceMs
    this.sentMs = place.sinceMs
    this.cohorts = [place.cohort]
    place.cohort.begin()
  }

  get writer(): BatchWriter {
    return this.#writer
  }

  get recordCount(): number {
    return this.#writer.recordCount
  }

  get settled(): boolean {
    return this.#settled
  }

  /** The bytes to send; it is sealed. */
  get bytes(): Buffer {
    assert(this.#sealed !== undefined, 'a batch that is sent is sealed')
    return this.#sealed
  }

  /** As it will be sent; an upper bound before it is sealed. */
  get sizeBytes(): number {
    return this.#sealed?.length ?? this.#writer.sizeBytes
  }

  get isSealed(): boolean {
    return this.#sealed !== undefined
  }

  /** Somebody waits for the record that was just written. */
  join(sink: Sink, slot: number, timestamp: number): void {
    this.waiters.add(sink, slot, this.#writer.recordCount - 1, timestamp)
  }

  /** Goes on in a larger buffer of the pool. */
  grow(size: number, batchBytesMax: number): void {
    const former = this.#buffer
    this.#buffer = this.#pool.take(size)
    this.#writer.grow(bounded(this.#buffer, batchBytesMax))
    if (former !== undefined) this.#pool.give(former)
  }

  /** Compresses, writes the header, sums: once. A retry never encodes again. */
  seal(compress: Compress, compression: CompressionName, stamp: ProducerStamp): void {
    assert(this.#sealed === undefined, 'a batch is sealed once')
    this.stamp = stamp
    const { producerId, producerEpoch, sequence: baseSequence } = stamp
    this.#sealed = this.#writer.seal(compress, {
      compression,
      producerId,
      producerEpoch,
      baseSequence,
    })
    if (compression !== 'none') this.#giveBack()
  }

  /** A new identity, for a batch that is known not to be in the log. */
  restamp(stamp: ProducerStamp): void {
    assert(!this.tainted, 'a batch of unknown outcome keeps its epoch')
    assert(this.#lent === 0, 'a batch is not changed while its bytes are lent')
    this.stamp = stamp
    restampProducer(this.bytes, stamp.producerId, stamp.producerEpoch, stamp.sequence)
  }

  get isLent(): boolean {
    return this.#lent > 0
  }

  lend(): void {
    this.#lent++
  }

  /** A write callback fired. */
  returned(): void {
    assert(this.#lent > 0, 'a write callback fires once for each send')
    this.#lent--
    this.#release()
  }

  settle(): void {
    assert(!this.#settled, 'a batch settles once')
    this.#settled = true
    this.#release()
    for (const cohort of this.cohorts) cohort.settle()
  }

  /** Invariant (behaviour 31): the pool has the buffer only after `settled` and with nothing lent. */
  #release(): void {
    if (this.#settled && this.#lent === 0) this.#giveBack()
  }

  #giveBack(): void {
    if (this.#buffer !== undefined) this.#pool.give(this.#buffer)
    this.#buffer = undefined
  }
}

export type BatchPlace = {
  readonly order: number
  readonly sinceMs: number
  readonly cohort: Cohort
}

/** A class may be larger than a batch may be. */
function bounded(buffer: Buffer, sizeMax: number): Buffer {
  return buffer.length > sizeMax ? buffer.subarray(0, sizeMax) : buffer
}
