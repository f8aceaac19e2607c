// What an assignor is: who shall have which partition, as a pure function (REPLICATION 2.13.4).
// Enters: the members with the topics they subscribe to, and what each was to have before. Leaves: what each shall have.
import type { TopicFacts } from '../groups/contract.ts'
import { type PartitionKey, partitionKey } from '../groups/partitions.ts'

export type AssigningMember = {
  readonly memberId: string
  readonly instanceId: string | null
  /** Those there are, in the order of their ids, each once. */
  readonly topics: readonly TopicFacts[]
}

export type Previous = ReadonlyMap<string, ReadonlySet<PartitionKey>>

/** Every member is in it, also one that gets nothing. */
export type Assignment = Map<string, Set<PartitionKey>>

/** `members` are in `inOrder`. The same arguments give the same result, whatever the order of the sets. */
export type Assignor = (members: readonly AssigningMember[], previous: Previous) => Assignment

/** Static members first: they keep their place when they come back under another member id. */
export function inOrder(members: readonly AssigningMember[]): AssigningMember[] {
  return [...members].sort((a, b) => {
    if (a.instanceId === null || b.instanceId === null) {
      if (a.instanceId !== b.instanceId) return a.instanceId === null ? 1 : -1
      return a.memberId < b.memberId ? -1 : 1
    }
    return a.instanceId < b.instanceId ? -1 : 1
  })
}

/** All topics that somebody subscribes to, in the order of their ids. */
export function topicsOf(members: readonly AssigningMember[]): TopicFacts[] {
  const byId = new Map<string, TopicFacts>()
  let last: readonly TopicFacts[] | undefined
  for (const { topics } of members) {
    // Members with the same subscription share one list.
    if (topics !== last) for (const topic of topics) byId.set(topic.topicId, topic)
    last = topics
  }
  return [...byId.values()].sort((a, b) => (a.topicId < b.topicId ? -1 : 1))
}

/** The indexes of the members that subscribe to it, by topic id. */
export function subscribersOf(members: readonly AssigningMember[]): Map<string, number[]> {
  const subscribers = new Map<string, number[]>()
  for (const [index, { topics }] of members.entries()) {
    for (const { topicId } of topics) {
      const list = subscribers.get(topicId)
      if (list === undefined) subscribers.set(topicId, [index])
      else list.push(index)
    }
  }
  return subscribers
}

export function keysOfTopic({ topicId, partitionCount }: TopicFacts): PartitionKey[] {
  return Array.from({ length: partitionCount }, (_, number) => partitionKey(topicId, number))
}

/** Index of the member that was to have it; of two, the first. */
export function previousOwners(
  members: readonly AssigningMember[],
  previous: Previous,
): Map<PartitionKey, number> {
  const owners = new Map<PartitionKey, number>()
  for (const [index, { memberId }] of members.entries()) {
    for (const key of previous.get(memberId) ?? []) if (!owners.has(key)) owners.set(key, index)
  }
  return owners
}
