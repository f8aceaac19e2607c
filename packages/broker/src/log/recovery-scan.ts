// Checks every batch of the segments that the floor does not vouch for. Enters: segments about which nothing is known but
// their size. Leaves: the same segments with all they need to know, up to the first batch that is not right.
import {
  batchBaseOffsetAt,
  batchLastOffsetAt,
  batchLeaderEpochAt,
  batchSizeAt,
} from '@minikafka/protocol'
import { BatchChain, type ChainRules } from './batch-chain.ts'
import { type ChainBreak, scanBatches } from './header-walk.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import type { LogHost } from './log-host.ts'
import type { Segment } from './segment.ts'

/** What a scan is about: a segment without knowledge, and how long its file is. */
export type Unscanned = { readonly segment: Segment; readonly fileSize: number }

export type ScanOptions = {
  readonly rules: ChainRules
  readonly indexIntervalBytes: number
  /** Gets the epochs that it lacks. */
  readonly epochs: LeaderEpochs
  readonly onProgress: (doneBytes: number, totalBytes: number) => void
  /** Called for every good batch. */
  readonly onBatch: ((bytes: Uint8Array, at: number) => void) | undefined
}

export type ScanResult = {
  readonly scannedBytes: number
  /** The log ends here. */
  readonly endOffset: number
  /** The first batch that is not right, and in which of the segments. */
  readonly broken: { readonly index: number; readonly at: ChainBreak } | undefined
}

/**
 * Scans segments in order and stops at the first batch that does not follow.
 *
 * Errors  DiskError: a file cannot be read.
 * Holds   yields to the loop at every read. Nothing is written.
 */
export async function scanSegments(
  host: LogHost,
  unscanned: readonly Unscanned[],
  options: ScanOptions,
): Promise<ScanResult> {
  const [first] = unscanned
  const chain = new BatchChain(first?.segment.baseOffset ?? 0, -1, options.rules)
  const progress = new ScanProgress(unscanned, options.onProgress)
  for (const [index, { segment, fileSize }] of unscanned.entries()) {
    const broken =
      startBreak(segment, chain) ??
      (await scanSegment(host, { segment, fileSize }, chain, options, progress))
    if (broken === undefined) continue
    const at = { index, at: broken }
    return { scannedBytes: progress.doneBytes, endOffset: broken.offset, broken: at }
  }
  return { scannedBytes: progress.doneBytes, endOffset: chain.nextOffset, broken: undefined }
}

/** A segment begins where the one before it ends, or behind a gap that compaction or a repair left. */
function startBreak({ baseOffset }: Segment, chain: BatchChain): ChainBreak | undefined {
  const { nextOffset: offset } = chain
  if (chain.follows(baseOffset)) {
    chain.nextOffset = baseOffset
    return undefined
  }
  return {
    position: 0,
    offset,
    reason: `a segment that begins at ${baseOffset} instead of ${offset}`,
  }
}

async function scanSegment(
  host: LogHost,
  { segment, fileSize }: Unscanned,
  chain: BatchChain,
  options: ScanOptions,
  progress: ScanProgress,
): Promise<ChainBreak | undefined> {
  if (fileSize === 0) return undefined
  const open = await host.files.acquire(segment.path)
  try {
    return await scanBatches(open.file, { from: 0, end: fileSize }, chain, (bytes, at) => {
      const baseOffset = batchBaseOffsetAt(bytes, at)
      const nextOffset = batchLastOffsetAt(bytes, at) + 1
      segment.note(bytes, at, { baseOffset, nextOffset }, options.indexIntervalBytes)
      options.epochs.noteScanned(batchLeaderEpochAt(bytes, at), baseOffset)
      options.onBatch?.(bytes, at)
      progress.add(batchSizeAt(bytes, at))
      return undefined
    })
  } finally {
    host.files.release(open)
  }
}

class ScanProgress {
  doneBytes = 0
  readonly #totalBytes: number
  readonly #tell: (doneBytes: number, totalBytes: number) => void
  #toldBytes = 0

  constructor(
    unscanned: readonly Unscanned[],
    tell: (doneBytes: number, totalBytes: number) => void,
  ) {
    this.#totalBytes = unscanned.reduce((sum, { fileSize }) => sum + fileSize, 0)
    this.#tell = tell
  }

  /** Tells at every hundredth. */
  add(bytes: number): void {
    this.doneBytes += bytes
    if (this.doneBytes - this.#toldBytes < this.#totalBytes / 100) return
    this.#toldBytes = this.doneBytes
    this.#tell(this.doneBytes, this.#totalBytes)
  }
}
