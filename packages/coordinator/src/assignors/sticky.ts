// `sticky`: balance first, then as few moves from the previous target as possible (REPLICATION 2.13.4).
// Enters: members and what each was to have. Leaves: what each shall have. With equal topics, here, sizes differ by one at
// most and no fewer moves are possible; different topics are sticky-uneven.ts.
import type { PartitionKey } from '../groups/partitions.ts'
import {
  type AssigningMember,
  type Assignment,
  keysOfTopic,
  type Previous,
  previousOwners,
  topicsOf,
} from './assignor.ts'
import { stickyUneven } from './sticky-uneven.ts'

export function sticky(members: readonly AssigningMember[], previous: Previous): Assignment {
  return haveEqualTopics(members) ? stickyEven(members, previous) : stickyUneven(members, previous)
}

function haveEqualTopics(members: readonly AssigningMember[]): boolean {
  const first = members[0]?.topics ?? []
  return members.every(
    ({ topics }) =>
      topics === first ||
      (topics.length === first.length &&
        topics.every(({ topicId }, index) => topicId === first[index]?.topicId)),
  )
}

function stickyEven(members: readonly AssigningMember[], previous: Previous): Assignment {
  const keys = topicsOf(members).flatMap(keysOfTopic)
  const kept = keptLists(members, keys, previous)
  const sizes = sizesOf(kept, keys.length)
  const lists = kept.map((list, index) => list.slice(0, sizes[index]))
  const taken = new Set(lists.flat())
  const pool = keys.filter((key) => !taken.has(key))
  let from = 0
  for (const [index, list] of lists.entries()) {
    const missing = (sizes[index] as number) - list.length
    list.push(...pool.slice(from, from + missing))
    from += missing
  }
  return new Map(members.map(({ memberId }, index) => [memberId, new Set(lists[index])]))
}

/** What of `keys` each member had, in their order; what two had, the first one. */
function keptLists(
  members: readonly AssigningMember[],
  keys: readonly PartitionKey[],
  previous: Previous,
): PartitionKey[][] {
  const lists: PartitionKey[][] = members.map(() => [])
  const ownerIndexes = previousOwners(members, previous)
  for (const key of keys) {
    const index = ownerIndexes.get(key)
    if (index !== undefined) lists[index]?.push(key)
  }
  return lists
}

/** How many each gets. Those that had most get one more where it does not come out even: it costs the fewest moves. */
function sizesOf(kept: readonly PartitionKey[][], total: number): number[] {
  const sizeMin = Math.floor(total / kept.length)
  const sizes = kept.map(() => sizeMin)
  const byCount = kept
    .map((list, index) => ({ count: list.length, index }))
    .sort((a, b) => b.count - a.count || a.index - b.index)
  for (const { index } of byCount.slice(0, total % kept.length)) sizes[index] = sizeMin + 1
  return sizes
}
