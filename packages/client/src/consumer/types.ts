// What a consumer is given and gives: options, records, batches, the reading modes.
import type { Readable } from 'node:stream'
import type { MinikafkaError } from '@minikafka/protocol'
import type { Parts, RecordHeaders, Topic, TopicLike } from '../topic/index.ts'
import type {
  Closable,
  Done,
  Emitter,
  NextOffset,
  OffsetSpec,
  Partitions,
  TopicPartition,
  Wait,
} from '../words.ts'

/** `record.topic` narrows a union of topics. */
export type ConsumerRecord<T> = T extends TopicLike
  ? Readonly<{
      topic: Parts<T>['name']
      partition: number
      offset: number
      /** Milliseconds since 1970. */
      timestamp: number
      timestampType: 'create' | 'append'
      key: Parts<T>['keyOut'] | null
      value: Parts<T>['valueOut']
      headers: RecordHeaders
      /** Aborts when the partition is given up and when the consumer closes. */
      signal: AbortSignal
      /** Finished, before the loop asks for the next one. */
      ack(): void
    }>
  : never

// biome-ignore lint/suspicious/noExplicitAny: a record of any topic.
export type AnyRecord = ConsumerRecord<Topic<string, any, any, any, any>>

export type Start = Exclude<OffsetSpec, number> | 'error'

type Assigned<T> = {
  readonly topic: T
  readonly partition: number
  readonly start?: OffsetSpec | undefined
}

export type ConsumerOptions<T extends TopicLike> = ConsumerTuning &
  (
    | {
        readonly group: string
        readonly topics: readonly T[]
        readonly pattern?: undefined
        readonly assign?: undefined
        readonly start: Start
        readonly instanceId?: string | undefined
      }
    | {
        readonly group: string
        readonly topics?: undefined
        readonly pattern: string
        readonly assign?: undefined
        readonly start: Start
        readonly instanceId?: string | undefined
      }
    | {
        readonly group?: undefined
        readonly topics: readonly T[]
        readonly pattern?: undefined
        readonly assign?: undefined
        readonly start?: Start | undefined
      }
    | {
        readonly group?: string | undefined
        readonly topics?: undefined
        readonly pattern?: undefined
        readonly assign: readonly Assigned<T>[]
        readonly start?: undefined
      }
  )

export type ConsumerTuning = {
  /** What to do when the offset wanted is no longer, or not yet, there. Default `error`: losing is a decision. */
  readonly onOutOfRange?: 'error' | 'earliest' | 'latest' | undefined
  /** Default `read_committed`. */
  readonly isolation?: 'read_committed' | 'read_uncommitted' | undefined
  /** Bytes fetched ahead of the reader, over all partitions. Default 16 MiB. */
  readonly prefetchBytes?: number | undefined
  /** Default 1. */
  readonly fetchMinBytes?: number | undefined
  /** Of one answer; default 8 MiB, of that 1 MiB per partition. */
  readonly fetchMaxBytes?: number | undefined
  /** How long the broker may wait for fetchMinBytes. Default 500. */
  readonly fetchMaxWaitMs?: number | undefined
  /** Data but no progress for so long emits `stalled`. Default 60,000. */
  readonly stalledAfterMs?: number | undefined
  /** What happens to a record that cannot be decoded, or whose handler in run() threw. Default `stop`. */
  readonly onError?: ErrorPolicy | undefined
  /** Topic for dead letters. */
  readonly deadLetter?: string | undefined
}

export type Outcome = 'stop' | 'skip' | 'dead-letter'

export type ErrorPolicy =
  | Outcome
  | { readonly retries: number; readonly then: Outcome }
  | ((
      error: Error,
      record: ConsumerRecord<string>,
      attempt: number,
    ) => Outcome | { readonly retryAfterMs: number })

/** Records of one partition, in order. */
export type Batch<T> = TopicPartition & {
  readonly records: readonly ConsumerRecord<T>[]
  readonly signal: AbortSignal
}

export type PartitionLag = TopicPartition & {
  /** Undefined without a group. */
  readonly committed: number | undefined
  readonly end: number
  readonly lag: number
  /** Now minus the timestamp of the first unread record; undefined where there is none. */
  readonly lagMs: number | undefined
}

export type Stall = 'handler' | 'fetch' | 'paused'

export type ConsumerHealth = {
  readonly state: 'reading' | 'stopped' | 'closed'
  readonly partitions: readonly (NextOffset & {
    readonly end: number
    readonly lastProgressMsAgo: number
    readonly waitingFor?: Stall
  })[]
}

export type ConsumerEvents = {
  assigned: Partitions
  error: MinikafkaError
  stalled: TopicPartition & { sinceMs: number; waitingFor: Stall }
}

export type ReadOptions = { readonly signal?: AbortSignal | undefined }
export type BatchesOptions = ReadOptions & {
  readonly maxRecords?: number | undefined
  /** Waits so long for `maxRecords` of a partition before it hands out fewer. Default 0: what is there. */
  readonly maxWaitMs?: number | undefined
}
export type PollOptions = ReadOptions & {
  /** Default 500. */
  readonly max?: number | undefined
  /** Default 500; then an empty array. */
  readonly maxWaitMs?: number | undefined
}
export type RunOptions = ReadOptions & {
  /** Handlers at work at once. Default 1. */
  readonly concurrency?: number | undefined
  /** What is kept in order. Default `partition`. */
  readonly order?: 'partition' | 'key' | 'none' | undefined
}
export type Handler<T> = (
  record: ConsumerRecord<T>,
  context: { readonly attempt: number },
) => unknown

/** One reading mode at a time, else BUSY. Leaving a loop early does not finish the record in hand: the next loop starts there. */
export interface Consumer<T extends TopicLike>
  extends Closable,
    Emitter<ConsumerEvents>,
    AsyncIterable<ConsumerRecord<T>> {
  run(handler: Handler<T>, options?: RunOptions): Done
  batches(options?: BatchesOptions): AsyncIterable<Batch<T>>
  poll(options?: PollOptions): Promise<ConsumerRecord<T>[]>
  /** Object mode, a thin wrapper of the iterator. */
  readable(): Readable
  /** Hand out nothing more: loops and run() end. */
  stop(): void
  /** Offset after the last record handed out. */
  nextOffset(at: TopicPartition): number | undefined
  assignment(): Partitions
  /** Nothing fetched before is handed out afterwards. */
  seek(at: TopicPartition, to: OffsetSpec, wait?: Wait): Done
  pause(what?: Partitions): void
  resume(what?: Partitions): void
  paused(): Partitions
  lag(wait?: Wait): Promise<PartitionLag[]>
  health(): ConsumerHealth
  close(wait?: Wait): Done
}
