// Room 5 of the walk. Leader? Epoch, sequence, offsets; acks wait here for the high watermark.
// Before: broker/handlers/00-produce. After: broker/log.
// Enters: one produced batch, or a reader's offset. Leaves: the batch's offsets once they are as durable as asked for.
import { isInternalTopic } from '@minikafka/cluster'
import { assert, type DiskError, type Env, isNoSpace } from '@minikafka/platform'
import {
  type BatchHeader,
  checkProducedBatch,
  type ErrorName,
  readBatchHeader,
  stampBatch,
  stampLogAppendTime,
} from '@minikafka/protocol'
import { isCompacted, type TopicValues } from '../config/index.ts'
import { Coalesced, type Log, type LogSlice } from '../log/index.ts'
import { AckWaiters } from './ack-waiters.ts'
import { type Acks, type Appended, ambiguous, definite, succeeded } from './appended.ts'
import { prepareToRead, whyKeyless } from './keys-required.ts'
import {
  fromNote,
  type KnownProducers,
  loadProducerSnapshot,
  noteOf,
  saveProducerSnapshot,
} from './producer-snapshot.ts'
import { ProducerStates } from './producer-states.ts'
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

const NO_SNAPSHOT = { endOffset: 0, appendTimeMs: -1, producers: [] }

/** As many a clean stop keeps without a file: of most partitions all. */
const PRODUCERS_NOTED_MAX = 4

/** So much is appended for each byte of a snapshot that is saved at roll: what it costs, and what is replayed. */
const BYTES_PER_SNAPSHOT_BYTE = 8

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
  /** The largest append time given: it never goes back, whatever the wall clock does (SECURITY, row 64). */
  #appendTimeMs = -1
  /** The scan that came before the opening has told of all batches from here on; undefined: nothing was scanned. */
  #replayedFrom: number | undefined
  /** The snapshot on the disk covers the producers of all batches below, none as well; 0: it need not be there. */
  #snapshotEndOffset = 0
  /** 0: none was saved in this run. */
  #snapshotBytes = 0
  /** Appended since then. */
  #unsavedBytes = 0
  /** One snapshot after the other, lest an older one takes the place of a newer one. */
  readonly #snapshots = new Coalesced(() => this.#saveSnapshot())
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
    this.producers = new ProducerStates(options.producerUses)
    this.#values = options.values
    this.#prepare()
  }

  // --- what the log tells: handed to it when it is opened ------------------------------------

  readonly listener = {
    advanced: (): void => this.#advanceHighWatermark(),
    writeFailed: (fromOffset: number, error: DiskError): void =>
      this.#writeFailed(fromOffset, error),
    startMoves: (): Promise<void> => this.saveProducers(),
    rolled: (): Promise<void> => this.#saveIfWorthIt(),
    closing: (): unknown => this.#note(),
    offline: (error: Error): void => this.goOffline('KAFKA_STORAGE_ERROR', error.message),
  }

  readonly scanned = {
    begins: async (fromOffset: number, directory: string): Promise<void> => {
      await this.#restoreSnapshot(directory)
      this.#replayedFrom = fromOffset
    },
    batch: (bytes: Uint8Array, at: number): void => this.#replay(readBatchHeader(bytes, at)),
  }

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
      const known = fromNote(note)
      if (known === undefined) await this.#recoverProducers(log)
      else this.#remember(known)
    } catch (error) {
      this.#log = undefined
      this.producers.clear()
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
    const malformed = this.#malformed(batch) // 3
    if (malformed !== undefined) return malformed
    const header = readBatchHeader(batch)
    const outside = this.#timestampOutside(header) ?? this.#keyless(batch)
    if (outside !== undefined) return outside
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
    this.producers.record(stamped, this.#env.clock.monotonicMs())
    this.#unsavedBytes += batch.length
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

  /** What makes a batch unacceptable whatever the state of the partition. No per-record work. */
  #malformed(batch: Uint8Array): Appended | undefined {
    const max = this.#values['max.message.bytes']
    if (batch.length > max) {
      return definite(
        'MESSAGE_TOO_LARGE',
        `the batch has ${batch.length} bytes, ${this.topic} takes at most ${max}`,
      )
    }
    const wrong = checkProducedBatch(batch)
    return wrong && definite(wrong.error, wrong.message)
  }

  #timestampOutside({ baseTimestamp, maxTimestamp }: BatchHeader): Appended | undefined {
    if (this.#values['message.timestamp.type'] === 'LogAppendTime') return undefined
    const nowMs = this.#env.clock.wallMs()
    const before = this.#values['message.timestamp.before.max.ms']
    const oldest = before === -1 ? 0 : nowMs - before
    const newest = nowMs + this.#values['message.timestamp.after.max.ms']
    if (baseTimestamp >= oldest && maxTimestamp <= newest) return undefined
    const culprit = maxTimestamp > newest ? maxTimestamp : baseTimestamp
    return definite('INVALID_TIMESTAMP', `timestamp ${culprit} is outside ${oldest} to ${newest}`)
  }

  /** Only where the topic is compacted: elsewhere nobody looks at records. */
  #keyless(batch: Uint8Array): Appended | undefined {
    if (!isCompacted(this.#values)) return undefined
    const refusal = whyKeyless(batch, this.#env.compress, this.topic)
    return refusal && definite(refusal.error, refusal.message)
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
    this.#appendTimeMs = Math.max(this.#appendTimeMs, this.#env.clock.wallMs())
    stampLogAppendTime(batch, this.#appendTimeMs)
    return this.#appendTimeMs
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

  // --- producers over a restart --------------------------------------------------------------

  /**
   * Keeps what is known of the producers beside the log: their records may go, and a retry must still be recognized.
   *
   * Errors  DiskError; KAFKA_STORAGE_ERROR where the log is offline.
   * Holds   all that was written before the call is covered, durably.
   */
  async saveProducers(): Promise<void> {
    await this.#openLog().flush()
    await this.#snapshots.run()
  }

  /** At a clean stop, when nothing is appended any more. Few producers go into the note. Errors: as above. */
  async saveAtStop(): Promise<void> {
    if (this.producers.size > PRODUCERS_NOTED_MAX) await this.saveProducers()
  }

  #note(): unknown {
    const log = this.#log
    // Where the log was not taken nobody knows which producers there are.
    if (log === undefined || this.producers.size > PRODUCERS_NOTED_MAX) return undefined
    const producers = this.producers.images(log.logEndOffset, this.#env.clock.monotonicMs())
    return noteOf({ appendTimeMs: this.#appendTimeMs, producers })
  }

  /** Of very many producers and small segments, a snapshot at each roll would be more work than the records are. */
  async #saveIfWorthIt(): Promise<void> {
    if (this.#unsavedBytes >= BYTES_PER_SNAPSHOT_BYTE * this.#snapshotBytes)
      await this.#snapshots.run()
  }

  /** Of what is durable: one that told of batches which a power cut takes away would vouch for what is not there. */
  async #saveSnapshot(): Promise<void> {
    const log = this.#openLog()
    const endOffset = log.durableEndOffset
    if (endOffset > this.#snapshotEndOffset) await this.#writeSnapshot(log, endOffset)
  }

  async #writeSnapshot(log: Log, endOffset: number): Promise<void> {
    const bytes = this.#unsavedBytes
    this.#snapshotBytes = await saveProducerSnapshot(this.#env, log.directory, {
      topicId: this.topicId,
      partition: this.number,
      endOffset,
      appendTimeMs: this.#appendTimeMs,
      producers: this.producers.images(endOffset, this.#env.clock.monotonicMs()),
    })
    this.#unsavedBytes -= bytes
    this.#snapshotEndOffset = endOffset
  }

  async #recoverProducers(log: Log): Promise<void> {
    const isReplayed = this.#replayedFrom !== undefined && this.#replayedFrom <= this.#covered(log)
    if (!isReplayed) await this.#restoreSnapshot(log.directory)
    if (this.#snapshotEndOffset > log.logEndOffset) return await this.#forgetLost(log)
    if (!isReplayed) await this.#replayHeaders(log)
  }

  /** Of what is behind, the batches have to tell; below the log start there are none. */
  #covered(log: Log): number {
    return Math.max(this.#snapshotEndOffset, log.logStartOffset)
  }

  async #replayHeaders(log: Log): Promise<void> {
    const covered = this.#snapshotEndOffset
    const nowMs = this.#env.clock.monotonicMs()
    const known = [...this.producers.images(covered, nowMs)]
    const knownTimeMs = this.#appendTimeMs
    const begin = () => {
      this.producers.restore(known, nowMs)
      this.#appendTimeMs = knownTimeMs
    }
    await log.headers(covered, begin, (header) => this.#replay(header))
  }

  #replay(header: BatchHeader): void {
    if (header.timestampType === 'append')
      this.#appendTimeMs = Math.max(this.#appendTimeMs, header.maxTimestamp)
    if (header.baseOffset < this.#snapshotEndOffset) return
    // As if used now: the stamps in the batches are the producers' own and may be years old.
    this.producers.record(header, this.#env.clock.monotonicMs())
    this.#options.producerUses.bound()
  }

  /** Committed records were lost: other ones get their offsets, and must not be taken for them after the next crash. */
  async #forgetLost(log: Log): Promise<void> {
    this.producers.truncate(log.logEndOffset)
    await this.#writeSnapshot(log, log.logEndOffset)
  }

  /** Forgets all else. Without a snapshot nothing is covered. */
  async #restoreSnapshot(directory: string): Promise<void> {
    const { topicId, number: partition } = this
    const snapshot = await loadProducerSnapshot(this.#env, directory, { topicId, partition })
    if (snapshot === 'damaged') this.#warn('producer snapshot is damaged: not believed')
    const known = typeof snapshot === 'object' ? snapshot : NO_SNAPSHOT
    this.#remember(known)
    this.#snapshotEndOffset = known.endOffset
  }

  #remember({ appendTimeMs, producers }: KnownProducers): void {
    this.producers.restore(producers, this.#env.clock.monotonicMs())
    this.#appendTimeMs = appendTimeMs
  }

  #warn(what: string): void {
    this.#env.logger.warn({ topic: this.topic, partition: this.number }, what)
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
