// What a producer takes and gives: options, records, results.

import type { Writable } from 'node:stream'
import type { MinikafkaError } from '@minikafka/protocol'
import type { HeadersInit, Parts, TopicLike } from '../topic/index.ts'
import type { Closable, Done, Emitter, TopicPartition, Wait } from '../words.ts'

export type ProducerOptions = {
  /** Whose acknowledgement a record waits for. Default `all`: every in-sync replica. */
  readonly acks?: 'all' | 'leader' | 'none' | undefined
  /** A retry is written once, and order holds. Default true; needs acks `all` and maxInFlight of at most 5. */
  readonly idempotent?: boolean | undefined
  /** How long a batch may wait for more while requests are in flight. Default 5; an idle broker is never waited for. */
  readonly lingerMs?: number | undefined
  /** Default 1 MiB, never above the topic's max.message.bytes; a larger record goes alone. */
  readonly maxBatchBytes?: number | undefined
  /** Bytes buffered and unacknowledged; default 32 MiB. */
  readonly maxBufferedBytes?: number | undefined
  /** Unacknowledged batches per partition, over all connections. Default 5. */
  readonly maxInFlight?: number | undefined
  /** What `send` does above maxBufferedBytes. Default `wait`. */
  readonly onFull?: 'wait' | 'error' | undefined
  /**
   * From send() or push() to acknowledgement: waits for the schema, for room and for the topic, and all retries
   * included. In sendMany() from when a record is read in. A batch has the time of its oldest record. Default 120,000.
   */
  readonly deliveryTimeoutMs?: number | undefined
  /** Default `roundRobin()`. */
  readonly partitioner?: Partitioner | undefined
  /** Default `none`. */
  readonly compression?: 'none' | 'gzip' | 'lz4' | 'snappy' | 'zstd' | undefined
}

/** Answers a partition number. `available`: those with a leader. */
export type Partitioner = (record: {
  readonly topic: string
  readonly key: Buffer | null
  readonly partitionCount: number
  readonly available: readonly number[]
}) => number

export type ProducerRecord<T> = {
  readonly key?: Parts<T>['keyIn'] | null | undefined
  readonly value: Parts<T>['valueIn']
  readonly headers?: HeadersInit | undefined
  /** Default: the partitioner chooses. */
  readonly partition?: number | undefined
  /** Milliseconds since 1970; default: now. */
  readonly timestamp?: number | undefined
}

/** `offset` is undefined with acks `none`. */
export type RecordMetadata = TopicPartition & {
  readonly offset: number | undefined
  readonly timestamp: number
}

export type ProducerEvents = {
  /** Pushed records that were not delivered. */
  failed: TopicPartition & { error: MinikafkaError; records: number }
}

export interface Producer extends Closable, Emitter<ProducerEvents> {
  send<T extends TopicLike>(
    topic: T,
    record: ProducerRecord<T>,
    wait?: Wait,
  ): Promise<RecordMetadata>
  /** Answers in input order, or rejects with a PartialFailureError that has all results. */
  sendMany<T extends TopicLike>(
    topic: T,
    records: Iterable<ProducerRecord<T>>,
    wait?: Wait,
  ): Promise<RecordMetadata[]>
  /** Takes the record, without a promise; false above the high-water mark: await `drained()` before the next. */
  push<T extends TopicLike>(topic: T, record: ProducerRecord<T>): boolean
  /** Resolves below the low-water mark. */
  drained(wait?: Wait): Done
  /** Resolves when all that came before is settled; rejects if a push among it failed. */
  flush(wait?: Wait): Done
  /** Object mode, a thin wrapper of push and drained. Ending it flushes. */
  writable<T extends TopicLike>(topic: T): Writable
}
