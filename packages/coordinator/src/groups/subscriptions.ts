// Which topics the members of a group subscribe to at this moment, and how that changed, in words.
// Enters: members, the topics there are. Leaves: topics per member, one hash over them all.
import { isMinikafkaError, MinikafkaError, murmur2 } from '@minikafka/protocol'
import type { TopicFacts, TopicsView } from './contract.ts'
import type { Group } from './group.ts'
import type { Subscriber } from './records.ts'
import { enumeration } from './words.ts'

export type Subscriptions = {
  /** In the order of topic ids; members with the same subscription share one list. */
  readonly topicsOf: ReadonlyMap<string, readonly TopicFacts[]>
  /** All of them, by name. */
  readonly topics: ReadonlyMap<string, TopicFacts>
  readonly hash: string
}

/** An expression that was accepted once and cannot be evaluated now. */
export type Unreadable = { readonly regex: string; readonly why: string }

/** Errors: as resolveSubscriptions; the group knows then which expression it was. */
export function subscriptionsOf(group: Group, view: TopicsView): Subscriptions {
  return resolveSubscriptions(group.members, view, (expression) => group.cannotRead(expression))
}

/** Errors: COORDINATOR_NOT_AVAILABLE, after `unreadable` was told why: it is not the fault of whoever asks. */
export function resolveSubscriptions(
  members: Iterable<readonly [string, Subscriber]>,
  view: TopicsView,
  unreadable: (expression: Unreadable) => void,
): Subscriptions {
  const lists = new Map<string, readonly TopicFacts[]>()
  const topicsOf = new Map<string, readonly TopicFacts[]>()
  const topics = new Map<string, TopicFacts>()
  for (const [memberId, member] of members) {
    // A line break is in no topic name.
    const subscription = `${member.regex}\n${member.topics.join('\n')}`
    let list = lists.get(subscription)
    if (list === undefined) {
      list = topicsFor(member, view, unreadable)
      lists.set(subscription, list)
      for (const topic of list) topics.set(topic.name, topic)
    }
    topicsOf.set(memberId, list)
  }
  return { topicsOf, topics, hash: topicsOf.size === 0 ? '' : hashOf(topics) }
}

/** Does not resolve the expression: whether it matches the topic is for the topic to come. */
export function mayConcern(member: Subscriber, topicName: string): boolean {
  return member.regex !== '' || member.topics.includes(topicName)
}

function topicsFor(
  { topics, regex }: Subscriber,
  view: TopicsView,
  unreadable: (expression: Unreadable) => void,
): readonly TopicFacts[] {
  const names = new Set(topics)
  if (regex !== '') for (const name of matches(regex, view, unreadable)) names.add(name)
  return [...names]
    .map((name) => view.byName(name))
    .filter((topic) => topic !== undefined)
    .sort((a, b) => (a.topicId < b.topicId ? -1 : 1))
}

function matches(
  regex: string,
  view: TopicsView,
  unreadable: (expression: Unreadable) => void,
): readonly string[] {
  try {
    return view.matching(regex, true)
  } catch (cause) {
    if (!isMinikafkaError(cause) || cause.name !== 'INVALID_REGULAR_EXPRESSION') throw cause
    unreadable({ regex, why: cause.message })
    const message = `a member whose expression /${regex}/ cannot be evaluated is about to be out: ${cause.message}`
    throw new MinikafkaError('COORDINATOR_NOT_AVAILABLE', { message }, { cause })
  }
}

/** 64 bits over names, ids and partition counts: two hashes of 32 of the text with different beginnings. */
function hashOf(topics: ReadonlyMap<string, TopicFacts>): string {
  const text = [...topics.values()]
    .map(({ name, topicId, partitionCount }) => `${name} ${topicId} ${partitionCount}`)
    .sort()
    .join('\n')
  const encoder = new TextEncoder()
  return ['a', 'b']
    .map((beginning) => (murmur2(encoder.encode(`${beginning}\n${text}`)) >>> 0).toString(16))
    .map((hash) => hash.padStart(8, '0'))
    .join('')
}

/** `before` undefined: this coordinator did not see what they were. */
export function describeChange(before: Subscriptions | undefined, after: Subscriptions): string {
  if (before === undefined) return 'the subscribed topics changed'
  const changes: string[] = []
  for (const [name, now] of after.topics) {
    const then = before.topics.get(name)
    if (then === undefined) changes.push(`topic ${name} appeared with ${count(now)}`)
    else if (then.topicId !== now.topicId) changes.push(`topic ${name} was deleted and made anew`)
    else if (then.partitionCount !== now.partitionCount)
      changes.push(`topic ${name} grew from ${then.partitionCount} to ${count(now)}`)
  }
  for (const name of before.topics.keys()) {
    if (!after.topics.has(name)) changes.push(`topic ${name} was deleted`)
  }
  return enumeration(changes)
}

function count({ partitionCount }: TopicFacts): string {
  return partitionCount === 1 ? '1 partition' : `${partitionCount} partitions`
}
