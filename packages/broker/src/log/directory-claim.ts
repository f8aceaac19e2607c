// Takes hold of a data directory: makes it, locks it, and finds out whose it is and what lies in it.
// Enters: a path and who we are. Leaves: a locked directory, or a StartError and nothing changed.
import { DiskError, type Env, type Lock } from '@minikafka/platform'
import {
  type CleanShutdown,
  cleanShutdownPath,
  DIRECTORY_FORMAT_VERSION,
  type DirectoryMeta,
  loadCleanShutdown,
  loadDirectoryMeta,
  metaPath,
} from './directory-meta.ts'
import { makeDirectoryDurably } from './durable-directory.ts'
import type { FoundPartition } from './log-types.ts'
import { directoryNameOf, isPartitionDirectoryName, isTopicId } from './partition-key.ts'
import { loadPartitionMeta, type PartitionMeta } from './partition-meta.ts'
import { regularFileSize } from './regular-file.ts'
import { EXIT, StartError } from './start-error.ts'

export type Claim = {
  readonly lock: Lock
  readonly meta: DirectoryMeta
  /** There was no meta.json: it is to be written when everything else is there. */
  readonly isNew: boolean
  readonly cleanShutdown: CleanShutdown | undefined
  readonly partitions: readonly ClaimedPartition[]
  /** Names in the data directory. */
  readonly names: readonly string[]
}

export type ClaimedPartition = FoundPartition & Pick<PartitionMeta, 'compactedBelow' | 'holes'>

export type Claimant = { readonly nodeId: number; readonly clusterIdIfNew: string }

/** Errors: StartError. The lock is free again then. */
export async function claimDirectory(env: Env, path: string, claimant: Claimant): Promise<Claim> {
  try {
    await makeDirectoryDurably(env.disk, path)
    const answer = await env.disk.lock(path)
    if ('heldBy' in answer) throw lockedError(path, answer.heldBy)
    try {
      return { lock: answer.lock, ...(await look(env, path, claimant)) }
    } catch (error) {
      await answer.lock.release()
      throw error
    }
  } catch (error) {
    throw startErrorOf(error, path)
  }
}

/** An error of the disk at start names the path and ends the program; others pass. */
export function startErrorOf(error: unknown, path: string): unknown {
  if (!(error instanceof DiskError)) return error
  const hint = ['EACCES', 'EPERM', 'EROFS'].includes(error.code)
    ? ' It must be writable for this user.'
    : ''
  return new StartError(EXIT.io, error.path ?? path, `${error.message}.${hint}`, { cause: error })
}

function lockedError(path: string, pid: number | undefined): StartError {
  const holder = pid === undefined ? 'another process' : `process ${pid}`
  return new StartError(
    EXIT.unavailable,
    path,
    `is in use by ${holder}. One broker per data directory.`,
  )
}

async function look(env: Env, path: string, claimant: Claimant): Promise<Omit<Claim, 'lock'>> {
  const { disk } = env
  const names = await disk.list(path)
  const ours = ['recovery-point', 'synced', 'log-start-offset', 'hw-checkpoint', 'scrubbed'].map(
    (name) => `${path}/${name}`,
  )
  for (const file of [metaPath(path), cleanShutdownPath(path), ...ours])
    await regularFileSize(disk, file)
  const found = await loadDirectoryMeta(disk, path)
  const partitions = await findPartitions(env, path, names)
  if (found === undefined && partitions.length > 0) {
    throw new StartError(
      EXIT.io,
      metaPath(path),
      'is missing, but there are partitions. Nothing was changed; restore it from a copy.',
    )
  }
  if (found !== undefined && found.brokerId !== claimant.nodeId) {
    const message = `belongs to node ${found.brokerId}, this is node ${claimant.nodeId}. Nothing was changed.`
    throw new StartError(EXIT.foreign, path, message)
  }
  const meta = found ?? newMeta(env, claimant)
  const cleanShutdown = await loadCleanShutdown(disk, path, meta.dirId)
  return { meta, isNew: found === undefined, cleanShutdown, partitions, names }
}

function newMeta(env: Env, { nodeId, clusterIdIfNew }: Claimant): DirectoryMeta {
  return {
    formatVersion: DIRECTORY_FORMAT_VERSION,
    clusterId: clusterIdIfNew,
    brokerId: nodeId,
    dirId: env.random.uuid(),
    maxRevSeen: 0,
  }
}

/** By partition.meta; a directory without a good one is no partition, whatever its name. */
async function findPartitions(
  env: Env,
  root: string,
  names: readonly string[],
): Promise<readonly ClaimedPartition[]> {
  const metas = names.filter(isPartitionDirectoryName).map(async (directoryName) => {
    const directory = `${root}/${directoryName}`
    if ((await env.disk.stat(directory))?.kind !== 'directory') return undefined
    const meta = await loadPartitionMeta(env.disk, directory)
    return typeof meta === 'object' ? claimed(meta, directoryName) : undefined
  })
  return (await Promise.all(metas)).filter((one) => one !== undefined)
}

function claimed(meta: PartitionMeta, directoryName: string): ClaimedPartition | undefined {
  const { topic, topicId, partition, compactedBelow, holes } = meta
  // A copy that somebody made beside the original would be a second directory of one partition.
  if (!isTopicId(topicId) || directoryNameOf(topic, partition) !== directoryName) return undefined
  return { topic, topicId, partition, directoryName, compactedBelow, holes }
}
