// `verify`: is a data directory in order? Enters: a path that no broker uses. Leaves: lines, each problem with its file and
// its place; changes nothing.
import { DiskError, type Env } from '@minikafka/platform'
import { loadDirectoryMeta, metaPath } from './directory-meta.ts'
import { type InspectLine, plain, trouble } from './inspect.ts'
import { type CheckpointName, OffsetCheckpoint } from './offset-checkpoint.ts'
import { isPartitionDirectoryName, partitionKey } from './partition-key.ts'
import { loadPartitionMeta, partitionMetaPath } from './partition-meta.ts'
import { regularFileSize } from './regular-file.ts'
import { EXIT, StartError } from './start-error.ts'
import { readSlots } from './synced-file.ts'
import { verifyLog } from './verify-log.ts'

export type VerifyOptions = {
  /** Reads every byte: CRCs of batches and of headers, every index entry. */
  readonly deep: boolean
}

/**
 * Checks all that a data directory holds.
 *
 * Errors  StartError: there is no such directory, or a broker has locked it.
 */
export async function* verifyDirectory(
  env: Env,
  path: string,
  options: VerifyOptions,
): AsyncGenerator<InspectLine> {
  const stat = await env.disk.stat(path)
  if (stat?.kind !== 'directory') throw new StartError(EXIT.io, path, 'is no directory')
  const answer = await env.disk.lock(path)
  if ('heldBy' in answer) {
    const holder = answer.heldBy === undefined ? 'another process' : `process ${answer.heldBy}`
    throw new StartError(EXIT.unavailable, path, `is in use by ${holder}; stop that broker first`)
  }
  try {
    yield* verifyAll(env, path, options)
  } finally {
    await answer.lock.release()
  }
}

async function* verifyAll(
  env: Env,
  path: string,
  { deep }: VerifyOptions,
): AsyncGenerator<InspectLine> {
  yield* caught(verifyMeta(env, path))
  const floors = new Floors()
  yield* caught(floors.load(env, path))
  for (const name of (await env.disk.list(path)).filter(isPartitionDirectoryName)) {
    yield* caught(verifyPartition(env, `${path}/${name}`, floors, deep))
  }
}

/** A file that cannot be read is a problem like others. */
async function* caught(lines: AsyncGenerator<InspectLine>): AsyncGenerator<InspectLine> {
  try {
    yield* lines
  } catch (error) {
    if (!(error instanceof StartError || error instanceof DiskError)) throw error
    yield trouble(error.message)
  }
}

async function* verifyMeta(env: Env, path: string): AsyncGenerator<InspectLine> {
  await regularFileSize(env.disk, metaPath(path))
  const meta = await loadDirectoryMeta(env.disk, path)
  if (meta === undefined) return yield trouble(`${metaPath(path)}: is missing`)
  yield plain(`${path}: node ${meta.brokerId} of cluster ${meta.clusterId}`)
}

async function* verifyPartition(
  env: Env,
  directory: string,
  floors: Floors,
  deep: boolean,
): AsyncGenerator<InspectLine> {
  if ((await env.disk.stat(directory))?.kind !== 'directory') return
  const metaFile = partitionMetaPath(directory)
  if ((await regularFileSize(env.disk, metaFile)) === undefined) return
  const meta = await loadPartitionMeta(env.disk, directory)
  if (meta === undefined || typeof meta === 'string') return yield trouble(`${metaFile}: ${meta}`)
  const key = partitionKey(meta.topicId, meta.partition)
  const { compactedBelow, holes } = meta
  const place = { directory, compactedBelow, holes, floor: floors.floor(key), deep }
  yield* verifyLog(env, { ...place, logStartOffset: floors.logStart(key) })
}

/** What the checkpoints say of each partition. */
class Floors {
  #recoveryPoint: OffsetCheckpoint | undefined
  #logStart: OffsetCheckpoint | undefined
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
    await regularFileSize(env.disk, `${path}/synced`)
    const content = await env.disk.readFile(`${path}/synced`)
    if (content === undefined) return yield trouble(`${path}/synced: is missing`)
    const { offsets, badPositions } = readSlots(content)
    this.#synced = offsets
    for (const position of badPositions) {
      yield trouble(`${path}/synced: position ${position}: the checksum of a slot does not fit`)
    }
  }

  /** What is below has been on the disk. */
  floor(key: string): number {
    const recoveryPoint = this.#recoveryPoint?.get(key)
    const known = typeof recoveryPoint === 'number' ? recoveryPoint : 0
    return Math.max(known, this.#synced.get(key) ?? 0)
  }

  /** undefined: nothing says it, so that the log begins with its first segment. */
  logStart(key: string): number | undefined {
    const offset = this.#logStart?.get(key)
    return typeof offset === 'number' ? offset : undefined
  }
}
