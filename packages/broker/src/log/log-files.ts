// What lies in a partition's directory. Enters: the directory. Leaves: its segments with their sizes; rests of things that
// were under way are removed. Names that are not ours are left alone (SECURITY, row 61).
import type { Disk } from '@minikafka/platform'
import { leaderEpochsPath } from './leader-epochs.ts'
import { partitionMetaPath } from './partition-meta.ts'
import { DELETED_SUFFIX } from './retention.ts'
import { sealedPath } from './sealed-segments.ts'
import { parseSegmentName, type SegmentExtension } from './segment.ts'
import { EXIT, StartError } from './start-error.ts'

export type SegmentFiles = { readonly baseOffset: number } & {
  /** Bytes; undefined: there is no such file. */
  readonly [extension in SegmentExtension]?: number
}

/**
 * Lists the segments of a directory, ascending by base offset.
 *
 * Errors  StartError where one of our files is no regular file.
 * Holds   files of removed segments and of replacements that were never finished are gone.
 */
export async function listLogFiles(disk: Disk, directory: string): Promise<SegmentFiles[]> {
  const names = await disk.list(directory)
  const rests = names.filter(isRest)
  await Promise.all(rests.map((name) => disk.removeFile(`${directory}/${name}`)))
  const paths = new Set([partitionMetaPath, leaderEpochsPath, sealedPath].map((path) => path(directory)))
  const singles = names.filter((name) => paths.has(`${directory}/${name}`))
  await Promise.all(singles.map((name) => regularFileSize(disk, `${directory}/${name}`)))
  return segmentsOf(disk, directory, names)
}

/** As `listLogFiles`, and removes nothing. */
export async function segmentsOf(
  disk: Disk,
  directory: string,
  names: readonly string[],
): Promise<SegmentFiles[]> {
  const byBase = new Map<number, { baseOffset: number } & Partial<Record<SegmentExtension, number>>>()
  const sizes = names.map(async (name) => {
    const parsed = parseSegmentName(name)
    if (parsed === undefined) return
    const { baseOffset, extension } = parsed
    const size = await regularFileSize(disk, `${directory}/${name}`)
    const files = byBase.get(baseOffset) ?? { baseOffset }
    files[extension] = size
    byBase.set(baseOffset, files)
  })
  await Promise.all(sizes)
  const segments = [...byBase.values()].filter(({ log }) => log !== undefined)
  return segments.sort((one, other) => one.baseOffset - other.baseOffset)
}

/** Size of a file of ours; undefined where there is none. */
export async function regularFileSize(disk: Disk, path: string): Promise<number | undefined> {
  const stat = await disk.stat(path)
  if (stat === undefined || stat.kind === 'file') return stat?.size
  throw new StartError(EXIT.io, path, 'is no regular file; a broker does not follow links here. Move it away.')
}

/** Removed segments, and what a crash left of a replacement or a compaction. */
function isRest(name: string): boolean {
  if (name.endsWith(DELETED_SUFFIX)) {
    return parseSegmentName(name.slice(0, -DELETED_SUFFIX.length)) !== undefined
  }
  return /^(partition\.meta|sealed|leader-epoch-checkpoint|\d{20}\.\w+)\..*(tmp|cleaned)$/.test(name)
}
