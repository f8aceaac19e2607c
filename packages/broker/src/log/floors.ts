// What the checkpoints of a directory say of its partitions, for those who only look. Enters: the files. Leaves: offsets.
import type { Env } from '@minikafka/platform'
import { type InspectLine, trouble } from './inspect.ts'
import { type CheckpointName, OffsetCheckpoint } from './offset-checkpoint.ts'
import { regularFileSize } from './regular-file.ts'
import { readSlots } from './synced-file.ts'

export class Floors {
  #recoveryPoint: OffsetCheckpoint | undefined
  #logStart: OffsetCheckpoint | undefined
  #highWatermark: OffsetCheckpoint | undefined
  #synced = new Map<string, number>()

  async *load(env: Env, path: string): AsyncGenerator<InspectLine> {
    const checkpoints = new Map<CheckpointName, OffsetCheckpoint>()
    for (const name of ['recovery-point', 'log-start-offset', 'hw-checkpoint'] as const) {
      await regularFileSize(env.disk, `${path}/${name}`)
      const checkpoint = await OffsetCheckpoint.load(env.disk, path, name)
      checkpoints.set(name, checkpoint)
      if (checkpoint.found === 'bad') yield trouble(`${checkpoint.path}: its checksum does not fit`)
      if (checkpoint.found === 'absent') yield trouble(`${checkpoint.path}: is missing`)
    }
    this.#recoveryPoint = checkpoints.get('recovery-point')
    this.#logStart = checkpoints.get('log-start-offset')
    this.#highWatermark = checkpoints.get('hw-checkpoint')
    await regularFileSize(env.disk, `${path}/synced`)
    const content = await env.disk.readFile(`${path}/synced`)
    if (content === undefined) return yield trouble(`${path}/synced: is missing`)
    const { offsets, badPositions } = readSlots(content)
    this.#synced = offsets
    for (const position of badPositions) {
      yield trouble(`${path}/synced: position ${position}: the checksum of a slot does not fit`)
    }
  }

  /** What is below has been on the disk; undefined: nobody knows any more, so that all may have been. */
  floor(key: string): number | undefined {
    const recoveryPoint = this.#recoveryPoint?.get(key)
    const synced = this.#synced.get(key)
    const isLost = this.#recoveryPoint?.found !== 'good' || recoveryPoint === 'lost'
    if (isLost) return synced
    return Math.max(typeof recoveryPoint === 'number' ? recoveryPoint : 0, synced ?? 0)
  }

  /** Where the log must have ended at least: records up to there were served, perhaps. */
  knownEnd(key: string): number {
    const highWatermark = this.#highWatermark?.get(key)
    return Math.max(this.floor(key) ?? 0, typeof highWatermark === 'number' ? highWatermark : 0)
  }

  /** undefined: nothing says it, so that the log begins with its first segment. */
  logStart(key: string): number | undefined {
    const offset = this.#logStart?.get(key)
    return typeof offset === 'number' ? offset : undefined
  }
}
