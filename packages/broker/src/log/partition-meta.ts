// `partition.meta`: which partition a directory holds. Its name may lie, this may not (REPLICATION 2.1).
//
//   {
//     "formatVersion": 1,
//     "topic": "orders",         for people; the identity is topicId
//     "topicId": "…",
//     "partition": 3,
//     "compactedBelow": 0,       below it offsets may have gaps
//     "holes": [[5, 8]]          offsets 5 to 7 were given up by a repair and are never served; absent: none
//   }
//   crc32c 1a2b3c4d
import type { Disk } from '@minikafka/platform'
import { checkedJson, jsonWithChecksum } from './checked-text.ts'
import type { Hole } from './damage.ts'
import { isTopicId } from './partition-key.ts'
import { readRegularFile } from './regular-file.ts'

export type PartitionMeta = {
  readonly formatVersion: number
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly compactedBelow: number
  /** Ascending, apart from one another. */
  readonly holes: readonly Hole[]
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
  const content = await readRegularFile(disk, partitionMetaPath(directory))
  if (content === undefined) return undefined
  const fields = checkedJson(content)
  if (fields === undefined) return 'its checksum does not fit'
  const { formatVersion, topic, topicId, partition, compactedBelow } = fields
  const holes = holesOf(fields.holes)
  if (formatVersion !== PARTITION_FORMAT_VERSION) return `format version ${String(formatVersion)}`
  const isWhole = typeof topic === 'string' && isTopicId(topicId) && isCount(partition)
  if (!isWhole || !isCount(compactedBelow) || holes === undefined)
    return 'a field is missing or of the wrong type'
  return { formatVersion, topic, topicId, partition, compactedBelow, holes }
}

export async function savePartitionMeta(
  disk: Disk,
  directory: string,
  { holes, ...meta }: PartitionMeta,
): Promise<void> {
  const pairs = holes.map(({ fromOffset, nextOffset }) => [fromOffset, nextOffset])
  const fields = pairs.length === 0 ? meta : { ...meta, holes: pairs }
  await disk.replaceFile(partitionMetaPath(directory), jsonWithChecksum(fields))
}

function holesOf(value: unknown): Hole[] | undefined {
  if (value === undefined) return []
  if (!Array.isArray(value)) return undefined
  const holes: Hole[] = []
  for (const pair of value) {
    const [fromOffset, nextOffset] = Array.isArray(pair) ? pair : []
    const isRange = isCount(fromOffset) && isCount(nextOffset) && fromOffset < nextOffset
    if (!isRange || fromOffset < (holes.at(-1)?.nextOffset ?? 0)) return undefined
    holes.push({ fromOffset, nextOffset })
  }
  return holes
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
