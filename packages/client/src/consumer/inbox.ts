// What was fetched of one partition and not read yet: bytes, until the reader comes to them.
// Enters: blobs of answers. Leaves: batches, checked and decompressed, those hidden that no reader may see, and
// what does not come, in its place.
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
type Blob = {
  readonly bytes: Uint8Array
  position: number
  readonly aborted: AbortedTransactions
  readonly gapsBelow: number
}

/** Offsets that do not come: with an error where the reader has to be told. */
export type Missing = {
  readonly offset: number
  readonly nextOffset: number
  readonly error: MinikafkaError | undefined
}

export type Arrival =
  | {
      readonly kind: 'batch' | 'hidden'
      readonly bytes: Uint8Array
      readonly reader: BatchReader
      /** Below it batches may be apart, for the log was compacted. */
      readonly gapsBelow: number
    }
  | { readonly kind: 'broken'; readonly bytes: Uint8Array; readonly error: MinikafkaError }
  | { readonly kind: 'missing'; readonly missing: Missing }

export type Answer = {
  readonly blobs: readonly Uint8Array[]
  readonly aborted: readonly AbortedRange[]
  readonly gapsBelow: number
}

export class Inbox {
  readonly #compress: Compress
  readonly #prepared = new Set<number>([0])
  #line: (Blob | Missing)[] = []

  constructor(compress: Compress) {
    this.#compress = compress
  }

  get isEmpty(): boolean {
    return this.#line.length === 0
  }

  /** Where reading goes on where nothing comes before that, and nothing has to be told; undefined: there is more. */
  get jump(): number | undefined {
    const first = this.#line[0]
    const isJump = first !== undefined && 'nextOffset' in first && first.error === undefined
    return isJump ? first.nextOffset : undefined
  }

  /**
   * Takes the blobs of one answer to a fetch from `fetchOffset`.
   *
   * Shape   `blobs`: given, and kept until they are read; their frame lives as long as a view of them.
   * Errors  CORRUPT_MESSAGE where a blob is no row of whole batches, or all end below `fetchOffset`, so that asking
   *         on would ask the same for ever; nothing is taken.
   */
  take(
    { blobs, aborted: ranges, gapsBelow }: Answer,
    fetchOffset: number,
  ): { readonly sizeBytes: number; readonly nextOffset: number; readonly leaderEpoch: number } {
    const aborted = new AbortedTransactions(ranges)
    const taken = blobs.filter(({ length }) => length > 0)
    const ends = taken.map(lastBatchOf)
    const bytes = taken.at(-1)
    if (bytes === undefined) return { sizeBytes: 0, nextOffset: -1, leaderEpoch: -1 }
    const last = ends.at(-1) ?? 0
    const nextOffset = batchLastOffsetAt(bytes, last) + 1
    if (nextOffset <= fetchOffset) throw endsEarly(nextOffset)
    for (const blob of taken) this.#line.push({ bytes: blob, position: 0, aborted, gapsBelow })
    const sizeBytes = taken.reduce((sum, { length }) => sum + length, 0)
    return { sizeBytes, nextOffset, leaderEpoch: batchLeaderEpochAt(bytes, last) }
  }

  /** Behind all that is here. */
  miss(missing: Missing): void {
    this.#line.push(missing)
  }

  /** The next batch; undefined: there is none. A promise where a codec has to be loaded first: then ask again. */
  next(): Arrival | undefined | Promise<void> {
    const blob = this.#line[0]
    if (blob === undefined) return undefined
    if ('nextOffset' in blob) {
      this.#line.shift()
      return { kind: 'missing', missing: blob }
    }
    const { position } = blob
    const bytes = blob.bytes.subarray(position, position + batchSizeAt(blob.bytes, position))
    const compression = (bytes[COMPRESSION_POSITION] ?? 0) & COMPRESSION_MASK
    if (!this.#prepared.has(compression)) return this.#prepare(compression)
    blob.position += bytes.length
    if (blob.position >= blob.bytes.length) this.#line.shift()
    return this.#open(bytes, blob)
  }

  clear(): void {
    this.#line = []
  }

  #open(bytes: Uint8Array, { aborted, gapsBelow }: Blob): Arrival {
    try {
      const reader = new BatchReader(bytes, this.#compress)
      if (aborted.hides(reader)) return { kind: 'hidden', bytes, reader, gapsBelow }
      const { baseOffset, lastOffsetDelta, recordCount } = reader.header
      // Offsets ascend, so that one is left out exactly where there are fewer records than offsets.
      if (baseOffset >= gapsBelow && recordCount !== lastOffsetDelta + 1) throw leavesOut(reader)
      return { kind: 'batch', bytes, reader, gapsBelow }
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

function leavesOut({ header }: BatchReader): MinikafkaError {
  const { baseOffset, lastOffset, recordCount } = header
  return new MinikafkaError('INVALID_RECORD', {
    message: `the batch from ${baseOffset} to ${lastOffset} has ${recordCount} records, and was not compacted`,
    offset: baseOffset,
  })
}

function endsEarly(nextOffset: number): MinikafkaError {
  return new MinikafkaError('CORRUPT_MESSAGE', {
    message: `a fetch was answered with batches that end at ${nextOffset}, below the offset asked for`,
  })
}

function notBatches(): MinikafkaError {
  return new MinikafkaError('CORRUPT_MESSAGE', {
    message: 'a fetch was answered with bytes that are no row of whole batches',
  })
}
