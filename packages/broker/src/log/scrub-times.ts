// `scrubbed`: when each log was last read to its end by the scrubber, so that a restart does not begin again.
// Enters: wall-clock milliseconds. Leaves: the same at the next start; lost ones mean that a log is read sooner.
import type { Env } from '@minikafka/platform'
import { OffsetCheckpoint } from './offset-checkpoint.ts'
import { type PartitionKey, partitionKey } from './partition-key.ts'

type PartitionId = { readonly topicId: string; readonly number: number }

export class ScrubTimes {
  readonly #checkpoint: OffsetCheckpoint
  readonly #keys: Set<PartitionKey>

  private constructor(checkpoint: OffsetCheckpoint) {
    this.#checkpoint = checkpoint
    this.#keys = new Set(checkpoint.keys())
  }

  /** Errors: DiskError. */
  static async load({ disk }: Env, directory: string): Promise<ScrubTimes> {
    return new ScrubTimes(await OffsetCheckpoint.load(disk, directory, 'scrubbed'))
  }

  get(topicId: string, number: number): number | undefined {
    const timeMs = this.#checkpoint.get(partitionKey(topicId, number))
    return typeof timeMs === 'number' ? timeMs : undefined
  }

  set(topicId: string, number: number, wallMs: number): void {
    const key = partitionKey(topicId, number)
    this.#keys.add(key)
    this.#checkpoint.set(key, wallMs)
  }

  /** Deleted partitions are forgotten. */
  keepOnly(partitions: readonly PartitionId[]): void {
    const kept = new Set(partitions.map(({ topicId, number }) => partitionKey(topicId, number)))
    for (const key of this.#keys) {
      if (kept.has(key)) continue
      this.#keys.delete(key)
      this.#checkpoint.delete(key)
    }
  }

  save(): Promise<void> {
    return this.#checkpoint.save()
  }
}
