// The records of one decision as one batch, which is written whole or not at all (REPLICATION 2.13.1).
// Enters: keys and values. Leaves: a sealed batch with memory of its own.
import type { Compress } from '@minikafka/platform'
import { BATCH_HEADER_SIZE, BatchWriter } from '@minikafka/protocol'

type KeyAndValue = { readonly key: Uint8Array; readonly value: Uint8Array | null }

const NO_PRODUCER = { producerId: -1, producerEpoch: -1, baseSequence: -1 } as const

export function decisionBatch(
  compress: Compress,
  wallMs: number,
  records: readonly KeyAndValue[],
): Buffer {
  let size = BATCH_HEADER_SIZE
  for (const { key, value } of records)
    size += BatchWriter.recordSizeMax(key, value, undefined) - BATCH_HEADER_SIZE
  // Not of the pool: the log keeps it, with its whole ArrayBuffer.
  const writer = new BatchWriter(Buffer.allocUnsafeSlow(size))
  for (const { key, value } of records) writer.tryAppend(wallMs, key, value, undefined)
  return writer.seal(compress, { compression: 'none', ...NO_PRODUCER })
}
