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
  PartitionLag,
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
  /** When finished records are committed for the group. Default `processed`: each second, each 1,000, revoke, close. */
  readonly commit?: 'processed' | 'manual' | 'none' | undefined
  /** Of `processed`. Default 1,000. */
  readonly commitIntervalMs?: number | undefined
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
  /** A member whose record takes longer gives its partition up. Default: off. */
  readonly maxProcessingMs?: number | undefined
  /** How long handlers may take to finish when partitions are taken away. Default 300,000. */
  readonly rebalanceTimeoutMs?: number | undefined
  /** Data but no progress for so long emits `stalled`. Default 60,000. */
  readonly stalledAfterMs?: number | undefined
  /**
   * What happens to a record that cannot be decoded, or whose handler in run() threw. Default `stop`. Where the broker
   * cannot read the place where a partition begins, `skip` goes on asking.
   */
  readonly onError?: ErrorPolicy | undefined
  /** Topic for dead letters. */
  readonly deadLetter?: string | undefined
  /** Awaited before the first record of new partitions. */
  readonly onAssigned?: Hook | undefined
  /** Awaited before partitions are released: may still commit. */
  readonly onRevoked?: Hook | undefined
  /** Partitions that belong to somebody else already: may not commit. */
  readonly onLost?: Hook | undefined
}

export type Hook = (
  partitions: Partitions,
  // biome-ignore lint/suspicious/noExplicitAny: of a consumer of any topics.
  context: { readonly signal: AbortSignal } & Pick<Consumer<any>, 'commit' | 'seek'>,
) => unknown

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
  /** Commits the records of this batch. Errors: INVALID_OPTION without a group. */
  commit(wait?: Wait): Done
}

export type Stall = 'handler' | 'fetch' | 'coordinator' | 'paused'

export type ConsumerHealth = {
  /**
   * `joining` until it is in the group (without one: knows where its partitions begin); `reconciling` while partitions
   * come or go; `fenced` after it was thrown out, until it is back; `left` once closed.
   */
  readonly state: 'joining' | 'stable' | 'reconciling' | 'fenced' | 'left'
  /** Since the last one that was answered left; 0 without a group. */
  readonly lastHeartbeatMsAgo: number
  readonly partitions: readonly (NextOffset & {
    readonly end: number
    readonly lastProgressMsAgo: number
    readonly waitingFor?: Stall
  })[]
}

export type ConsumerEvents = {
  /** Partitions that are read from now on: it is known where they begin. */
  assigned: Partitions
  revoked: Partitions
  lost: Partitions
  /** A few times per `stalledAfterMs`, from what the fetches said; lagMs only where the record is here already. */
  lag: PartitionLag[]
  /** Something is wrong and the consumer goes on trying. Without a listener it is logged. */
  error: MinikafkaError
  stalled: TopicPartition & { sinceMs: number; waitingFor: Stall }
}

export type ReadOptions = { readonly signal?: AbortSignal | undefined }
export type BatchesOptions = ReadOptions & {
  /** At most so many records. Default: whole batches as they were fetched, small ones joined. */
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

/**
 * One reading mode at a time, else BUSY. A record is finished when the next is asked for, in run() when its handler
 * is done, anywhere by `ack()`. Leaving a loop early does not finish the record in hand: the next loop starts there.
 * What `poll()` gave is finished by `close()` too, as in Kafka.
 */
export interface Consumer<T extends TopicLike>
  extends Closable,
    Emitter<ConsumerEvents>,
    AsyncIterable<ConsumerRecord<T>> {
  /** Resolves after stop(). Errors: HANDLER_FAILED and what cannot be decoded, where the policy says stop. */
  run(handler: Handler<T>, options?: RunOptions): Done
  batches(options?: BatchesOptions): AsyncIterable<Batch<T>>
  poll(options?: PollOptions): Promise<ConsumerRecord<T>[]>
  /** Object mode, a thin wrapper of the iterator. */
  readable(): Readable
  /**
   * Hand out nothing more, for good: loops and run() end. Where keys overtake each other, run() first finishes what
   * waits in front of a finished record: else that would have to be done again.
   */
  stop(): void
  /**
   * Default: all finished records. A record is finished with it; offsets say where to go on.
   *
   * Errors  STALE_MEMBER_EPOCH, UNKNOWN_MEMBER_ID: it is somebody else's by now; INVALID_OPTION without a group.
   */
  commit(what?: AnyRecord | readonly AnyRecord[] | readonly NextOffset[], wait?: Wait): Done
  /** Of the partitions assigned, where something is committed. Errors: INVALID_OPTION without a group. */
  committed(wait?: Wait): Promise<NextOffset[]>
  /** Offset after the last record handed out; undefined until it is known where the partition begins. */
  nextOffset(at: TopicPartition): number | undefined
  assignment(): Partitions
  /** Nothing fetched before is handed out afterwards. Resolves when the offset is known. */
  seek(at: TopicPartition, to: OffsetSpec, wait?: Wait): Done
  /** Default: all partitions. */
  pause(what?: Partitions): void
  /** Default: all paused ones. What was fetched before the pause is handed out. */
  resume(what?: Partitions): void
  paused(): Partitions
  lag(wait?: Wait): Promise<PartitionLag[]>
  health(): ConsumerHealth
  /**
   * Stops, waits for unfinished records, commits what is finished, leaves the group, disconnects. `leave`: for good;
   * by default a member with an instanceId says that it will be back, any other leaves for good.
   *
   * What `poll()` gave last counts as finished: call it when you are done with that. `await using` and
   * `client.close()`, which also come after an error, leave it unfinished, and the next consumer gets it again.
   * Inside a handler or a hook it does not wait for that one, nor calls onRevoked beside it.
   */
  close(options?: Wait & { readonly leave?: boolean | undefined }): Done
}
