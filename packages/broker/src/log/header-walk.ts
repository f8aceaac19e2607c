// Goes over the batches of one segment file. Enters: a file and where to begin. Leaves: each header, and where the chain breaks.
import type { File } from '@minikafka/platform'
import { BATCH_HEADER_SIZE, batchCrcIsRight, batchSizeAt } from '@minikafka/protocol'
import type { BatchChain } from './batch-chain.ts'
import { FileWindow } from './file-window.ts'

/** Enough for the headers of small batches; of large ones little more than the header is read. */
const HEADERS_WINDOW_SIZE = 64 * 1024
/** For the CRC every byte is read: large sequential reads. */
const SCAN_WINDOW_SIZE = 2 * 1024 * 1024

/** The first batch that does not follow. */
export type ChainBreak = {
  /** Where it begins in the file. */
  readonly position: number
  /** The offset that should have come there. */
  readonly offset: number
  /** What is wrong: a clause. */
  readonly reason: string
}

/** Called for each good batch: `bytes` holds its header at `at`, and all of it in a scan. False: stop. */
export type BatchVisit = (bytes: Buffer, at: number, position: number) => boolean | undefined

export type WalkRange = { readonly from: number; readonly end: number }

/**
 * Visits the headers in `range` of a file.
 *
 * Shape   `chain` expects the batch at `range.from`. `range.end`: size of the whole batches in the file.
 * Errors  DiskError.
 * Holds   undefined: it reached the end, or `visit` stopped it.
 */
export function walkHeaders(
  file: File,
  range: WalkRange,
  chain: BatchChain,
  visit: BatchVisit,
): Promise<ChainBreak | undefined> {
  return walk(file, range, chain, { windowSize: HEADERS_WINDOW_SIZE, checksCrc: false, visit })
}

/** As `walkHeaders`, and checks the CRC of every batch. */
export function scanBatches(
  file: File,
  range: WalkRange,
  chain: BatchChain,
  visit: BatchVisit,
): Promise<ChainBreak | undefined> {
  return walk(file, range, chain, { windowSize: SCAN_WINDOW_SIZE, checksCrc: true, visit })
}

async function walk(
  file: File,
  range: WalkRange,
  chain: BatchChain,
  how: { windowSize: number; checksCrc: boolean; visit: BatchVisit },
): Promise<ChainBreak | undefined> {
  const window = new FileWindow(file, range.end, how.windowSize)
  let position = range.from
  while (position < range.end) {
    const offset = chain.nextOffset
    const bytesLeft = range.end - position
    if (bytesLeft < BATCH_HEADER_SIZE) {
      return { position, offset, reason: `${bytesLeft} bytes, less than a header` }
    }
    // Waiting for what is there already would cost a turn per header.
    const header = window.need(position, BATCH_HEADER_SIZE)
    let at = header instanceof Promise ? await header : header
    if (at === undefined) return { position, offset, reason: 'the file ends early' }
    const reason = chain.step(window.buffer, at, bytesLeft)
    if (reason !== undefined) return { position, offset, reason }
    const size = batchSizeAt(window.buffer, at)
    if (how.checksCrc) {
      const whole = window.need(position, size)
      at = whole instanceof Promise ? await whole : whole
      if (at === undefined) return { position, offset, reason: 'the file ends early' }
      if (!batchCrcIsRight(window.buffer, at)) return { position, offset, reason: 'a wrong CRC' }
    }
    if (how.visit(window.buffer, at, position) === false) return undefined
    position += size
  }
  return undefined
}
