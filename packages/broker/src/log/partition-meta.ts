// `partition.meta`: which partition a directory holds. Its name may lie, this may not (REPLICATION 2.1).
//
//   {
//     "formatVersion": 1,
//     "topic": "orders",         for people; the identity is topicId
//     "topicId": "…",
//     "partition": 3,
//     "compactedBelow": 0        below it offsets may have gaps
//   }
//   crc32c 1a2b3c4d
import type { Disk } from '@minikafka/platform'
import { checkedJson, jsonWithChecksum } from './checked-text.ts'
import { isTopicId } from './partition-key.ts'

export type PartitionMeta = {
  readonly formatVersion: number
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly compactedBelow: number
}

export const PARTITION_FORMAT_VERSION = 1

export function partitionMetaPath(directory: string): string {
  return `${directory}/partition.meta`
}

/** undefined: there is none. A sentence: it cannot be believed. */
export async function loadPartitionMeta(
  disk: Disk,
  directory: string,
): Promise<PartitionMeta | string | undefined> {
  const content = await disk.readFile(partitionMetaPath(directory))
  if (content === undefined) return undefined
  const fields = checkedJson(content)
  if (fields === undefined) return 'its checksum does not fit'
  const { formatVersion, topic, topicId, partition, compactedBelow } = fields
  if (formatVersion !== PARTITION_FORMAT_VERSION) return `format version ${String(formatVersion)}`
  const isWhole = typeof topic === 'string' && isTopicId(topicId) && isCount(partition)
  if (!isWhole || !isCount(compactedBelow)) return 'a field is missing or of the wrong type'
  return { formatVersion, topic, topicId, partition, compactedBelow }
}

export async function savePartitionMeta(
  disk: Disk,
  directory: string,
  meta: PartitionMeta,
): Promise<void> {
  await disk.replaceFile(partitionMetaPath(directory), jsonWithChecksum(meta))
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
