// Reads a partition of a state machine from its log start up to its high watermark, in bounded memory.
// Enters: a partition that is led. Leaves: each record, in order; how many there were.
import type { Env } from '@minikafka/platform'
import { BatchReader, batchSizeAt, MinikafkaError } from '@minikafka/protocol'
import type { Partition } from '../partition/index.ts'
import type { RecordCodec } from './machine.ts'

/** So much is replayed before others get their turn: about 5 ms. */
const SLICE_BYTES = 256 * 1024

export type Loaded = { readonly records: number; readonly bytes: number }

/**
 * Replays what is committed. `isCurrent` false: it stops, for what was read is of no use any more.
 *
 * Errors  what the log throws; CORRUPT_MESSAGE, INVALID_RECORD; what `replay` and the codec throw, with the offset.
 */
export async function loadLog<Change>(
  env: Env,
  partition: Partition,
  parts: {
    readonly codec: RecordCodec<Change>
    readonly replay: (offset: number, record: Change) => void
    readonly isCurrent: () => boolean
    /** Aborts when `isCurrent` becomes false, or later. */
    readonly signal: AbortSignal
  },
): Promise<Loaded> {
  await committedEnd(partition, parts.signal)
  const end = partition.highWatermark
  let records = 0
  let bytes = 0
  let from = partition.log?.logStartOffset ?? end
  while (from < end && parts.isCurrent()) {
    const slice = await partition.read(from, end, SLICE_BYTES, true)
    if (slice.nextOffset <= from)
      throw new MinikafkaError('KAFKA_STORAGE_ERROR', {
        message: `${partition.topic}-${partition.number} cannot be read at offset ${from}`,
      })
    for (const buffer of slice.buffers) records += replayBatches(env, buffer, from, parts)
    bytes += slice.bytes
    from = slice.nextOffset
    await new Promise<void>((resolve) => env.clock.soon(resolve))
  }
  return { records, bytes }
}

/** The high watermark says nothing before it has reached the start of the leader's epoch (REPLICATION 2.4). */
async function committedEnd(partition: Partition, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && partition.highWatermark < partition.leaderEpochStartOffset) {
    const { offline } = partition
    if (offline !== undefined) throw new MinikafkaError(offline.error, { message: offline.message })
    await news(partition, signal)
  }
}

/** Also when the broker stops, or another one leads: the high watermark may never move again then. */
function news(partition: Partition, signal: AbortSignal): Promise<void> {
  return new Promise<void>((resolve) => {
    const stop = () => {
      unsubscribe()
      signal.removeEventListener('abort', stop)
      resolve()
    }
    const unsubscribe = partition.onReadable(stop)
    signal.addEventListener('abort', stop)
  })
}

function replayBatches<Change>(
  env: Env,
  buffer: Uint8Array,
  from: number,
  { codec, replay }: Pick<Parameters<typeof loadLog<Change>>[2], 'codec' | 'replay'>,
): number {
  let records = 0
  for (let at = 0; at < buffer.length; ) {
    const size = batchSizeAt(buffer, at)
    const reader = new BatchReader(buffer.subarray(at, at + size), env.compress)
    reader.skipTo(from)
    while (reader.next()) {
      replayOne(reader, codec, replay)
      records++
    }
    at += size
  }
  return records
}

function replayOne<Change>(
  reader: BatchReader,
  codec: RecordCodec<Change>,
  replay: (offset: number, record: Change) => void,
): void {
  const { body, keyStart, keySize, valueStart, valueSize } = reader
  const key = body.subarray(keyStart, keyStart + Math.max(keySize, 0))
  const value = valueSize < 0 ? null : body.subarray(valueStart, valueStart + valueSize)
  const record = codec.decode(key, value)
  if (record !== undefined) replay(reader.offset, record)
}
