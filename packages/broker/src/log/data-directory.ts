// A broker's data directory: who owns it, the logs in it, what they share, and how it fails as a whole.
// Enters: a path; partitions to open, make and delete. Leaves: logs, and after a clean stop a mark that says so.
import { assert, DiskError, type Env, type Lock, type Logger } from '@minikafka/platform'
import { FramePool } from '@minikafka/protocol'
import { Durations } from '../durations.ts'
import { type Checkpointed, Checkpoints } from './checkpoints.ts'
import type { ClosedLog } from './closed-log.ts'
import { type Damage, offsetsText } from './damage.ts'
import { type ClaimedPartition, claimDirectory, startErrorOf } from './directory-claim.ts'
import {
  type CleanShutdown,
  cleanShutdownPath,
  type DirectoryMeta,
  saveCleanShutdown,
  saveDirectoryMeta,
} from './directory-meta.ts'
import { Gate } from './gate.ts'
import { IndexCache } from './index-cache.ts'
import { Log } from './log.ts'
import type { LogHooks, LogHost, QueueAccount } from './log-host.ts'
import { CURE, type OpenedLog, storageErrorOf } from './log-state.ts'
import type {
  DataDirectoryOptions,
  FoundPartition,
  LogIdentity,
  OpenLogOptions,
  RecoveryReport,
} from './log-types.ts'
import { checkNothingInTheWay, makeLogDirectory, newLog } from './new-log.ts'
import { OpenFiles } from './open-files.ts'
import { OutOfServiceDirectories } from './out-of-service.ts'
import { directoryNameOf, type PartitionKey, partitionKey } from './partition-key.ts'
import { PARTITION_FORMAT_VERSION, savePartitionMeta } from './partition-meta.ts'
import { recoverLog } from './recovery.ts'
import { segmentPath } from './segment.ts'
import { Tail } from './tail.ts'
import { WriteTurns } from './write-turns.ts'

/** Logs opened or made at once; a scan takes a buffer of 2 MiB each. */
const OPENING_MAX = 16
/** Saved indexes kept in memory, all logs together. */
const INDEX_CACHE_BYTES = 16 * 1024 * 1024
const SYNC_SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]
/** Of what the tail may take, so much again waits for the next large frames. */
const FRAMES_IDLE_PART = 4

export type OpenedAgain = {
  readonly log: Log
  readonly recovered: RecoveryReport
  /** What `LogListener.closing` gave at the last stop, where nothing came in between. */
  readonly note: unknown
}

export class DataDirectory {
  readonly path: string
  readonly meta: DirectoryMeta
  /** This start made it. */
  readonly isNew: boolean
  readonly #env: Env
  readonly #logger: Logger
  readonly #lock: Lock
  #cleanShutdown: CleanShutdown | undefined
  readonly #checkpoints: Checkpoints
  readonly #host: LogHost
  readonly #outOfService: OutOfServiceDirectories
  readonly #gate = new Gate(OPENING_MAX)
  /** In the directory, open or not. */
  readonly #partitions: Map<PartitionKey, ClaimedPartition>
  readonly #logs = new Map<PartitionKey, Log>()
  readonly #offlineListeners = new Set<(error: Error) => void>()
  #offline: Error | undefined
  #maxRevSeen: number
  /** The mark of a clean stop is gone: logs may be written. */
  #opened = false

  private constructor(
    env: Env,
    options: DataDirectoryOptions,
    found: {
      lock: Lock
      meta: DirectoryMeta
      isNew: boolean
      cleanShutdown: CleanShutdown | undefined
      checkpoints: Checkpoints
      partitions: Map<PartitionKey, ClaimedPartition>
    },
  ) {
    this.path = options.path
    this.meta = found.meta
    this.isNew = found.isNew
    this.#env = env
    this.#logger = options.logger
    this.#lock = found.lock
    this.#maxRevSeen = found.meta.maxRevSeen
    this.#cleanShutdown = found.cleanShutdown
    this.#checkpoints = found.checkpoints
    this.#partitions = found.partitions
    const files = new OpenFiles(env.disk, options.filesOpenMax, (error) =>
      this.fail(error as Error),
    )
    const cache = new IndexCache(INDEX_CACHE_BYTES)
    const frames = new FramePool(options.tailBytesMax / FRAMES_IDLE_PART, env.random)
    const tail = new Tail(options.tailBytesMax, frames)
    const writeTurns = new WriteTurns(env.clock)
    const syncs = new Durations(SYNC_SECONDS)
    this.#host = { env, files, cache, tail, frames, writeTurns, syncs, memory: undefined }
    const warn = (error: unknown) => this.#warnOrFail(error, 'a removed partition is still there')
    this.#outOfService = new OutOfServiceDirectories(env, options.path, warn)
  }

  /**
   * Takes hold of a data directory, making it where there is none.
   *
   * Errors  StartError: locked (69, with the owner's pid), damaged or not writable (74), of another node or format
   *         version (78). Nothing was changed then.
   */
  static async open(env: Env, options: DataDirectoryOptions): Promise<DataDirectory> {
    const { path, logger } = options
    const claim = await claimDirectory(env, path, options)
    let checkpoints: Checkpoints | undefined
    let directory: DataDirectory | undefined
    try {
      const onError = (error: unknown) =>
        directory === undefined
          ? logger.warn({ err: error }, 'checkpoint not written')
          : directory.#warnOrFail(error, 'checkpoint not written')
      checkpoints = await Checkpoints.open(env, path, onError)
      const partitions = new Map(claim.partitions.map((one) => [keyOf(one), one]))
      if (!claim.isNew) reportDamage(checkpoints, logger)
      await checkpoints.begin([...partitions.keys()])
      // Last: before it, the directory counts as new.
      if (claim.isNew) await saveDirectoryMeta(env.disk, path, claim.meta)
      directory = new DataDirectory(env, options, { ...claim, checkpoints, partitions })
      directory.#outOfService.removeLeftovers(claim.names)
      return directory
    } catch (error) {
      await checkpoints?.close().catch(() => undefined)
      await claim.lock.release()
      throw startErrorOf(error, path)
    }
  }

  /** Of the segments of all logs: how long each fdatasync took. */
  get syncs(): Durations {
    return this.#host.syncs
  }

  /** Broker epoch of the last stop if that was clean. */
  get previousBrokerEpoch(): number | undefined {
    return this.#cleanShutdown?.brokerEpoch
  }

  /**
   * Removes the mark of a clean stop, durably. Before any log is opened. `revision`: where the metadata store stands.
   * A mark of another revision is not believed: its removal was lost with a failed sync, and a broker has been at work
   * since (found by the simulation, seed 1595).
   */
  async markOpened(revision: number): Promise<void> {
    if (this.#cleanShutdown?.revision !== revision) this.#cleanShutdown = undefined
    try {
      await this.#env.disk.removeFile(cleanShutdownPath(this.path))
      await this.#env.disk.syncDirectory(this.path)
    } catch (error) {
      throw startErrorOf(error, this.path)
    }
    this.#opened = true
  }

  /** How far the metadata went: a store that is behind it was lost or replaced (REPLICATION 3.5). Durable. */
  async rememberRevision(revision: number): Promise<void> {
    if (revision <= this.#maxRevSeen || this.#offline) return
    await saveDirectoryMeta(this.#env.disk, this.path, { ...this.meta, maxRevSeen: revision })
    this.#maxRevSeen = revision
  }

  /** Partitions that lie here, by their `partition.meta`. */
  found(): readonly FoundPartition[] {
    return [...this.#partitions.values()]
  }

  /**
   * Opens the log of a partition that was found, recovering it first where the last stop was not clean.
   *
   * Errors  KAFKA_STORAGE_ERROR: the partition must stay offline; nothing of it was cut. StartError: one of our files
   *         is no regular file, or the disk failed and the directory is offline. DiskError: no space, no descriptors.
   */
  openLog(options: OpenLogOptions): Promise<OpenedAgain> {
    return this.#gate.run(() => this.#openLog(options))
  }

  /**
   * Makes the log of a new partition; durable when it resolves.
   *
   * Errors  KAFKA_STORAGE_ERROR: something of that name is in the way, or records of this partition were synced once
   *         and its directory is gone. StartError as above.
   */
  createLog(options: OpenLogOptions): Promise<Log> {
    return this.#gate.run(() => this.#createLog(options))
  }

  /** What was made of an open log failed: it can be opened again. */
  async closeLog(of: { readonly topicId: string; readonly partition: number }): Promise<void> {
    const key = partitionKey(of.topicId, of.partition)
    await this.#logs.get(key)?.close({ clean: false })
    this.#logs.delete(key)
  }

  /**
   * Closes the partition's log where it is open and takes its directory out of service, durably; its files go after
   * the delay. Where there is nothing of it, nothing is done.
   */
  async delete(
    { topicId, partition }: { readonly topicId: string; readonly partition: number },
    deleteDelayMs: number,
  ): Promise<void> {
    const key = partitionKey(topicId, partition)
    await this.closeLog({ topicId, partition })
    const found = this.#partitions.get(key)
    if (found === undefined) return
    const path = await this.#retire(found, 'delete')
    if (path !== undefined) this.#outOfService.removeLater(path, deleteDelayMs)
  }

  /** Takes a partition that the metadata does not know out of service; it is kept as `<topicId>-<partition>.stray`. */
  async markStray(found: FoundPartition): Promise<void> {
    await this.#retire(found, 'stray')
  }

  /** Why nothing works here any more: the disk failed. */
  get offline(): Error | undefined {
    return this.#offline
  }

  /** The disk failed, and is never asked again: the whole directory is given up (REPLICATION 2.12.3). */
  fail(error: Error): void {
    if (this.#offline) return
    this.#offline = error
    this.#logger.error(
      { err: error, path: this.path },
      'the disk failed, the data directory is offline',
    )
    for (const log of this.#logs.values()) log.goOffline(error)
    for (const listener of [...this.#offlineListeners]) listener(error)
  }

  /** Returns the function that stops listening. */
  onOffline(listener: (error: Error) => void): () => void {
    this.#offlineListeners.add(listener)
    return () => this.#offlineListeners.delete(listener)
  }

  /** From now on what waits to be written is charged. Nothing is queued before. */
  chargeTo(memory: QueueAccount): void {
    this.#host.memory = memory
  }

  /** Where the memory of large frames comes from; the logs hold what they keep of it. */
  get frames(): FramePool {
    return this.#host.frames
  }

  /** The tail gives way first when memory is short. */
  setTailBytesMax(bytes: number): void {
    this.#host.tail.setBytesMax(bytes)
    this.#host.frames.setIdleBytesMax(bytes / FRAMES_IDLE_PART)
  }

  freeBytes(): Promise<number> {
    return this.#env.disk.freeBytes(this.path)
  }

  totalBytes(): Promise<number> {
    return this.#env.disk.totalBytes(this.path)
  }

  /**
   * Closes all logs and frees the lock. `clean`: writes and syncs everything first and leaves the mark of a clean
   * stop, last of all; a log that does not end in order is left out of it.
   *
   * Errors  none: what fails is logged, and the mark is missing then.
   */
  async close({ clean, brokerEpoch }: { clean: boolean; brokerEpoch: number }): Promise<void> {
    const wantsMark = clean && this.#opened
    try {
      const closed = await this.#closeLogs(wantsMark)
      await this.#outOfService.close()
      await this.#host.files.closeAll()
      if (wantsMark && this.#offline === undefined) await this.#leaveMark(closed, brokerEpoch)
    } catch (error) {
      this.#logger.error({ err: error }, 'the stop is not clean')
    } finally {
      await this.#checkpoints.close().catch(() => undefined)
      await this.#lock.release()
    }
  }

  // --- opening -------------------------------------------------------------------------------

  async #openLog(options: OpenLogOptions): Promise<OpenedAgain> {
    this.#mayOpen()
    const key = keyOf(options)
    const found = this.#partitions.get(key)
    assert(found !== undefined, 'a log that is opened was found')
    assert(!this.#logs.has(key), 'a log is opened once')
    const knowledge = this.#checkpoints.knowledge(key, this.#cleanShutdown?.logs.get(key))
    const place = {
      identity: identityOf(options),
      directory: `${this.path}/${found.directoryName}`,
      compactedBelow: found.compactedBelow,
      holes: found.holes,
      indexIntervalBytes: options.settings.indexIntervalBytes,
    }
    const recovered = await recoverLog(this.#host, place, knowledge, options).catch((error) => {
      if (!(error instanceof DiskError) || error.code !== 'EIO') throw error
      this.fail(error)
      throw startErrorOf(error, this.path)
    })
    this.#reportRecovery(options, recovered.report)
    const { opened, report, note } = recovered
    return { log: this.#newLog(options, opened), recovered: report, note }
  }

  async #createLog(options: OpenLogOptions): Promise<Log> {
    this.#mayOpen()
    const identity = identityOf(options)
    const key = keyOf(options)
    this.#checkIsNew(identity)
    const directoryName = directoryNameOf(options.topic, options.partition)
    const directory = `${this.path}/${directoryName}`
    await checkNothingInTheWay(this.#env.disk, directory, identity)
    // From here on the directory may be there, whatever fails: a deletion must find it.
    this.#partitions.set(key, { ...identity, directoryName, compactedBelow: 0, holes: [] })
    await makeLogDirectory(this.#env.disk, directory, identity)
    await this.#outOfService.syncRoot()
    return this.#newLog(options, newLog(this.#host, identity, directory))
  }

  /** Metadata that asks for a partition which was here before must not turn it into an empty one (trap T19). */
  #checkIsNew(identity: LogIdentity): void {
    const { recoveryPoint, synced } = this.#checkpoints.knowledge(keyOf(identity))
    if (recoveryPoint === undefined && synced === undefined) return
    const end = Math.max(synced ?? 0, typeof recoveryPoint === 'number' ? recoveryPoint : 0)
    if (end === 0 && recoveryPoint !== 'lost') return
    const message = `its directory is gone from ${this.path}; everything below offset ${end} had been synced. Restore it from a copy.`
    throw storageErrorOf(identity, message)
  }

  #newLog(options: OpenLogOptions, opened: OpenedLog): Log {
    const { topicId, partition, settings, listener, highWatermark } = options
    const checkpointed: Checkpointed = {
      topicId,
      partition,
      durableEndOffset: () => log.durableEndOffset,
      logStartOffset: () => log.logStartOffset,
      highWatermark,
    }
    const log = new Log(this.#host, this.#hooksFor(checkpointed, options), opened, {
      settings,
      listener,
    })
    this.#logs.set(keyOf(options), log)
    if (opened.logEndOffset > 0) this.#checkpoints.durable(checkpointed, opened.logEndOffset)
    if (this.#offline) log.goOffline(this.#offline)
    return log
  }

  #hooksFor(log: Checkpointed, identity: LogIdentity): LogHooks {
    const { topic, partition } = identity
    return {
      durable: (offset) => this.#checkpoints.durable(log, offset),
      rolled: () => this.#checkpoints.rolled(log),
      saveLogStart: (offset) => this.#checkpoints.saveLogStart(log, offset),
      lowerFloor: (offset) => this.#checkpoints.lowerFloor(log, offset),
      raiseCompactedBelow: (offset) => this.#raiseCompactedBelow(log, offset),
      failed: (error) => this.fail(error),
      damaged: (damage) => this.#reportDamage(identity, damage),
      warn: (error, what) => this.#warnOrFail(error, what, { topic, partition }),
    }
  }

  async #raiseCompactedBelow(
    { topicId, partition }: Pick<LogIdentity, 'topicId' | 'partition'>,
    compactedBelow: number,
  ): Promise<void> {
    const key = partitionKey(topicId, partition)
    const found = this.#partitions.get(key)
    assert(found !== undefined, 'a log that is open is in its directory')
    const { directoryName, ...identity } = { ...found, compactedBelow }
    const meta = { formatVersion: PARTITION_FORMAT_VERSION, ...identity }
    await savePartitionMeta(this.#env.disk, `${this.path}/${directoryName}`, meta)
    this.#partitions.set(key, { ...found, compactedBelow })
  }

  #mayOpen(): void {
    assert(this.#opened, 'the mark of a clean stop is removed before a log is opened')
    if (this.#offline) throw this.#offline
  }

  /** Said once for each place. */
  #reportDamage({ topic, partition }: LogIdentity, damage: Damage): void {
    const directory = `${this.path}/${directoryNameOf(topic, partition)}`
    const path = segmentPath({ directory, baseOffset: damage.segmentBase }, 'log')
    const { position, endPosition, fromOffset, nextOffset, reason } = damage
    const place = { topic, partition, path, position, endPosition, fromOffset, nextOffset, reason }
    this.#logger.error(
      place,
      `a log is damaged: ${offsetsText(damage)} are not served any more; ${CURE}`,
    )
  }

  #reportRecovery({ topic, partition }: LogIdentity, report: RecoveryReport): void {
    if (report.lost)
      this.#logger.error({ topic, partition, ...report }, 'committed records are lost')
    else if (report.cutBytes > 0)
      this.#logger.warn({ topic, partition, ...report }, 'cut a torn tail')
  }

  // --- deleting, failing, closing ------------------------------------------------------------

  /** Returns its new path; undefined where it was never made. */
  async #retire(found: FoundPartition, why: 'delete' | 'stray'): Promise<string | undefined> {
    assert(!this.#logs.has(keyOf(found)), 'a partition that leaves service is closed')
    const directory = `${this.path}/${found.directoryName}`
    const path = await this.#host.files.withoutDirectory(directory, async () =>
      (await this.#env.disk.stat(directory)) === undefined
        ? undefined
        : await this.#outOfService.rename(found.directoryName, found, why),
    )
    this.#partitions.delete(keyOf(found))
    this.#checkpoints.forget(found)
    return path
  }

  /**
   * What could not be written is tried again or made anew, but not after EIO: a directory's failed fsync is told to
   * whoever asks first, and the next one succeeds although a new segment's name is gone (Rebello, ATC'20).
   */
  #warnOrFail(error: unknown, what: string, facts: object = {}): void {
    if (error instanceof DiskError && error.code === 'EIO') this.fail(error)
    else this.#logger.warn({ ...facts, err: error }, what)
  }

  /** Returns the logs that ended in order. */
  async #closeLogs(clean: boolean): Promise<Map<PartitionKey, ClosedLog>> {
    const closed = new Map<PartitionKey, ClosedLog>()
    const closing = [...this.#logs].map(async ([key, log]) => {
      try {
        const end = await log.close({ clean: clean && this.#offline === undefined })
        if (end !== undefined) closed.set(key, end)
      } catch (error) {
        const { topic, partition } = log
        this.#logger.error({ topic, partition, err: error }, 'log not closed in order')
      }
    })
    await Promise.all(closing)
    return closed
  }

  async #leaveMark(logs: ReadonlyMap<PartitionKey, ClosedLog>, brokerEpoch: number): Promise<void> {
    await this.#checkpoints.save()
    await saveCleanShutdown(this.#env.disk, this.path, {
      dirId: this.meta.dirId,
      brokerEpoch,
      revision: this.#maxRevSeen,
      logs,
    })
  }
}

function keyOf({ topicId, partition }: { topicId: string; partition: number }): PartitionKey {
  return partitionKey(topicId, partition)
}

function identityOf({ topic, topicId, partition }: LogIdentity): LogIdentity {
  return { topic, topicId, partition }
}

function reportDamage(checkpoints: Checkpoints, logger: Logger): void {
  const { damaged, badSlotCount } = checkpoints.damage
  if (damaged.length > 0)
    logger.warn({ damaged }, 'checkpoints are damaged or missing; logs are scanned')
  if (badSlotCount > 0) logger.warn({ badSlotCount }, 'slots of synced are damaged and ignored')
}
