// The topics of a soak that live as long as it does. Retention is at work on both that grow.
import type { Client } from '@minikafka/client'

const MEBIBYTE = 1024 ** 2
export const LOADED = 'loaded'
export const PROBED = 'probed'

export async function createTopics(client: Client): Promise<void> {
  const admin = client.admin()
  const rolling = (bytes: number) => ({
    'segment.bytes': bytes,
    'retention.bytes': 4 * bytes,
    'file.delete.delay.ms': 1_000,
  })
  await admin.createTopic(LOADED, { partitions: 6, config: rolling(16 * MEBIBYTE) })
  await admin.createTopic(PROBED, { partitions: 1, config: rolling(MEBIBYTE) })
}
