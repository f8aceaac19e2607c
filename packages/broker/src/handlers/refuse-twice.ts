// Each once: a request of a few bytes must not be answered with the same thing many times over, or search for it.
import { MinikafkaError } from '@minikafka/protocol'

/** Errors: INVALID_REQUEST. */
export function refuseTwice(
  partitions: readonly { readonly topicId: string; readonly partition: number }[],
): void {
  if (partitions.length < 2) return
  const seen = new Set<string>()
  for (const { topicId, partition } of partitions) {
    const key = `${topicId}-${partition}`
    if (seen.has(key)) {
      throw new MinikafkaError('INVALID_REQUEST', {
        message: `partition ${partition} of topic id ${topicId} is asked for twice`,
      })
    }
    seen.add(key)
  }
}
