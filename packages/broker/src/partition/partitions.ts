// All partitions of this broker, by topic id and number. Opens, leads, deletes and looks after them.
// Enters: what the metadata says of a topic. Leaves: a partition that serves, or why there is none.
import { DiskError, type Env, type Logger } from '@minikafka/platform'
import { type ErrorName, isMinikafkaError } from '@minikafka/protocol'
import type { TopicValues, Values } from '../config/index.ts'
import {
  type DataDirectory,
  type FoundPartition,
  type LogSettings,
  StartError,
} from '../log/index.ts'
import { type Leadership, Partition, storageErrorName } from './partition.ts'

export type Lookup = Partition | { readonly error: ErrorName; readonly message: string }

export type PartitionSpec = {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly values: TopicValues
}

/** A producer id in use is never evicted sooner: longer than any delivery time-out (REPLICATION 2.10). */
const PRODUCER_KEPT_MS = 15 * 60_000
const INDEX_INTERVAL_BYTES = 4096

export class Partitions {
  readonly #env: Env
  readonly #logger: Logger
  readonly #directory: DataDirectory
  readonly #nodeId: number
  readonly #values: () => Values
  readonly #holdsLease: () => boolean
  readonly #byTopic = new Map<string, Partition[]>()
  /** Found on disk and not yet claimed by the metadata. */
  readonly #found = new Map<string, FoundPartition>()
  /** Found and claimed, and its log could not be opened: deleted with its topic all the same. */
  readonly #unopened = new Map<string, FoundPartition>()
  #storageFull = false
  #onWrite: () => void = () => {}

  constructor(
    env: Env,
    directory: DataDirectory,
    broker: { nodeId: number; values: () => Values; holdsLease: () => boolean },
  ) {
    this.#env = env
    this.#logger = env.logger.child({ component: 'partition' })
    this.#directory = directory
    this.#nodeId = broker.nodeId
    this.#values = broker.values
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
   * in the way) gives a partition that answers every request with the reason until the next start; nothing of it is cut.
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
      highWatermark: () => partition.highWatermark,
    }
    const key = keyOf(spec)
    const existing = this.#found.get(key)
    this.#found.delete(key)
    try {
      if (existing) {
        const { log, recovered } = await this.#directory.openLog(options)
        await partition.open(log, recovered.lost)
      } else await partition.open(await this.#directory.createLog(options))
    } catch (error) {
      const reason = whyOffline(error)
      if (reason === undefined || (atStart && error instanceof StartError)) throw error
      this.#logger.error({ topic, partition: number, err: error }, 'partition stays offline')
      partition.goOffline(reason.error, reason.message)
      if (existing) this.#unopened.set(key, existing)
    }
    this.#put(partition)
  }

  has(topicId: string, number: number): boolean {
    return this.#byTopic.get(topicId)?.[number] !== undefined
  }

  /** Applies what the metadata says of who leads. */
  async lead(topicId: string, number: number, leadership: Leadership): Promise<void> {
    const partition = this.get(topicId, number)
    if ('error' in partition || partition.offline) return
    await partition.lead(leadership)
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
    for (const partition of partitions)
      partition.close('UNKNOWN_TOPIC_ID', `topic ${partition.topic} was deleted`)
    let isGone = true
    for (const partition of partitions) {
      try {
        await this.#deleteFiles(partition)
      } catch (error) {
        if (whyOffline(error) === undefined) throw error
        const { topic, number } = partition
        this.#logger.error({ topic, partition: number, err: error }, 'files not deleted yet')
        isGone = false
      }
    }
    return isGone
  }

  async #deleteFiles(partition: Partition): Promise<void> {
    if (partition.log) return this.#directory.deleteLog(partition.log)
    const key = keyOf({ topicId: partition.topicId, partition: partition.number })
    const found = this.#unopened.get(key)
    if (found === undefined) return
    this.#unopened.delete(key)
    await this.#directory.deleteFound(found, partition.values['file.delete.delay.ms'])
  }

  /** Directories that no topic of the metadata claims: kept, out of service (REPLICATION 2.9.4). */
  async setStrayAside(isDeleted: (topicId: string) => boolean): Promise<void> {
    for (const [key, found] of this.#found) {
      this.#found.delete(key)
      const { topic, topicId, partition } = found
      if (isDeleted(topicId)) {
        await this.#directory.deleteFound(found, this.#values()['log.segment.delete.delay.ms'])
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

  set storageFull(full: boolean) {
    this.#storageFull = full
  }

  /** Calls back before every append. */
  onWrite(listener: () => void): void {
    this.#onWrite = listener
  }

  async applyRetention(): Promise<void> {
    const nowMs = this.#env.clock.wallMs()
    for (const partition of this.all()) {
      if (partition.offline || partition.log === undefined) continue
      try {
        await partition.log.applyRetention(nowMs, partition.highWatermark)
      } catch (error) {
        this.#logger.error(
          { topic: partition.topic, partition: partition.number, err: error },
          'retention failed',
        )
      }
    }
  }

  /** Leads what a full disk kept it from leading. */
  async leadAgain(): Promise<void> {
    for (const partition of this.all()) {
      if (partition.epochNotBegun && !partition.offline) await partition.lead(partition.leadership)
    }
  }

  /** At a clean stop, when nothing is appended any more: the next start replays the less. */
  async saveProducers(): Promise<void> {
    const save = async (partition: Partition) => {
      if (partition.log === undefined) return
      await partition.saveProducers().catch((error: unknown) => {
        const { topic, number } = partition
        this.#logger.warn({ topic, partition: number, err: error }, 'producers not saved')
      })
    }
    await Promise.all([...this.all()].map(save))
  }

  expireProducers(): void {
    const usedBefore = this.#env.clock.monotonicMs() - this.#values()['producer.id.expiration.ms']
    for (const partition of this.all()) partition.producers.expire(usedBefore)
  }

  // --- inside --------------------------------------------------------------------------------

  #newPartition({ topic, topicId, partition, values }: PartitionSpec): Partition {
    return new Partition(
      this.#env,
      { topic, topicId, partition },
      {
        nodeId: this.#nodeId,
        values,
        storageFull: () => {
          this.#onWrite()
          return this.#storageFull
        },
        producerIdRoom: () => this.#producerIdRoom(),
        holdsLease: this.#holdsLease,
        producerIdsMax: () => this.#values()['max.producer.ids'],
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

  /** Room for one more producer id, made by evicting one that was silent long enough if need be. */
  #producerIdRoom(): boolean {
    let count = 0
    let oldest: Partition | undefined
    let oldestMs = Number.POSITIVE_INFINITY
    for (const partition of this.all()) {
      count += partition.producers.size
      const usedMs = partition.producers.oldestUseMs()
      if (usedMs === undefined || usedMs >= oldestMs) continue
      oldest = partition
      oldestMs = usedMs
    }
    if (count < this.#values()['max.producer.ids']) return true
    if (this.#env.clock.monotonicMs() - oldestMs < PRODUCER_KEPT_MS) return false
    return (oldest?.producers.expire(oldestMs + 1) ?? 0) > 0
  }
}

function keyOf({ topicId, partition }: { topicId: string; partition: number }): string {
  return `${topicId}-${partition}`
}

/** What takes one partition out of service; undefined: the broker cannot go on, or is wrong itself. */
function whyOffline(error: unknown): { error: ErrorName; message: string } | undefined {
  if (isMinikafkaError(error)) return { error: error.name, message: error.message }
  if (error instanceof StartError) return { error: 'KAFKA_STORAGE_ERROR', message: error.message }
  if (!(error instanceof DiskError) || error.code === 'EIO') return undefined
  return { error: storageErrorName(error), message: error.message }
}

function logSettings(values: TopicValues): LogSettings {
  return Object.freeze({
    segmentBytes: values['segment.bytes'],
    segmentMs: values['segment.ms'],
    retentionMs: values['retention.ms'],
    retentionBytes: values['retention.bytes'],
    flush: values.flush,
    flushMs: values['flush.ms'],
    deleteDelayMs: values['file.delete.delay.ms'],
    indexIntervalBytes: INDEX_INTERVAL_BYTES,
  })
}
