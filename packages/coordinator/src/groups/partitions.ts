// A partition as one word, so that sets and maps of partitions are plain sets and maps.
// Enters: topic id and number, or the lists by topic of the protocol. Leaves: keys, and lists by topic in order.

/** `<topicId>:<partition>`. */
export type PartitionKey = string

export type PartitionsOfTopic = { readonly topicId: string; readonly partitions: readonly number[] }

export function partitionKey(topicId: string, partition: number): PartitionKey {
  return `${topicId}:${partition}`
}

export function splitKey(key: PartitionKey): { topicId: string; partition: number } {
  const colon = key.lastIndexOf(':')
  return { topicId: key.slice(0, colon), partition: Number(key.slice(colon + 1)) }
}

/** In the order of topic id and number, whatever the order of `keys`. */
export function byTopic(keys: Iterable<PartitionKey>): PartitionsOfTopic[] {
  const lists = new Map<string, number[]>()
  for (const key of keys) {
    const { topicId, partition } = splitKey(key)
    const list = lists.get(topicId)
    if (list === undefined) lists.set(topicId, [partition])
    else list.push(partition)
  }
  return [...lists]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([topicId, partitions]) => ({ topicId, partitions: partitions.sort((a, b) => a - b) }))
}

export function keysOf(topics: readonly PartitionsOfTopic[]): Set<PartitionKey> {
  const keys = new Set<PartitionKey>()
  for (const { topicId, partitions } of topics) {
    for (const partition of partitions) keys.add(partitionKey(topicId, partition))
  }
  return keys
}
