// How far each partition had come: `recovery-point`, `log-start-offset`, `hw-checkpoint`, and the finer `synced`.
// Enters: news of the logs. Leaves: files written every 5 s where something changed, and what they said at the start.
import { assert, type Env, type Timer } from '@minikafka/platform'
import type { ClosedLog } from './closed-log.ts'
import { Coalesced } from './coalesced.ts'
import { OffsetCheckpoint } from './offset-checkpoint.ts'
import { type PartitionKey, partitionKey } from './partition-key.ts'
import type { Knowledge } from './recovery.ts'
import { SyncedFile } from './synced-file.ts'

const SAVE_DELAY_MS = 5_000

/** What is asked of an open log when its lines are written. */
export type Checkpointed = {
  readonly topicId: string
  readonly partition: number
  readonly durableEndOffset: () => number
  readonly logStartOffset: () => number
  readonly highWatermark: () => number
}

export type DamageReport = {
  /** Names of checkpoints whose CRC did not fit or that are missing. */
  readonly damaged: readonly string[]
  readonly badSlotCount: number
}

export class Checkpoints {
  readonly #env: Env
  readonly #onError: (error: unknown) => void
  readonly #recoveryPoint: OffsetCheckpoint
  readonly #logStart: OffsetCheckpoint
  readonly #highWatermark: OffsetCheckpoint
  readonly #synced: SyncedFile
  readonly #changed = new Set<Checkpointed>()
  readonly #saving = new Coalesced(() => this.#save())
  #timer: Timer | undefined
  #closed = false

  private constructor(
    env: Env,
    onError: (error: unknown) => void,
    files: {
      recoveryPoint: OffsetCheckpoint
      logStart: OffsetCheckpoint
      highWatermark: OffsetCheckpoint
      synced: SyncedFile
    },
  ) {
    this.#env = env
    this.#onError = onError
    this.#recoveryPoint = files.recoveryPoint
    this.#logStart = files.logStart
    this.#highWatermark = files.highWatermark
    this.#synced = files.synced
  }

  /**
   * Loads what the last run left.
   *
   * Errors  DiskError.
   * Holds   the files of a new directory are there, empty and durable: later on a missing one is a lost one.
   */
  static async open(
    env: Env,
    directory: string,
    onError: (error: unknown) => void,
  ): Promise<Checkpoints> {
    const { disk } = env
    const [recoveryPoint, logStart, highWatermark] = await Promise.all([
      OffsetCheckpoint.load(disk, directory, 'recovery-point'),
      OffsetCheckpoint.load(disk, directory, 'log-start-offset'),
      OffsetCheckpoint.load(disk, directory, 'hw-checkpoint'),
    ])
    const synced = await SyncedFile.open(env, `${directory}/synced`, onError)
    return new Checkpoints(env, onError, { recoveryPoint, logStart, highWatermark, synced })
  }

  get damage(): DamageReport {
    const named = [
      ['recovery-point', this.#recoveryPoint],
      ['log-start-offset', this.#logStart],
      ['hw-checkpoint', this.#highWatermark],
    ] as const
    const damaged = named.filter(([, { found }]) => found !== 'good').map(([name]) => name)
    return { damaged, badSlotCount: this.#synced.badSlotCount }
  }

  /** `existing`: partitions that a damaged file may have had a line for. Durable when it resolves. */
  async begin(existing: readonly PartitionKey[]): Promise<void> {
    for (const file of [this.#recoveryPoint, this.#logStart])
      if (file.found !== 'good') for (const key of existing) file.setLost(key)
    await Promise.all([
      this.#recoveryPoint.save(),
      this.#logStart.save(),
      this.#highWatermark.save(),
    ])
  }

  knowledge(key: PartitionKey, closed?: ClosedLog): Knowledge {
    return {
      closed,
      recoveryPoint: this.#recoveryPoint.get(key),
      synced: this.#synced.get(key),
      // Without a line it was never moved: a line is durable before a file goes.
      logStartOffset: numberOf(this.#logStart.get(key) ?? 0),
      highWatermark: numberOf(this.#highWatermark.get(key)),
    }
  }

  /** An fdatasync covers everything below `offset`. */
  durable(log: Checkpointed, offset: number): void {
    if (this.#closed) return
    this.#synced.set(log.topicId, log.partition, offset)
    this.changed(log)
  }

  /** Its lines are written within 5 s. */
  changed(log: Checkpointed): void {
    if (this.#closed) return
    this.#changed.add(log)
    if (this.#env.random.buggify('checkpoint-skipped', 0.5)) return
    this.#timer ??= this.#env.clock.timer(SAVE_DELAY_MS, () => this.#saveInBackground())
  }

  /** A segment was rolled: now rather than in 5 s. */
  rolled(log: Checkpointed): void {
    if (this.#closed) return
    this.#changed.add(log)
    this.#saveInBackground()
  }

  /** Durable when it resolves. */
  async saveLogStart(log: Checkpointed, offset: number): Promise<void> {
    this.#logStart.set(keyOf(log), offset)
    await this.#logStart.save()
  }

  /** Before a truncation: both floors are at `offset`, durably, when it resolves. */
  async lowerFloor(log: Checkpointed, offset: number): Promise<void> {
    await this.#saving.idle()
    this.#changed.delete(log)
    this.#recoveryPoint.set(keyOf(log), offset)
    const logStart = numberOf(this.#logStart.get(keyOf(log))) ?? 0
    if (logStart > offset) this.#logStart.set(keyOf(log), offset)
    await Promise.all([this.#recoveryPoint.save(), this.#logStart.save()])
    await this.#synced.lower(log.topicId, log.partition, offset)
  }

  /** The partition was deleted. */
  forget(log: { readonly topicId: string; readonly partition: number }): void {
    const key = keyOf(log)
    for (const one of this.#changed) if (keyOf(one) === key) this.#changed.delete(one)
    for (const file of [this.#recoveryPoint, this.#logStart, this.#highWatermark]) file.delete(key)
    this.#synced.delete(key)
  }

  /** Everything that changed so far, durable when it resolves. */
  async save(): Promise<void> {
    await this.#saving.run()
    await this.#synced.write()
  }

  /** Writes nothing more. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    this.#timer = undefined
    await this.#saving.idle()
    await this.#synced.close()
  }

  #saveInBackground(): void {
    this.#saving.run().catch((error: unknown) => {
      this.#onError(error)
      if (this.#closed) return
      // Tried again with the next round; an older recovery point only means a longer scan.
      this.#timer ??= this.#env.clock.timer(SAVE_DELAY_MS, () => this.#saveInBackground())
    })
  }

  async #save(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    for (const log of this.#changed) this.#note(log)
    this.#changed.clear()
    await Promise.all([
      this.#recoveryPoint.save(),
      this.#logStart.save(),
      this.#highWatermark.save(),
    ])
  }

  #note(log: Checkpointed): void {
    const key = keyOf(log)
    const durable = log.durableEndOffset()
    assert(Number.isSafeInteger(durable), 'a recovery point is an offset')
    this.#recoveryPoint.set(key, durable)
    // A higher one may have been saved for a deletion that has not moved the log yet; files go by it.
    const saved = numberOf(this.#logStart.get(key)) ?? 0
    this.#logStart.set(key, Math.max(saved, log.logStartOffset()))
    this.#highWatermark.set(key, Math.max(log.highWatermark(), log.logStartOffset()))
  }
}

function keyOf({ topicId, partition }: { topicId: string; partition: number }): PartitionKey {
  return partitionKey(topicId, partition)
}

function numberOf(offset: number | 'lost' | undefined): number | undefined {
  return offset === 'lost' ? undefined : offset
}
