// Reads a segment file for people: batch by batch, and on after a wrong CRC, which recovery does not. Changes nothing.
// Enters: an open file. Leaves: facts.
import type { File } from '@minikafka/platform'
import { BATCH_HEADER_SIZE, batchCrcIsRight, batchSizeAt } from '@minikafka/protocol'
import type { BatchChain } from './batch-chain.ts'
import { FileWindow } from './file-window.ts'
import type { ChainBreak } from './header-walk.ts'

const WINDOW_SIZE = 1024 * 1024

export type InspectedBatch = {
  readonly kind: 'batch'
  readonly position: number
  /** A view, valid until the next fact: the whole batch, or its header alone in a shallow inspection. */
  readonly bytes: Buffer
  /** undefined: it was not looked at. */
  readonly crcIsRight: boolean | undefined
}

/** Nothing can be read from here on. */
export type InspectedBreak = { readonly kind: 'break'; readonly at: ChainBreak }

/**
 * Every batch of a file, until one does not follow.
 *
 * Shape   `chain` expects the first batch. `whole`: read all bytes and check CRCs; otherwise headers alone.
 * Errors  DiskError.
 */
export async function* inspectSegment(
  file: File,
  size: number,
  chain: BatchChain,
  whole: boolean,
): AsyncGenerator<InspectedBatch | InspectedBreak> {
  const window = new FileWindow(file, size, WINDOW_SIZE)
  let position = 0
  while (position < size) {
    const offset = chain.nextOffset
    const broken = (reason: string): InspectedBreak => ({
      kind: 'break',
      at: { position, offset, reason },
    })
    const bytesLeft = size - position
    if (bytesLeft < BATCH_HEADER_SIZE) return yield broken(`${bytesLeft} bytes, less than a header`)
    const header = await window.need(position, BATCH_HEADER_SIZE)
    if (header === undefined) return yield broken('the file ends early')
    const reason = chain.step(window.buffer, header, bytesLeft)
    if (reason !== undefined) return yield broken(reason)
    const batchSize = batchSizeAt(window.buffer, header)
    const shownSize = whole ? batchSize : BATCH_HEADER_SIZE
    const at = await window.need(position, shownSize)
    if (at === undefined) return yield broken('the file ends early')
    const bytes = window.buffer.subarray(at, at + shownSize)
    const crcIsRight = whole ? batchCrcIsRight(bytes) : undefined
    yield { kind: 'batch', position, bytes, crcIsRight }
    position += batchSize
  }
}
