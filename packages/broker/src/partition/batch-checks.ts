// What makes a batch unacceptable for a topic, whatever the state of its partition.
// Enters: one produced batch. Leaves: a definite refusal, or nothing. No per-record work, but on compacted topics.
import type { Clock, Compress } from '@minikafka/platform'
import { type BatchHeader, checkProducedBatch } from '@minikafka/protocol'
import { isCompacted, type TopicValues } from '../config/index.ts'
import { type Appended, definite } from './appended.ts'
import { whyKeyless } from './keys-required.ts'

export function whyMalformed(
  batch: Uint8Array,
  topic: string,
  values: TopicValues,
): Appended | undefined {
  const max = values['max.message.bytes']
  if (batch.length > max) {
    return definite(
      'MESSAGE_TOO_LARGE',
      `the batch has ${batch.length} bytes, ${topic} takes at most ${max}`,
    )
  }
  const wrong = checkProducedBatch(batch)
  return wrong && definite(wrong.error, wrong.message)
}

export function whyOutOfTime(
  { baseTimestamp, maxTimestamp }: BatchHeader,
  values: TopicValues,
  clock: Clock,
): Appended | undefined {
  if (values['message.timestamp.type'] === 'LogAppendTime') return undefined
  const nowMs = clock.wallMs()
  const before = values['message.timestamp.before.max.ms']
  const oldest = before === -1 ? 0 : nowMs - before
  const newest = nowMs + values['message.timestamp.after.max.ms']
  if (baseTimestamp >= oldest && maxTimestamp <= newest) return undefined
  const culprit = maxTimestamp > newest ? maxTimestamp : baseTimestamp
  return definite('INVALID_TIMESTAMP', `timestamp ${culprit} is outside ${oldest} to ${newest}`)
}

/** Only where the topic is compacted: elsewhere nobody looks at records. */
export function whyWithoutKeys(
  batch: Uint8Array,
  topic: string,
  values: TopicValues,
  compress: Compress,
): Appended | undefined {
  if (!isCompacted(values)) return undefined
  const refusal = whyKeyless(batch, compress, topic)
  return refusal && definite(refusal.error, refusal.message)
}
