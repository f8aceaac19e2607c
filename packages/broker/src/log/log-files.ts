// What lies in a partition's directory. Enters: the directory. Leaves: its segments with their sizes; rests of things that
// were under way are removed. Names that are not ours are left alone (SECURITY, row 61).
import type { Disk } from '@minikafka/platform'
import { finishSwaps } from './compaction/segment-swap.ts'
import { damageNotePath } from './damage-note.ts'
import { regularFileSize } from './regular-file.ts'
import { DELETED_SUFFIX } from './removed-files.ts'
import { sealedPath } from './sealed-segments.ts'
import { parseSegmentName, type SegmentExtension } from './segment.ts'

/** What the partition above the log keeps beside it. */
export const PRODUCER_SNAPSHOT = 'producer-snapshot'

/** Sizes in bytes; an index may be missing. */
export type SegmentFiles = {
  readonly baseOffset: number
  readonly log: number
  readonly index: number
  readonly timeindex: number
}

export type LogFiles = {
  /** Ascending by base offset. */
  readonly segments: SegmentFiles[]
  /** Something was found to be damaged once. */
  readonly hasDamageNote: boolean
}

/**
 * Lists what is there of a log.
 *
 * Errors  StartError where one of these is no regular file.
 * Holds   files of removed segments and of replacements that were never finished are gone.
 */
export async function listLogFiles(disk: Disk, directory: string): Promise<LogFiles> {
  const names = await listFinished(disk, directory)
  const rests = names.filter(isRest)
  await Promise.all(rests.map((name) => disk.removeFile(`${directory}/${name}`)))
  // Rarely there and not always read; what else is ours is looked at by whoever reads it.
  const singles = [damageNotePath(directory), sealedPath(directory)]
  const paths = names.map((name) => `${directory}/${name}`).filter((path) => singles.includes(path))
  await Promise.all(paths.map((path) => regularFileSize(disk, path)))
  const segments = await segmentsOf(disk, directory, names)
  return { segments, hasDamageNote: paths.includes(damageNotePath(directory)) }
}

/** A swap that a crash interrupted is finished first: what lies there then are segments of one log. */
async function listFinished(disk: Disk, directory: string): Promise<string[]> {
  const names = await disk.list(directory)
  const isFinished = await finishSwaps(disk, directory, names)
  return isFinished ? await disk.list(directory) : names
}

/** The segments of a directory, ascending by base offset; nothing is removed. */
export async function segmentsOf(
  disk: Disk,
  directory: string,
  names: readonly string[],
): Promise<SegmentFiles[]> {
  const sizes = new Map<string, number>()
  const bases = new Set<number>()
  const looks = names.map(async (name) => {
    const parsed = parseSegmentName(name)
    if (parsed === undefined) return
    const size = await regularFileSize(disk, `${directory}/${name}`)
    sizes.set(`${parsed.baseOffset}.${parsed.extension}`, size ?? 0)
    // An index without its segment is a rest that nobody misses.
    if (parsed.extension === 'log') bases.add(parsed.baseOffset)
  })
  await Promise.all(looks)
  const sizeOf = (baseOffset: number, extension: SegmentExtension) =>
    sizes.get(`${baseOffset}.${extension}`) ?? 0
  return [...bases]
    .sort((one, other) => one - other)
    .map((baseOffset) => ({
      baseOffset,
      log: sizeOf(baseOffset, 'log'),
      index: sizeOf(baseOffset, 'index'),
      timeindex: sizeOf(baseOffset, 'timeindex'),
    }))
}

/** Removed segments, and what a crash left of a replacement or a compaction. */
function isRest(name: string): boolean {
  if (name.endsWith(DELETED_SUFFIX)) {
    return parseSegmentName(name.slice(0, -DELETED_SUFFIX.length)) !== undefined
  }
  return /^(partition\.meta|sealed|damaged|compacted|leader-epoch-checkpoint|producer-snapshot|\d{20}\.\w+)\..*(tmp|cleaned)$/.test(
    name,
  )
}
