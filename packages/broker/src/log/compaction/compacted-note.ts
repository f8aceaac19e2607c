// `compacted`: how far a log has been compacted. Lost or damaged it costs a pass over all of it, nothing else.
// Enters: offsets, after a pass. Leaves: the same at the next start.
//
//   {"topicId", "partition",
//    "firstDirtyOffset",      a pass has gone over all below it
//    "nextHorizonMs"}         wall clock, when the first tombstone below may go; null: there is none
//   crc32c 1a2b3c4d
import type { Disk } from '@minikafka/platform'
import { checkedJson, jsonWithChecksum } from '../checked-text.ts'
import type { LogIdentity } from '../log-types.ts'
import { readRegularFile } from '../regular-file.ts'

export type CompactedNote = {
  readonly firstDirtyOffset: number
  readonly nextHorizonMs: number | undefined
}

export const NEVER_COMPACTED: CompactedNote = { firstDirtyOffset: 0, nextHorizonMs: undefined }

const FILE_NAME = 'compacted'

export function compactedNotePath(directory: string): string {
  return `${directory}/${FILE_NAME}`
}

/** Errors: DiskError; StartError where it is no regular file. */
export async function loadCompactedNote(
  disk: Disk,
  directory: string,
  { topicId, partition }: LogIdentity,
): Promise<CompactedNote> {
  const content = await readRegularFile(disk, compactedNotePath(directory))
  const fields = content && checkedJson(content)
  if (fields?.topicId !== topicId || fields.partition !== partition) return NEVER_COMPACTED
  const { firstDirtyOffset, nextHorizonMs } = fields
  if (!isCount(firstDirtyOffset)) return NEVER_COMPACTED
  return { firstDirtyOffset, nextHorizonMs: isCount(nextHorizonMs) ? nextHorizonMs : undefined }
}

/** Durable when it resolves. */
export async function saveCompactedNote(
  disk: Disk,
  directory: string,
  { topicId, partition }: LogIdentity,
  {
    firstDirtyOffset,
    nextHorizonMs = null,
  }: { firstDirtyOffset: number; nextHorizonMs?: number | null | undefined },
): Promise<void> {
  const fields = { topicId, partition, firstDirtyOffset, nextHorizonMs }
  await disk.replaceFile(compactedNotePath(directory), jsonWithChecksum(fields))
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
