// A partition that begins. Enters: a path and an identity. Leaves: a directory with its partition.meta, and an empty log.
import type { Disk } from '@minikafka/platform'
import { LeaderEpochs } from './leader-epochs.ts'
import type { LogHost } from './log-host.ts'
import { type OpenedLog, storageErrorOf } from './log-state.ts'
import type { LogIdentity } from './log-types.ts'
import {
  loadPartitionMeta,
  PARTITION_FORMAT_VERSION,
  partitionMetaPath,
  savePartitionMeta,
} from './partition-meta.ts'
import { regularFileSize } from './regular-file.ts'
import { parseSegmentName, Segment } from './segment.ts'
import { EXIT, StartError } from './start-error.ts'

/**
 * A directory that an earlier attempt left half made is no obstacle.
 *
 * Errors  KAFKA_STORAGE_ERROR where another partition, or segments of nobody, are in the way; StartError for a link.
 */
export async function checkNothingInTheWay(
  disk: Disk,
  directory: string,
  identity: LogIdentity,
): Promise<void> {
  const stat = await disk.stat(directory)
  if (stat === undefined) return
  if (stat.kind !== 'directory') {
    throw new StartError(
      EXIT.io,
      directory,
      'is no directory; a broker does not follow links here. Move it away.',
    )
  }
  const why = await obstacle(disk, directory, identity)
  if (why !== undefined) throw storageErrorOf(identity, `${directory} ${why}. Move it away.`)
}

/** The directory of a new partition, with its partition.meta; the data directory is not synced. */
export async function makeLogDirectory(
  disk: Disk,
  directory: string,
  identity: LogIdentity,
): Promise<void> {
  await disk.makeDirectory(directory)
  await savePartitionMeta(disk, directory, {
    formatVersion: PARTITION_FORMAT_VERSION,
    ...identity,
    compactedBelow: 0,
    holes: [],
  })
}

/** An empty log in a directory that was just prepared; its first file is made by its first batch. */
export function newLog(host: LogHost, identity: LogIdentity, directory: string): OpenedLog {
  return {
    identity,
    directory,
    epochs: new LeaderEpochs(host.env.disk, directory),
    segments: [new Segment(host, { directory, baseOffset: 0 })],
    logStartOffset: 0,
    logEndOffset: 0,
    compactedBelow: 0,
    holes: [],
    damages: [],
    sealed: [],
  }
}

async function obstacle(
  disk: Disk,
  directory: string,
  { topicId, partition }: LogIdentity,
): Promise<string | undefined> {
  const path = partitionMetaPath(directory)
  await regularFileSize(disk, path)
  const meta = await loadPartitionMeta(disk, directory)
  if (typeof meta === 'string') return `has a partition.meta that cannot be believed: ${meta}`
  const isAnother = meta !== undefined && (meta.topicId !== topicId || meta.partition !== partition)
  if (isAnother) return `holds partition ${meta.partition} of topic id ${meta.topicId}`
  const names = await disk.list(directory)
  const segment = names.find((name) => parseSegmentName(name) !== undefined)
  return segment === undefined ? undefined : `holds ${segment} already`
}
