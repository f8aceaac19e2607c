// `verify`: is a data directory in order? Enters: a path that no broker uses. Leaves: lines, each problem with its file and
// its place; changes nothing.
import { DiskError, type Env, type Lock } from '@minikafka/platform'
import {
  cleanShutdownPath,
  loadCleanShutdown,
  loadDirectoryMeta,
  metaPath,
} from './directory-meta.ts'
import { Floors } from './floors.ts'
import { type InspectLine, plain, trouble } from './inspect.ts'
import { isPartitionDirectoryName, partitionKey } from './partition-key.ts'
import { loadPartitionMeta, partitionMetaPath } from './partition-meta.ts'
import { regularFileSize } from './regular-file.ts'
import { EXIT, StartError } from './start-error.ts'
import { verifyLog } from './verify-log.ts'

export type VerifyOptions = {
  /** Reads every byte: CRCs of batches and of headers, every index entry. */
  readonly deep: boolean
  /** What else lies in the directory and is looked at while it is locked. */
  readonly also?: ((env: Env, path: string) => AsyncGenerator<InspectLine>) | undefined
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
  const lock = await lockForTool(env, path)
  try {
    yield* verifyAll(env, path, options)
  } finally {
    await lock.release()
  }
}

/** Errors: StartError where there is no such directory, or a broker has locked it. */
export async function lockForTool(env: Env, path: string): Promise<Lock> {
  const stat = await env.disk.stat(path)
  if (stat?.kind !== 'directory') throw new StartError(EXIT.io, path, 'is no directory')
  const answer = await env.disk.lock(path)
  if ('lock' in answer) return answer.lock
  const holder = answer.heldBy === undefined ? 'another process' : `process ${answer.heldBy}`
  throw new StartError(EXIT.unavailable, path, `is in use by ${holder}; stop that broker first`)
}

async function* verifyAll(
  env: Env,
  path: string,
  { deep, also }: VerifyOptions,
): AsyncGenerator<InspectLine> {
  yield* caught(verifyMeta(env, path))
  if (also !== undefined) yield* caught(also(env, path))
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
  const mark = cleanShutdownPath(path)
  const hasMark = (await regularFileSize(env.disk, mark)) !== undefined
  if (hasMark && (await loadCleanShutdown(env.disk, path, meta.dirId)) === undefined)
    yield trouble(`${mark}: is damaged or of another directory; the stop counts as unclean`)
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
