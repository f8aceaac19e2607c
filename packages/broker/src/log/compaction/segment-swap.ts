// Puts a cleaned segment in the place of those that it was made of, so that a crash leaves the ones or the other.
//
//   1  <base>.log.cleaned is renamed to <base>.log.<end>.swap, and the directory synced: from here on it is done, now or
//      by the next start. The name says what it takes the place of: all from base to end.
//   2  the log goes over to it; who reads an old one goes on with the descriptor that he has
//   3  the files of the old ones are renamed away, but for <base>.log; the directory is synced
//   4  .swap is renamed to <base>.log, and the directory synced
//
// Before 1 whatever was needed for it is durable: the file, `compactedBelow`, what the producers' headers said. Without
// the sync in 3 a power cut could keep the rename in 4 and bring the old ones back beside it.
import type { Disk } from '@minikafka/platform'
import type { LogHost } from '../log-host.ts'
import type { LogState } from '../log-state.ts'
import type { RemovedFiles } from '../removed-files.ts'
import { parseSegmentName, type Segment, segmentPath } from '../segment.ts'
import type { CleanedSegment } from './cleaned-segment.ts'

type Swap = { readonly name: string; readonly baseOffset: number; readonly nextOffset: number }

/** Something failed when it was too late to stay with the old segments: the next start goes on with it. */
export class SwapBroken extends Error {
  override name = 'SwapBroken'
}

/**
 * Shape   `old`: neighbours in the log, none of them active, all below the high watermark; `cleaned`: finished.
 * Errors  DiskError: nothing was changed, and `cleaned` is still there. SwapBroken.
 * Holds   one change of the list of segments at a time is the caller's.
 */
export async function swapIn(
  host: LogHost,
  state: LogState,
  removed: RemovedFiles,
  { old, cleaned }: { old: readonly Segment[]; cleaned: CleanedSegment },
): Promise<void> {
  const { disk } = host.env
  const { segment } = cleaned
  const swapPath = `${state.directory}/${swapName(segment.baseOffset, segment.nextOffset)}`
  await disk.rename(cleaned.path, swapPath)
  try {
    await disk.syncDirectory(state.directory)
    goOver(state, old, segment, swapPath)
    if (state.tail) host.tail.dropBelow(state.tail, segment.nextOffset)
    await removeOld(host, state, removed, old)
    await settle(host, segment, swapPath)
    await disk.syncDirectory(state.directory)
  } catch (error) {
    throw new SwapBroken(`${swapPath} has not come to its place`, { cause: error })
  }
}

/** In one turn. Whoever opens an old one from now on asks again. */
function goOver(state: LogState, old: readonly Segment[], segment: Segment, path: string): void {
  segment.path = path
  const [first] = old
  state.segments = state.segments.flatMap((one) =>
    one === first ? [segment] : old.includes(one) ? [] : [one],
  )
  for (const one of old) one.replaced = true
}

async function removeOld(
  host: LogHost,
  state: LogState,
  removed: RemovedFiles,
  old: readonly Segment[],
): Promise<void> {
  const renamed: string[] = []
  for (const [index, segment] of old.entries()) {
    // The log of the first one is replaced by the rename that follows.
    const paths = segment.paths.filter((path) => index > 0 || path !== segment.path)
    await removed.renameAway(segment, paths, renamed)
  }
  await host.env.disk.syncDirectory(state.directory)
  if (renamed.length > 0 && !state.dead) removed.later(renamed)
}

/** Its file gets the name of a segment. Readers who have it open go on; those who want to open it wait. */
async function settle({ files, env }: LogHost, segment: Segment, swapPath: string): Promise<void> {
  const path = segmentPath(segment, 'log')
  const renaming = env.disk.rename(swapPath, path)
  segment.moving = renaming.catch(() => undefined)
  try {
    await renaming
    segment.path = path
    // What is open under this name is the old one.
    files.drop(path)
    files.drop(swapPath)
  } finally {
    segment.moving = undefined
  }
}

/**
 * At a start: goes on with what a crash interrupted. False: there was nothing.
 *
 * Errors  DiskError.
 */
export async function finishSwaps(
  disk: Disk,
  directory: string,
  names: readonly string[],
): Promise<boolean> {
  const swaps = names.map(parseSwapName).filter((swap) => swap !== undefined)
  if (swaps.length === 0) return false
  for (const swap of swaps) {
    const old = names.filter((name) => isReplacedBy(swap, name))
    for (const name of old) await disk.removeFile(`${directory}/${name}`)
  }
  await disk.syncDirectory(directory)
  for (const { name, baseOffset } of swaps)
    await disk.rename(`${directory}/${name}`, segmentPath({ directory, baseOffset }, 'log'))
  await disk.syncDirectory(directory)
  return true
}

/** A crash interrupted one, and no start has gone on with it yet. */
export function isSwapUnderWay(names: readonly string[]): boolean {
  return names.some((name) => SWAP_NAME.test(name))
}

/** All files of the segments from base to end, but for the log that the rename replaces. */
function isReplacedBy({ baseOffset, nextOffset }: Swap, name: string): boolean {
  const parsed = parseSegmentName(name)
  if (parsed === undefined) return false
  if (parsed.baseOffset === baseOffset) return parsed.extension !== 'log'
  return parsed.baseOffset > baseOffset && parsed.baseOffset < nextOffset
}

const SWAP_NAME = /^(\d{20})\.log\.(\d{20})\.swap$/

function swapName(baseOffset: number, nextOffset: number): string {
  const digits = (offset: number) => String(offset).padStart(20, '0')
  return `${digits(baseOffset)}.log.${digits(nextOffset)}.swap`
}

function parseSwapName(name: string): Swap | undefined {
  const parts = SWAP_NAME.exec(name)
  if (parts === null) return undefined
  return { name, baseOffset: Number(parts[1]), nextOffset: Number(parts[2]) }
}
