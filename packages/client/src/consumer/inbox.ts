// What was fetched of one partition and not read yet: bytes, until the reader comes to them.
// Enters: blobs of answers. Leaves: batches, checked and decompressed, those hidden that no reader may see.
import type { Compress, CompressionName } from '@minikafka/platform'
import {
  BATCH_HEADER_SIZE,
  BatchReader,
  batchLastOffsetAt,
  batchLeaderEpochAt,
  batchSizeAt,
  isMinikafkaError,
  MinikafkaError,
} from '@minikafka/protocol'
import { type AbortedRange, AbortedTransactions } from './aborted.ts'

const COMPRESSIONS: readonly CompressionName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const COMPRESSION_POSITION = 22
const COMPRESSION_MASK = 0x07

/** Whole batches of one answer. */
type Blob = { readonly bytes: Uint8Array; position: number; readonly aborted: AbortedTransactions }

export type Arrival =
  | { readonly kind: 'batch'; readonly bytes: Uint8Array; readonly reader: BatchReader }
  | { readonly kind: 'hidden'; readonly bytes: Uint8Array; readonly reader: BatchReader }
  | { readonly kind: 'broken'; readonly bytes: Uint8Array; readonly error: MinikafkaError }

export class Inbox {
  readonly #compress: Compress
  readonly #prepared = new Set<number>([0])
  #blobs: Blob[] = []

  constructor(compress: Compress) {
    this.#compress = compress
  }

  get isEmpty(): boolean {
    return this.#blobs.length === 0
  }

  /**
   * Takes the blobs of one answer.
   *
   * Shape   `blobs`: given, and kept until they are read; their frame lives as long as a view of them.
   * Errors  CORRUPT_MESSAGE where a blob is no row of whole batches; nothing of it is taken.
   */
  take(
    blobs: readonly Uint8Array[],
    ranges: readonly AbortedRange[],
  ): { readonly sizeBytes: number; readonly nextOffset: number; readonly leaderEpoch: number } {
    const aborted = new AbortedTransactions(ranges)
    const taken = blobs.filter(({ length }) => length > 0)
    const ends = taken.map(lastBatchOf)
    let sizeBytes = 0
    let nextOffset = -1
    let leaderEpoch = -1
    for (const [index, bytes] of taken.entries()) {
      const last = ends[index] ?? 0
      nextOffset = batchLastOffsetAt(bytes, last) + 1
      leaderEpoch = batchLeaderEpochAt(bytes, last)
      sizeBytes += bytes.length
      this.#blobs.push({ bytes, position: 0, aborted })
    }
    return { sizeBytes, nextOffset, leaderEpoch }
  }

  /** The next batch; undefined: there is none. A promise where a codec has to be loaded first: then ask again. */
  next(): Arrival | undefined | Promise<void> {
    const blob = this.#blobs[0]
    if (blob === undefined) return undefined
    const { position } = blob
    const bytes = blob.bytes.subarray(position, position + batchSizeAt(blob.bytes, position))
    const compression = (bytes[COMPRESSION_POSITION] ?? 0) & COMPRESSION_MASK
    if (!this.#prepared.has(compression)) return this.#prepare(compression)
    blob.position += bytes.length
    if (blob.position >= blob.bytes.length) this.#blobs.shift()
    return this.#open(bytes, blob.aborted)
  }

  clear(): void {
    this.#blobs = []
  }

  #open(bytes: Uint8Array, aborted: AbortedTransactions): Arrival {
    try {
      const reader = new BatchReader(bytes, this.#compress)
      return { kind: aborted.hides(reader) ? 'hidden' : 'batch', bytes, reader }
    } catch (error) {
      if (!isMinikafkaError(error)) throw error
      return { kind: 'broken', bytes, error }
    }
  }

  async #prepare(compression: number): Promise<void> {
    // What cannot be loaded fails when it is used, in its place.
    await this.#compress.prepare(COMPRESSIONS[compression] ?? 'none').catch(() => undefined)
    this.#prepared.add(compression)
  }
}

/** Position of the last batch. */
function lastBatchOf(bytes: Uint8Array): number {
  let position = 0
  for (;;) {
    const left = bytes.length - position
    const size = left < BATCH_HEADER_SIZE ? 0 : batchSizeAt(bytes, position)
    if (size === left) return position
    if (size < BATCH_HEADER_SIZE || size > left) throw notBatches()
    position += size
  }
}

function notBatches(): MinikafkaError {
  return new MinikafkaError('CORRUPT_MESSAGE', {
    message: 'a fetch was answered with bytes that are no row of whole batches',
  })
}
