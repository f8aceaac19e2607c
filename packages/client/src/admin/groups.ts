// What an admin does with groups: who is in one, how far behind it is, and ending it.
import { type Apis, MinikafkaError, nearest, type ResponseOf } from '@minikafka/protocol'
import { errorOf, type ItemResult } from '../answers.ts'
import type { Deadline } from '../core/index.ts'
import { fetchAllCommitted, type Place } from '../group/index.ts'
import type { PartitionLag, Partitions, TopicPartition } from '../words.ts'
import { describeCluster } from './cluster.ts'
import type { GroupDescription, GroupMember, GroupSummary } from './group-types.ts'
import { type LagPlace, lagsAt } from './lags.ts'
import { offsetsOf } from './offsets.ts'
import type { Requests } from './requests.ts'

type DescribedGroup = ResponseOf<Apis['consumerGroupDescribe']>['groups'][number]
type DescribedMember = DescribedGroup['members'][number]
type Held = DescribedMember['assigned']

const READ_COMMITTED = 1

/** Of all brokers, in name order. */
export async function listGroups(requests: Requests, deadline: Deadline): Promise<GroupSummary[]> {
  const { brokers } = await describeCluster(requests, deadline)
  const lists = brokers.map(({ nodeId }) =>
    requests.call('listGroups', { states: [] }, nodeId, deadline),
  )
  const groups = (await Promise.all(lists)).flatMap((answer) => answer.groups)
  return groups
    .map(({ groupId, type, state }) => ({ group: groupId, type, state }))
    .sort((a, b) => (a.group < b.group ? -1 : 1))
}

/** Errors: GROUP_ID_NOT_FOUND, naming the nearest. */
export async function describeGroup(
  requests: Requests,
  group: string,
  deadline: Deadline,
): Promise<GroupDescription> {
  const described = await findGroup(requests, group, deadline)
  if (described === undefined) throw await noSuchGroup(requests, group, deadline)
  const { members, groupId: _, errorCode: _code, errorMessage: _words, ...rest } = described
  const held = members.flatMap(({ assigned, revoking, target }) => [assigned, revoking, target])
  await learn(requests, held.flat(), deadline)
  return { group, ...rest, members: members.map((member) => memberOf(requests, member)) }
}

/** undefined: there is no such group. */
export async function findGroup(
  requests: Requests,
  group: string,
  deadline: Deadline,
): Promise<DescribedGroup | undefined> {
  const { core } = requests
  return await requests.retry(deadline, async () => {
    const request = { groupIds: [group] }
    const wait = waitOf(deadline)
    const answer = await core.coordinators.ask('consumerGroupDescribe', group, request, wait)
    const described = answer.groups[0]
    const error = described && errorOf(described)
    if (error?.name === 'GROUP_ID_NOT_FOUND') return undefined
    if (error !== undefined) throw error
    return described
  })
}

async function noSuchGroup(
  requests: Requests,
  group: string,
  deadline: Deadline,
): Promise<MinikafkaError> {
  const names = (await listGroups(requests, deadline)).map((one) => one.group)
  const near = nearest(group, names)
  const hint = near === undefined ? '' : `; did you mean '${near}'?`
  return new MinikafkaError('GROUP_ID_NOT_FOUND', {
    message: `there is no group '${group}'${hint}`,
  })
}

function memberOf(requests: Requests, member: DescribedMember): GroupMember {
  const { subscribedTopicNames, subscribedTopicRegex, sessionLeftMs, revokeLeftMs, ...rest } =
    member
  return {
    ...rest,
    topics: subscribedTopicNames,
    pattern: subscribedTopicRegex,
    assigned: namedOf(requests, member.assigned),
    revoking: namedOf(requests, member.revoking),
    target: namedOf(requests, member.target),
    sessionLeftMs: sessionLeftMs < 0 ? undefined : sessionLeftMs,
    revokeLeftMs: revokeLeftMs < 0 ? undefined : revokeLeftMs,
  }
}

function namedOf({ core }: Requests, held: Held): Partitions {
  return held.flatMap(({ topicId, partitions }) => {
    const topic = core.metadata.topicById(topicId)?.name ?? topicId
    return partitions.map((partition) => ({ topic, partition }))
  })
}

/** The names of topics, where they are not known. */
async function learn(
  { core }: Requests,
  topics: readonly { readonly topicId: string }[],
  deadline: Deadline,
): Promise<void> {
  const ids = new Set(topics.map(({ topicId }) => topicId))
  const unknown = [...ids].filter((topicId) => core.metadata.topicById(topicId) === undefined)
  if (unknown.length > 0) await deadline.hold(core.metadata.learn(unknown))
}

// --- how far behind ------------------------------------------------------------------------------

/** Where something is committed, and what a member has and has not committed in: from its start, for that is unread. */
export async function groupLag(
  requests: Requests,
  group: string,
  deadline: Deadline,
): Promise<PartitionLag[]> {
  const { core } = requests
  const described = await findGroup(requests, group, deadline)
  if (described === undefined) throw await noSuchGroup(requests, group, deadline)
  return await requests.retry(deadline, async () => {
    const committed = await committedOf(requests, group, deadline)
    const given = described.members.flatMap(({ assigned }) => assigned)
    await learn(requests, given, deadline)
    const keys = new Set(committed.map(({ topic, partition }) => `${topic}-${partition}`))
    const bare = namedOf(requests, given).filter(
      ({ topic, partition }) => !keys.has(`${topic}-${partition}`),
    )
    const places = committed.map((one): LagPlace => ({ ...one, from: one.committed }))
    const unread = await Promise.all(bare.map((at) => fromStart(requests, at, deadline)))
    return await lagsAt(core, READ_COMMITTED, [...places, ...unread].sort(byPlace), deadline)
  })
}

export type Committed = TopicPartition & { readonly topicId: string; readonly committed: number }

/** Every position of the group in topics that are still there. */
export async function committedOf(
  requests: Requests,
  group: string,
  deadline: Deadline,
): Promise<Committed[]> {
  const { core } = requests
  const positions = await fetchAllCommitted(core, group, deadline)
  await learn(requests, positions, deadline)
  return positions.flatMap(({ topicId, partition, offset: committed }) => {
    const topic = core.metadata.topicById(topicId)?.name
    return topic === undefined ? [] : [{ topic, topicId, partition, committed }]
  })
}

async function fromStart(
  { core }: Requests,
  { topic, partition }: TopicPartition,
  deadline: Deadline,
): Promise<LagPlace> {
  const info = await core.metadata.topic(topic, { ...waitOf(deadline), create: false })
  const question = { topic: info, partitions: [partition] }
  const starts = await offsetsOf(core, question, 'earliest', deadline)
  return { topic, partition, committed: undefined, from: starts.get(partition) ?? 0 }
}

export function byPlace(a: TopicPartition, b: TopicPartition): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  return a.partition - b.partition
}

// --- ending ----------------------------------------------------------------------------------------

/** Errors: NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND. */
export async function deleteGroup(
  requests: Requests,
  group: string,
  deadline: Deadline,
): Promise<void> {
  await requests.retry(deadline, async (isRepeat) => {
    const request = { groupIds: [group] }
    const wait = waitOf(deadline)
    const { results } = await requests.core.coordinators.ask('deleteGroups', group, request, wait)
    // Gone by an attempt whose answer was lost.
    if (isRepeat && isGone(results[0])) return
    throwOf(results[0])
  })
}

/** Errors: GROUP_SUBSCRIBED_TO_TOPIC, GROUP_ID_NOT_FOUND, UNKNOWN_TOPIC_OR_PARTITION. */
export async function deleteOffsets(
  requests: Requests,
  group: string,
  what: Partitions,
  deadline: Deadline,
): Promise<void> {
  const { core } = requests
  const places = what.map(async ({ topic, partition }): Promise<Place> => {
    const info = await core.metadata.topic(topic, { ...waitOf(deadline), create: false })
    return { topicId: info.topicId, partition }
  })
  const request = { groupId: group, partitions: await Promise.all(places) }
  await requests.retry(deadline, async () => {
    const answer = await core.coordinators.ask('offsetDelete', group, request, waitOf(deadline))
    for (const result of answer.results) throwOf(result)
  })
}

/** Errors: UNKNOWN_MEMBER_ID, GROUP_ID_NOT_FOUND. */
export async function removeMember(
  requests: Requests,
  group: string,
  memberId: string,
  deadline: Deadline,
): Promise<void> {
  const members = [{ memberId, instanceId: null, reason: 'removed by an admin' }]
  await requests.retry(deadline, async (isRepeat) => {
    const request = { groupId: group, members }
    const wait = waitOf(deadline)
    const { results } = await requests.core.coordinators.ask('leaveGroup', group, request, wait)
    if (isRepeat && isGone(results[0])) return
    throwOf(results[0])
  })
}

function isGone(result: ItemResult | undefined): boolean {
  const name = result && errorOf(result)?.name
  return name === 'GROUP_ID_NOT_FOUND' || name === 'UNKNOWN_MEMBER_ID'
}

function throwOf(result: ItemResult | undefined): void {
  const error = result && errorOf(result)
  if (error !== undefined) throw error
}

export function waitOf(deadline: Deadline) {
  return { timeoutMs: Math.max(1, deadline.leftMs), signal: deadline.signal }
}
