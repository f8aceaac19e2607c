// Writes the records of one partition straight into the buffer of its open batch: no object, copy or buffer per record.
// Enters: records. Leaves: the batch that a record is in; a batch that is full goes to `closed`.
import { assert } from '@minikafka/platform'
import {
  BATCH_HEADER_SIZE,
  BatchWriter,
  type HeaderInput,
  MinikafkaError,
} from '@minikafka/protocol'
import type { Bytes, TopicPartition } from '../words.ts'
import { Batch } from './batch.ts'
import type { ProducerContext } from './context.ts'

export type AccumulatorListener = {
  /** A batch was begun. */
  opened(batch: Batch): void
  /** No more records join it. */
  closed(batch: Batch): void
  /** It is closed because it is full: send it now. */
  filled(): void
  /** It was begun in vain: its only record is too large. */
  dropped(batch: Batch): void
}

export class Accumulator {
  readonly #context: ProducerContext
  readonly #at: TopicPartition
  readonly #listener: AccumulatorListener
  #open: Batch | undefined
  /** The open batch is larger than a batch should be: nothing joins it. */
  #alone = false
  #order = 0
  /** Size of the batch before: the next one begins with a buffer for as much. */
  #lastBytes = 0
  /** max.message.bytes of the topic. */
  maxMessageBytes = 0

  constructor(context: ProducerContext, at: TopicPartition, listener: AccumulatorListener) {
    this.#context = context
    this.#at = at
    this.#listener = listener
  }

  get open(): Batch | undefined {
    return this.#open
  }

  /**
   * Writes one record, and returns its batch: it is the last one in it.
   *
   * Errors  MESSAGE_TOO_LARGE: it does not fit into a batch of the topic.
   */
  append(
    timestamp: number,
    key: Bytes | null,
    value: Bytes | null,
    headers: HeaderInput | undefined,
  ): Batch {
    const open = this.#open
    if (open !== undefined && !this.#alone) {
      const before = open.writer.sizeBytes
      if (open.writer.tryAppend(timestamp, key, value, headers)) {
        this.#charge(open, open.writer.sizeBytes - before)
        return open
      }
    }
    return this.#appendElsewhere(timestamp, key, value, headers)
  }

  /** No more records join the open batch. */
  close(): void {
    const open = this.#open
    if (open === undefined) return
    this.#open = undefined
    this.#alone = false
    this.#lastBytes = Math.min(open.writer.sizeBytes, this.#context.settings.maxBatchBytes)
    this.#listener.closed(open)
  }

  /** Forgets the open batch, which fails. */
  discard(): void {
    this.#open = undefined
    this.#alone = false
  }

  /** The open batch is full, its buffer too small, or there is none. */
  #appendElsewhere(
    timestamp: number,
    key: Bytes | null,
    value: Bytes | null,
    headers: HeaderInput | undefined,
  ): Batch {
    const sizeMax = BatchWriter.recordSizeMax(key, value, headers)
    const batchBytesMax = Math.min(this.#context.settings.maxBatchBytes, this.maxMessageBytes)
    if (sizeMax > batchBytesMax) return this.#appendAlone(sizeMax, timestamp, key, value, headers)
    const needed = (this.#open?.writer.sizeBytes ?? 0) + sizeMax - BATCH_HEADER_SIZE
    if (needed <= batchBytesMax) this.#open?.grow(needed, batchBytesMax)
    else this.#closeFull()
    const size = Math.min(batchBytesMax, Math.max(this.#lastBytes, sizeMax))
    const batch = this.#open ?? this.#begin(size, batchBytesMax)
    const before = batch.recordCount === 0 ? 0 : batch.writer.sizeBytes
    const fits = batch.writer.tryAppend(timestamp, key, value, headers)
    assert(fits, 'a record fits into the buffer made for it')
    this.#charge(batch, batch.writer.sizeBytes - before)
    return batch
  }

  /** A record larger than a batch goes alone, up to max.message.bytes of the topic. */
  #appendAlone(
    sizeMax: number,
    timestamp: number,
    key: Bytes | null,
    value: Bytes | null,
    headers: HeaderInput | undefined,
  ): Batch {
    // `sizeMax` counts each varint at its longest: only what is beyond that is surely too large.
    const sizeMin = sizeMax - 64 - 10 * (headers?.length ?? 0)
    if (sizeMin > this.maxMessageBytes) throw this.#tooLarge(sizeMin)
    this.#closeFull()
    // It stays open, for whoever waits for it has not joined yet; the next record finds it full.
    const batch = this.#begin(sizeMax, Math.min(sizeMax, this.maxMessageBytes))
    if (!batch.writer.tryAppend(timestamp, key, value, headers)) {
      this.#open = undefined
      this.#listener.dropped(batch)
      throw this.#tooLarge(sizeMin)
    }
    this.#alone = true
    this.#charge(batch, batch.writer.sizeBytes)
    return batch
  }

  #begin(size: number, batchBytesMax: number): Batch {
    const { pool, turn } = this.#context
    const sinceMs = turn.monotonicMs
    const place = { order: this.#order++, sinceMs, cohort: this.#context.cohort() }
    const batch = new Batch(pool, pool.take(size), batchBytesMax, place)
    this.#open = batch
    this.#listener.opened(batch)
    return batch
  }

  #closeFull(): void {
    if (this.#open === undefined) return
    this.close()
    this.#listener.filled()
  }

  #charge(batch: Batch, bytes: number): void {
    batch.chargedBytes += bytes
    this.#context.account.add(bytes)
  }

  #tooLarge(size: number): MinikafkaError {
    const max = this.maxMessageBytes
    const { topic, partition } = this.#at
    const message = `a record of about ${size} bytes is above max.message.bytes (${max}) of '${topic}'`
    const fields = { message, topic, partition, outcome: 'not-written', details: { max } } as const
    return new MinikafkaError('MESSAGE_TOO_LARGE', fields)
  }
}
