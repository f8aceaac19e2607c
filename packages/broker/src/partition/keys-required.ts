// What a compacted topic asks of a batch beyond its header: records that can be read, each with a key.
// Enters: a batch whose CRC is right. Leaves: nothing, or why it is refused. The one place where a broker reads records.
import type { Compress, CompressionName } from '@minikafka/platform'
import { BatchReader, type ErrorName, isMinikafkaError } from '@minikafka/protocol'

const CODECS: readonly CompressionName[] = ['gzip', 'snappy', 'lz4', 'zstd']

/** Loads every codec: `whyKeyless` must not wait, for batches would overtake one another. */
export async function prepareToRead(compress: Compress): Promise<void> {
  await Promise.all(CODECS.map((name) => compress.prepare(name)))
}

/** Source: Kafka LogValidator, which refuses null keys of compacted topics. SECURITY, rows 43 and 44. */
export function whyKeyless(
  batch: Uint8Array,
  compress: Compress,
  topic: string,
): { readonly error: ErrorName; readonly message: string } | undefined {
  try {
    const reader = new BatchReader(batch, compress)
    for (let index = 0; reader.next(); index++)
      if (reader.keySize < 0) return { error: 'INVALID_RECORD', message: keyless(topic, index) }
  } catch (error) {
    if (!isMinikafkaError(error)) throw error
    return { error: error.name, message: error.message }
  }
  return undefined
}

function keyless(topic: string, index: number): string {
  return (
    `record ${index} of the batch has no key, and ${topic} is compacted: of each key its last record is kept. ` +
    'Give every record a key, or use a topic with cleanup.policy=delete'
  )
}
