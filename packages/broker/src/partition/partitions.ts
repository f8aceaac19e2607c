// All partitions of this broker, by topic id and number. Opens, leads, deletes and looks after them.
// Enters: what the metadata says of a topic. Leaves: a partition that serves, or why there is none.
import { isInternalTopic } from '@minikafka/cluster'
import { DiskError, type Env, isNoSpace, type Logger } from '@minikafka/platform'
import { type ErrorName, isMinikafkaError } from '@minikafka/protocol'
import { atOnce } from '../at-once.ts'
import { isCompacted, type TopicValues, type Values } from '../config/index.ts'
import {
  type DataDirectory,
  type FoundPartition,
  isOutOfDescriptors,
  type LogSettings,
  StartError,
} from '../log/index.ts'
import { type Leadership, Partition, storageErrorName } from './partition.ts'
import { ProducerUses } from './producer-uses.ts'
import { SteadyClock } from './steady-clock.ts'

export type Lookup = Partition | { readonly error: ErrorName; readonly message: string }

/**
 * Room on the disk: `full` below the reserve, which internal topics may use half of; `spent` below that half; `low`
 * below twice the reserve (REPLICATION 2.12.4).
 */
export type Space = 'enough' | 'low' | 'full' | 'spent'

export type PartitionSpec = {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly values: TopicValues
}

/** A producer id in use is never evicted sooner: longer than any delivery time-out (REPLICATION 2.10). */
const PRODUCER_KEPT_MS = 15 * 60_000
const INDEX_INTERVAL_BYTES = 4096
/** Logs that are looked after at once. */
const LOGS_AT_ONCE = 16

export class Partitions {
  readonly #env: Env
  readonly #logger: Logger
  readonly #directory: DataDirectory
  readonly #nodeId: number
  readonly #values: () => Values
  readonly #holdsLease: () => boolean
  readonly #byTopic = new Map<string, Partition[]>()
  /** Found on disk and not open. */
  readonly #found = new Map<string, FoundPartition>()
  /** Could not be opened for want of space or of file descriptors: tried again. */
  readonly #waiting = new Set<Partition>()
  readonly #steadyClock: SteadyClock
  readonly #producerUses: ProducerUses
  #space: Space = 'enough'
  #onWrite: () => void = () => {}
  #onLead: (partition: Partition) => void = () => {}

  constructor(
    env: Env,
    directory: DataDirectory,
    broker: { nodeId: number; values: () => Values; holdsLease: () => boolean },
  ) {
    this.#env = env
    this.#logger = env.logger.child({ component: 'partition' })
    this.#directory = directory
    this.#steadyClock = new SteadyClock(env.clock)
    this.#nodeId = broker.nodeId
    this.#values = broker.values
    this.#producerUses = new ProducerUses(() => this.#values()['max.producer.ids'])
    this.#holdsLease = broker.holdsLease
    for (const found of directory.found()) this.#found.set(keyOf(found), found)
  }

  get(topicId: string, number: number): Lookup {
    const partitions = this.#byTopic.get(topicId)
    if (partitions === undefined)
      return { error: 'UNKNOWN_TOPIC_ID', message: `no topic has the id ${topicId}` }
    const partition = partitions[number]
    if (partition !== undefined) return partition
    const { topic = topicId } = partitions.find(Boolean) ?? {}
    return { error: 'UNKNOWN_TOPIC_OR_PARTITION', message: `${topic} has no partition ${number}` }
  }

  *all(): Iterable<Partition> {
    for (const partitions of this.#byTopic.values()) yield* partitions.filter(Boolean)
  }

  get count(): number {
    let count = 0
    for (const _ of this.all()) count++
    return count
  }

  // --- life ----------------------------------------------------------------------------------

  /**
   * Opens or creates the log; `lead` comes after it. A log that must stay offline (corruption, a full disk, something
   * in the way) gives a partition that answers every request with the reason until the next start, or until there is
   * space (`goOn`); nothing of it is cut.
   *
   * Errors  what fails the whole broker: a disk that answers EIO; at the start, a file of ours that is no regular file.
   */
  async open(spec: PartitionSpec, { atStart = false } = {}): Promise<void> {
    const partition = this.#newPartition(spec)
    const { topic, topicId, partition: number, values } = spec
    const options = {
      topic,
      topicId,
      partition: number,
      settings: logSettings(values),
      listener: partition.listener,
      scanned: partition.scanned,
      highWatermark: () => partition.highWatermark,
    }
    const key = keyOf(spec)
    const before = this.#byTopic.get(topicId)?.[number]
    try {
      if (this.#found.has(key)) {
        const { log, recovered, note } = await this.#directory.openLog(options)
        await partition.open(log, { lost: recovered.lost || before?.lost === true, note })
      } else await partition.open(await this.#directory.createLog(options))
      this.#found.delete(key)
    } catch (error) {
      const reason = whyOffline(error)
      if (reason === undefined || (atStart && error instanceof StartError)) throw error
      // Said once, not with every attempt.
      if (before?.offline?.message !== reason.message) this.#tellOffline(spec, error, reason)
      partition.goOffline(reason.error, reason.message)
      // A scan may have told of some.
      partition.producers.clear()
      if (reason.passes) {
        await this.#directory.closeLog(spec)
        this.#waiting.add(partition)
      }
    }
    this.#put(partition)
  }

  #tellOffline(
    { topic, partition }: PartitionSpec,
    error: unknown,
    { message, passes }: { message: string; passes: boolean },
  ): void {
    if (passes)
      this.#logger.warn(
        { topic, partition, reason: message },
        'partition waits until there is room',
      )
    else this.#logger.error({ topic, partition, err: error }, 'partition stays offline')
  }

  has(topicId: string, number: number): boolean {
    return this.#byTopic.get(topicId)?.[number] !== undefined
  }

  /** Applies what the metadata says of who leads. */
  async lead(topicId: string, number: number, leadership: Leadership): Promise<void> {
    const partition = this.get(topicId, number)
    if ('error' in partition) return
    await partition.lead(leadership)
    this.#onLead(partition)
  }

  /** Calls back whenever a partition may have a new leader, with the state that it has then. */
  onLead(listener: (partition: Partition) => void): void {
    this.#onLead = listener
  }

  /** There is one that a full disk, or want of descriptors, keeps from being opened. */
  get someWait(): boolean {
    return this.#waiting.size > 0
  }

  /** There is one whose log is open, and that nobody leads. */
  get someLeaderless(): boolean {
    for (const { log, offline, leadership } of this.all())
      if (log !== undefined && offline === undefined && leadership.leaderId === -1) return true
    return false
  }

  /** Opens and leads what could not be. One after the other with the changes of the metadata. */
  async goOn(): Promise<void> {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const { topic, topicId, number, values, leadership } of waiting) {
      await this.open({ topic, topicId, partition: number, values })
      await this.lead(topicId, number, leadership)
    }
  }

  configure(topicId: string, values: TopicValues): void {
    for (const partition of this.#byTopic.get(topicId) ?? []) {
      partition?.configure(values)
      partition?.log?.configure(logSettings(values))
    }
  }

  /**
   * Stops serving a deleted topic at once; its files go after the delete delay. False: some could not be taken out of
   * service (a full disk) and are found again at the next start.
   */
  async delete(topicId: string): Promise<boolean> {
    const partitions = (this.#byTopic.get(topicId) ?? []).filter(Boolean)
    this.#byTopic.delete(topicId)
    for (const partition of partitions) {
      partition.close('UNKNOWN_TOPIC_ID', `topic ${partition.topic} was deleted`)
      partition.producers.clear()
      this.#waiting.delete(partition)
    }
    let isGone = true
    await atOnce(LOGS_AT_ONCE, partitions, async (partition) => {
      const { topic, number, values } = partition
      try {
        await this.#directory.delete({ topicId, partition: number }, values['file.delete.delay.ms'])
        this.#found.delete(keyOf({ topicId, partition: number }))
      } catch (error) {
        if (whyOffline(error) === undefined) throw error
        this.#logger.error({ topic, partition: number, err: error }, 'files not deleted yet')
        isGone = false
      }
    })
    return isGone
  }

  /** Directories that no topic of the metadata claims: kept, out of service (REPLICATION 2.9.4). */
  async setStrayAside(isDeleted: (topicId: string) => boolean): Promise<void> {
    for (const [key, found] of this.#found) {
      const { topic, topicId, partition } = found
      if (this.has(topicId, partition)) continue
      this.#found.delete(key)
      if (isDeleted(topicId)) {
        await this.#directory.delete(found, this.#values()['log.segment.delete.delay.ms'])
        continue
      }
      this.#logger.error(
        { topic, topicId, partition },
        'no topic has this id: directory kept as stray',
      )
      await this.#directory.markStray(found)
    }
  }

  closeAll(error: ErrorName, message: string): void {
    for (const partition of this.all()) partition.close(error, message)
  }

  // --- looking after -------------------------------------------------------------------------

  /** What the disk has left decides who may append. */
  get space(): Space {
    return this.#space
  }

  set space(space: Space) {
    this.#space = space
  }

  /** Calls back before every append. */
  onWrite(listener: () => void): void {
    this.#onWrite = listener
  }

  async applyRetention(): Promise<void> {
    const nowMs = this.#steadyClock.wallMs()
    if (nowMs === undefined)
      this.#logger.warn('the wall clock was set: no record counts as old until the next check')
    await atOnce(LOGS_AT_ONCE, this.all(), async (partition) => {
      if (partition.offline || partition.log === undefined) return
      try {
        await partition.log.applyRetention(nowMs, partition.highWatermark)
      } catch (error) {
        const { topic, number } = partition
        this.#logger.error({ topic, partition: number, err: error }, 'retention failed')
      }
    })
  }

  /** At a clean stop, when nothing is appended any more: the next start replays the less. */
  async saveProducers(): Promise<void> {
    const open = [...this.all()].filter(({ log }) => log !== undefined)
    await atOnce(LOGS_AT_ONCE, open, async (partition) => {
      try {
        await partition.saveAtStop()
      } catch (error) {
        if (error instanceof DiskError && error.code === 'EIO') this.#directory.fail(error)
        const { topic, number } = partition
        this.#logger.warn({ topic, partition: number, err: error }, 'producers not saved')
      }
    })
  }

  expireProducers(): void {
    const nowMs = this.#env.clock.monotonicMs()
    this.#producerUses.expire(nowMs - this.#values()['producer.id.expiration.ms'])
  }

  /** After logs were opened: what is remembered of producers is in order and within its bound again. */
  settleProducers(): void {
    this.#producerUses.settle()
  }

  // --- inside --------------------------------------------------------------------------------

  #newPartition({ topic, topicId, partition, values }: PartitionSpec): Partition {
    const internal = isInternalTopic(topic)
    return new Partition(
      this.#env,
      { topic, topicId, partition },
      {
        nodeId: this.#nodeId,
        values,
        storageFull: () => {
          this.#onWrite()
          return this.#space === 'spent' || (this.#space === 'full' && !internal)
        },
        producerUses: this.#producerUses,
        producerIdRoom: () =>
          this.#producerUses.room(this.#env.clock.monotonicMs() - PRODUCER_KEPT_MS),
        holdsLease: this.#holdsLease,
      },
    )
  }

  #put(partition: Partition): void {
    const partitions = this.#byTopic.get(partition.topicId)
    if (partitions) partitions[partition.number] = partition
    else {
      const list: Partition[] = []
      list[partition.number] = partition
      this.#byTopic.set(partition.topicId, list)
    }
  }
}

function keyOf({ topicId, partition }: { topicId: string; partition: number }): string {
  return `${topicId}-${partition}`
}

/**
 * What takes one partition out of service; undefined: the broker cannot go on, or is wrong itself. `passes`: it may be
 * otherwise at any time.
 */
function whyOffline(
  error: unknown,
): { error: ErrorName; message: string; passes: boolean } | undefined {
  if (isMinikafkaError(error)) return { error: error.name, message: error.message, passes: false }
  if (error instanceof StartError)
    return { error: 'KAFKA_STORAGE_ERROR', message: error.message, passes: false }
  if (!(error instanceof DiskError) || error.code === 'EIO') return undefined
  const passes = isNoSpace(error) || isOutOfDescriptors(error)
  return { error: storageErrorName(error), message: error.message, passes }
}

function logSettings(values: TopicValues): LogSettings {
  const maxLagMs = values['max.compaction.lag.ms']
  const isBounded = isCompacted(values) && maxLagMs !== -1
  return Object.freeze({
    segmentBytes: values['segment.bytes'],
    // The active segment is not compacted: records must leave it in time (KIP-354).
    segmentMs: isBounded ? Math.min(values['segment.ms'], maxLagMs) : values['segment.ms'],
    retentionMs: values['retention.ms'],
    retentionBytes: values['retention.bytes'],
    deletes: values['cleanup.policy'] !== 'compact',
    deleteRetentionMs: values['delete.retention.ms'],
    minCompactionLagMs: values['min.compaction.lag.ms'],
    maxCompactionLagMs: isBounded ? maxLagMs : undefined,
    flush: values.flush,
    flushMs: values['flush.ms'],
    deleteDelayMs: values['file.delete.delay.ms'],
    indexIntervalBytes: INDEX_INTERVAL_BYTES,
  })
}
