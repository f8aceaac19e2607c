// Room 5 of the walk. Leader? Epoch, sequence, offsets; acks wait here for the high watermark.
// Before: broker/handlers/00-produce. After: broker/log.
// Enters: one produced batch, or a reader's offset. Leaves: the batch's offsets once they are as durable as asked for.
import { isInternalTopic } from '@minikafka/cluster'
import { assert, type DiskError, type Env, isNoSpace } from '@minikafka/platform'
import {
  type BatchHeader,
  type ErrorName,
  readBatchHeader,
  stampBatch,
  stampLogAppendTime,
} from '@minikafka/protocol'
import { isCompacted, type TopicValues } from '../config/index.ts'
import type { Log, LogSlice } from '../log/index.ts'
import { AckWaiters } from './ack-waiters.ts'
import { type Acks, type Appended, ambiguous, definite, succeeded } from './appended.ts'
import { whyMalformed, whyOutOfTime, whyWithoutKeys } from './batch-checks.ts'
import { prepareToRead } from './keys-required.ts'
import { ProducerMemory } from './producer-memory.ts'
import type { ProducerStates } from './producer-states.ts'
import type { ProducerUses } from './producer-uses.ts'

/** What the metadata says of this partition. */
export type Leadership = {
  readonly leaderId: number
  readonly leaderEpoch: number
  /** Grows with every change of the others: which of two is the newer one. */
  readonly partitionEpoch: number
  readonly isr: readonly number[]
  readonly minIsr: number
}

type Refusal = { readonly error: ErrorName; readonly message: string }

const NOT_LED: Leadership = {
  leaderId: -1,
  leaderEpoch: -1,
  partitionEpoch: -1,
  isr: [],
  minIsr: 1,
}

export type PartitionOptions = {
  readonly nodeId: number
  readonly values: TopicValues
  /** Refuses appends while the disk has no room to spare. */
  readonly storageFull: () => boolean
  /** Of the whole broker, and whether there is room for one more producer id (max.producer.ids). */
  readonly producerUses: ProducerUses
  readonly producerIdRoom: () => boolean
  /** False after the lease deadline: acks 0 and 1 promise nothing then (REPLICATION 2.8). */
  readonly holdsLease: () => boolean
}

export class Partition {
  readonly topic: string
  readonly topicId: string
  readonly number: number
  /** Of a topic that the brokers keep for themselves. */
  readonly internal: boolean
  readonly producers: ProducerStates
  readonly #memory: ProducerMemory
  readonly #env: Env
  readonly #options: PartitionOptions
  #values: TopicValues
  #log: Log | undefined
  /** Set while what is needed to read records is loaded. */
  #preparing: Promise<void> | undefined
  #leadership: Leadership = NOT_LED
  /** Set while `lead` is at work: the next one comes after it. */
  #leading: Promise<void> | undefined
  /** Invariant: logStartOffset <= lastStableOffset <= highWatermark <= logEndOffset. */
  #highWatermark = 0
  #leaderEpochStartOffset = 0
  /** Set while a leader epoch waits for the writes of the one before: a batch of either would be wrong. */
  #epochNotBegun: Refusal | undefined
  #offline: Refusal | undefined
  #lost = false
  readonly #waiters: AckWaiters
  readonly #readers = new Set<() => void>()

  constructor(
    env: Env,
    name: { topic: string; topicId: string; partition: number },
    options: PartitionOptions,
  ) {
    this.#env = env
    this.#waiters = new AckWaiters(env.clock)
    this.topic = name.topic
    this.topicId = name.topicId
    this.number = name.partition
    this.internal = isInternalTopic(name.topic)
    this.#options = options
    this.#memory = new ProducerMemory(env, name, options.producerUses, () => this.#openLog())
    this.producers = this.#memory.states
    this.scanned = this.#memory.scanned
    this.#values = options.values
    this.#prepare()
  }

  // --- what the log tells: handed to it when it is opened ------------------------------------

  readonly listener = {
    advanced: (): void => this.#advanceHighWatermark(),
    writeFailed: (fromOffset: number, error: DiskError): void =>
      this.#writeFailed(fromOffset, error),
    startMoves: (): Promise<void> => this.saveProducers(),
    rolled: (): Promise<void> => this.#memory.saveIfWorthIt(),
    closing: (): unknown => this.#memory.note(this.#log),
    offline: (error: Error): void => this.goOffline('KAFKA_STORAGE_ERROR', error.message),
  }

  readonly scanned: ProducerMemory['scanned']

  /**
   * Takes the opened log; producer state comes from its snapshot and the batch headers behind it (REPLICATION 2.10).
   * Where that fails it has no log and remembers no producer, and another one may take its place.
   *
   * Shape   `note`: what `listener.closing` gave, where the log is as it was then.
   */
  async open(log: Log, { lost = false, note }: { lost?: boolean; note?: unknown } = {}) {
    assert(this.#log === undefined, 'a partition opens its log once')
    this.#log = log
    this.#lost = lost
    try {
      await this.#memory.open(log, note)
    } catch (error) {
      this.#log = undefined
      throw error
    }
    this.#highWatermark = log.logStartOffset
    this.#advanceHighWatermark()
  }

  /**
   * Applies what the metadata says. The epoch is in the cache before it accepts a batch (REPLICATION 2.5), and in the
   * checkpoint before the log writes one.
   */
  async lead(leadership: Leadership): Promise<void> {
    while (this.#leading !== undefined) await this.#leading.catch(() => undefined)
    this.#leading = this.#lead(leadership).finally(() => {
      this.#leading = undefined
    })
    await this.#leading
  }

  async #lead(leadership: Leadership): Promise<void> {
    const { partitionEpoch, leaderEpoch } = this.#leadership
    // Whoever asked late may have an older state: what is led now stays.
    if (leadership.partitionEpoch < partitionEpoch) return
    const begins = leadership.leaderEpoch > leaderEpoch
    if (this.#offline === undefined && this.#isMe(leadership.leaderId) && begins)
      return this.#beginEpoch(leadership)
    this.#leadership = leadership
    this.#advanceHighWatermark()
  }

  /** Nothing is appended meanwhile; then epoch and leadership change in one turn. */
  async #beginEpoch(leadership: Leadership): Promise<void> {
    const log = this.#openLog()
    const { leaderEpoch } = leadership
    this.#epochNotBegun = {
      error: 'NOT_LEADER_OR_FOLLOWER',
      message: `leader epoch ${leaderEpoch} of ${this.#name} is beginning`,
    }
    // A write under way may fail: the epoch would begin behind the end of the log.
    if (log.logEndOffset < log.queuedEndOffset) await log.flush()
    log.epochs.assign(leaderEpoch, log.queuedEndOffset)
    this.#epochNotBegun = undefined
    this.#leaderEpochStartOffset = log.queuedEndOffset
    this.#leadership = leadership
    this.#advanceHighWatermark()
  }

  configure(values: TopicValues): void {
    this.#values = values
    this.#prepare()
  }

  #prepare(): void {
    if (!isCompacted(this.#values) || this.#preparing !== undefined) return
    this.#preparing = prepareToRead(this.#env.compress)
      .catch((error: unknown) =>
        this.#env.logger.error({ topic: this.topic, err: error }, 'a codec cannot be loaded'),
      )
      .finally(() => {
        this.#preparing = undefined
      })
  }

  get values(): TopicValues {
    return this.#values
  }

  get log(): Log | undefined {
    return this.#log
  }

  get leadership(): Leadership {
    return this.#leadership
  }

  /** Recovery found that committed records are missing here (REPLICATION 2.12.1, step 6). */
  get lost(): boolean {
    return this.#lost
  }

  get offline(): Refusal | undefined {
    return this.#offline
  }

  get highWatermark(): number {
    return this.#highWatermark
  }

  /** No transactions yet: all that is committed is decided. */
  get lastStableOffset(): number {
    return this.#highWatermark
  }

  // --- produce -------------------------------------------------------------------------------

  /**
   * Append one batch and wait as long as `acks` asks.
   *
   * Shape   `batch`: one v2 batch, base offset 0; given: stamped in place and kept. `timeoutMs` Infinity: no time-out.
   * Errors  in the answer; before the append definite (`written` 0), after it ambiguous (`written` 1).
   * Holds   check of the sequence and enqueueing stand in one synchronous section.
   * Source  REPLICATION 2.2, the numbers in the comments are its steps.
   */
  produce(batch: Uint8Array, acks: Acks, timeoutMs: number): Appended | Promise<Appended> {
    // In the order in which they came: none goes before one that waits.
    if (this.#preparing !== undefined)
      return this.#preparing.then(() => this.produce(batch, acks, timeoutMs))
    const refusal = this.#refusal(acks) // 2
    if (refusal !== undefined) return refusal
    const log = this.#openLog()
    const values = this.#values
    const malformed = whyMalformed(batch, this.topic, values) // 3
    if (malformed !== undefined) return malformed
    const header = readBatchHeader(batch)
    const { clock, compress } = this.#env
    const unfit =
      whyOutOfTime(header, values, clock) ?? whyWithoutKeys(batch, this.topic, values, compress)
    if (unfit !== undefined) return unfit
    const verdict = this.producers.check(header) // 4
    if (verdict.kind === 'refuse') return definite(verdict.error, verdict.message)
    if (verdict.kind === 'duplicate') {
      const { firstOffset, lastOffset, appendTimeMs } = verdict.mark
      return this.#whenAcknowledged(
        acks,
        lastOffset + 1,
        succeeded(firstOffset, appendTimeMs),
        timeoutMs,
      )
    }
    const full = this.#noRoom(header, acks) // 5
    if (full !== undefined) return full
    const appendTimeMs = this.#stamp(batch, log.queuedEndOffset) // 6
    const stamped = readBatchHeader(batch)
    this.#memory.appended(stamped, batch.length)
    log.enqueue(batch)
    return this.#whenAcknowledged(
      acks,
      stamped.lastOffset + 1,
      succeeded(stamped.baseOffset, appendTimeMs),
      timeoutMs,
    )
  }

  /** Why nothing can be appended here at all. */
  #refusal(acks: Acks): Appended | undefined {
    if (this.#offline) return definite(this.#offline.error, this.#offline.message)
    if (acks !== 0 && acks !== 1 && acks !== -1) {
      return definite('INVALID_REQUIRED_ACKS', `acks must be -1, 0 or 1, not ${acks}`)
    }
    if (!this.#isMe(this.#leadership.leaderId)) {
      return definite(
        'NOT_LEADER_OR_FOLLOWER',
        `broker ${this.#leadership.leaderId} leads ${this.#name}`,
      )
    }
    if (acks !== -1 && !this.#options.holdsLease()) {
      return definite('NOT_LEADER_OR_FOLLOWER', 'this broker may no longer lead: its lease ran out')
    }
    if (this.#epochNotBegun) return definite(this.#epochNotBegun.error, this.#epochNotBegun.message)
    return undefined
  }

  #noRoom({ producerId }: BatchHeader, acks: Acks): Appended | undefined {
    if (this.#options.storageFull()) {
      return definite(
        'STORAGE_FULL',
        'the disk of the broker has less than disk.reserve.bytes free',
      )
    }
    if (acks === -1 && this.#leadership.isr.length < this.#leadership.minIsr) {
      return definite(
        'NOT_ENOUGH_REPLICAS',
        `${this.#leadership.isr.length} in sync, min.insync.replicas is ${this.#leadership.minIsr}`,
      )
    }
    if (producerId >= 0 && !this.producers.has(producerId) && !this.#options.producerIdRoom()) {
      return definite(
        'THROTTLING_QUOTA_EXCEEDED',
        'max.producer.ids are in use on this broker; try again later',
      )
    }
    return undefined
  }

  /** Gives the batch its offset, epoch and, with LogAppendTime, its time; returns that time or -1. */
  #stamp(batch: Uint8Array, baseOffset: number): number {
    stampBatch(batch, baseOffset, this.#leadership.leaderEpoch)
    if (this.#values['message.timestamp.type'] === 'CreateTime') return -1
    const appendTimeMs = Math.max(this.#memory.appendTimeMs, this.#env.clock.wallMs())
    this.#memory.appendTimeMs = appendTimeMs
    stampLogAppendTime(batch, appendTimeMs)
    return appendTimeMs
  }

  // --- acks ----------------------------------------------------------------------------------

  #whenAcknowledged(acks: Acks, offset: number, success: Appended, timeoutMs: number) {
    if (acks === 0 || this.#reached(acks) >= offset) return success
    return this.#waiters.wait(acks, offset, success, timeoutMs)
  }

  /** How far `acks` can be promised: all = the high watermark, 1 = this broker's own position. */
  #reached(acks: 1 | -1): number {
    return acks === -1 ? this.#highWatermark : this.#position()
  }

  /** pos(r) of REPLICATION 2.4: with flush=group only what an fdatasync covers counts. */
  #position(): number {
    const log = this.#openLog()
    return this.#values.flush === 'group' ? log.durableEndOffset : log.logEndOffset
  }

  /** The minimum of pos(r) over the in-sync replicas, which on one broker are {me} (REPLICATION 2.4). */
  #advanceHighWatermark(): void {
    if (this.#log === undefined || this.#offline) return
    const { isr, minIsr } = this.#leadership
    const position = this.#position()
    const committed = isr.length >= minIsr && isr.every((id) => this.#isMe(id)) && isr.length > 0
    if (committed && position > this.#highWatermark) {
      this.#highWatermark = position
      for (const wake of [...this.#readers]) wake()
    }
    this.#waiters.advanced((acks) => this.#reached(acks))
  }

  // --- trouble -------------------------------------------------------------------------------

  /** Everything from `fromOffset` on is cut from the log: those who wait for it hear that it is unknown. */
  #writeFailed(fromOffset: number, error: DiskError): void {
    this.producers.truncate(fromOffset)
    const outcome = ambiguous(storageErrorName(error), error.message)
    this.#waiters.failAbove(fromOffset, outcome)
  }

  /** No more appends and reads; those who wait hear that their write is unknown. */
  goOffline(error: ErrorName, message: string): void {
    this.#offline ??= { error, message }
    this.#waiters.failAbove(-1, ambiguous(error, message))
    for (const wake of [...this.#readers]) wake()
  }

  /** See ProducerMemory.save. */
  async saveProducers(): Promise<void> {
    await this.#memory.save(this.#openLog())
  }

  /** At a clean stop, when nothing is appended any more. Errors: as above. */
  async saveAtStop(): Promise<void> {
    if (this.#memory.needsFile) await this.saveProducers()
  }

  // --- reading -------------------------------------------------------------------------------

  /** Whole batches from `from` on, all below `below`; see Log.read. */
  read(
    from: number,
    below: number,
    bytesMax: number,
    firstWhole: boolean,
  ): LogSlice | Promise<LogSlice> {
    return this.#openLog().read(from, below, bytesMax, firstWhole)
  }

  /** The same, lent; see Log.lend. */
  lend(
    from: number,
    below: number,
    bytesMax: number,
    firstWhole: boolean,
  ): LogSlice | Promise<LogSlice> {
    return this.#openLog().lend(from, below, bytesMax, firstWhole)
  }

  /** Looks at the batch of a record below the high watermark again; see Log.examine. */
  async examine(offset: number): Promise<void> {
    if (this.offline === undefined && offset < this.highWatermark) await this.#log?.examine(offset)
  }

  /** Calls back whenever the high watermark moved or the partition went offline. Returns the way to stop it. */
  onReadable(wake: () => void): () => void {
    this.#readers.add(wake)
    return () => this.#readers.delete(wake)
  }

  get leaderEpochStartOffset(): number {
    return this.#leaderEpochStartOffset
  }

  isLeader(): boolean {
    return this.#isMe(this.#leadership.leaderId)
  }

  /** Stops: those who wait hear that their write is unknown; the log is closed by its directory. */
  close(error: ErrorName, message: string): void {
    this.goOffline(error, message)
  }

  #openLog(): Log {
    assert(this.#log !== undefined, 'the log is open')
    return this.#log
  }

  #isMe(brokerId: number): boolean {
    return brokerId === this.#options.nodeId
  }

  get #name(): string {
    return `${this.topic}-${this.number}`
  }
}

/** A full disk is something that the client may wait for. */
export function storageErrorName(error: DiskError): 'STORAGE_FULL' | 'KAFKA_STORAGE_ERROR' {
  return isNoSpace(error) ? 'STORAGE_FULL' : 'KAFKA_STORAGE_ERROR'
}
