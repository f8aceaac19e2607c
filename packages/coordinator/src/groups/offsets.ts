// Where a group stands: commit, fetch, delete (REPLICATION 2.13.5).
// Enters: requests with positions. Leaves: a record per position taken, a result per position asked about.
import {
  type Apis,
  type ErrorName,
  errorCode,
  MinikafkaError,
  type RequestOf,
  type ResponseOf,
} from '@minikafka/protocol'
import type { Decision } from '../state-machine.ts'
import { mustBeMember } from './admission.ts'
import type { TopicsView } from './contract.ts'
import type { Moment } from './draft.ts'
import type { Group } from './group.ts'
import { partitionKey } from './partitions.ts'
import type { GroupRecord, Position } from './records.ts'
import { subscriptionsOf } from './subscriptions.ts'

type CommitBody = RequestOf<Apis['offsetCommit']>
type CommitResponse = ResponseOf<Apis['offsetCommit']>
type FetchBody = RequestOf<Apis['offsetFetch']>
type FetchResponse = ResponseOf<Apis['offsetFetch']>
type DeleteBody = RequestOf<Apis['offsetDelete']>
type DeleteResponse = ResponseOf<Apis['offsetDelete']>
type Asked = { readonly topicId: string; readonly partition: number }
type Refusal = { readonly error: ErrorName; readonly message?: string }

const METADATA_BYTES_MAX = 4_096
/** As many as the answer of OffsetFetch may list. */
const FETCHED_MAX = 100_000

/** Errors  INVALID_GROUP_ID, INVALID_REQUEST, GROUP_ID_NOT_FOUND, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID. */
export function commit(
  group: Group,
  body: CommitBody,
  { nowMs, topics }: Moment,
): Decision<GroupRecord, CommitResponse> {
  const { groupId } = group
  if (groupId === '') throw new MinikafkaError('INVALID_GROUP_ID')
  mustBeDistinct(body.positions, '/positions')
  const mayCommit = committer(group, body)
  const records: GroupRecord[] = []
  const results = body.positions.map((position) => {
    const refusal = mayCommit(position) ?? checkPosition(position, topics)
    if (refusal === undefined) {
      const { topicId, partition, offset, leaderEpoch, metadata } = position
      const value = { offset, leaderEpoch, metadata, commitTimestamp: nowMs }
      records.push({ type: 'Offset', groupId, topicId, partition, value })
    }
    return result(position, refusal)
  })
  return { records, response: { results } }
}

/** Who commits without being a member may do so only where there are none. */
function committer(
  group: Group,
  { memberId, memberEpoch, instanceId }: CommitBody,
): (position: Asked) => Refusal | undefined {
  if (memberEpoch < 0 && group.isEmpty) return () => undefined
  if (group.isNothing) throw new MinikafkaError('GROUP_ID_NOT_FOUND')
  if (memberEpoch < 0)
    throw new MinikafkaError('UNKNOWN_MEMBER_ID', {
      message: `group ${group.groupId} has members: only they commit`,
    })
  mustBeMember(group, { memberId, instanceId })
  const { epoch, assigned, revoking } = group.currentOf(memberId)
  return ({ topicId, partition }) => {
    const key = partitionKey(topicId, partition)
    // Not equal to the member epoch: a commit that was under way while that moved on is honest (KIP-1251).
    const sinceEpoch = assigned.get(key) ?? revoking.get(key)
    if (sinceEpoch === undefined)
      return { error: 'STALE_MEMBER_EPOCH', message: `member ${memberId} does not own it` }
    if (sinceEpoch <= memberEpoch && memberEpoch <= epoch) return undefined
    const message = `member ${memberId} owns it since epoch ${sinceEpoch} and is at ${epoch}; this is from ${memberEpoch}`
    return { error: 'STALE_MEMBER_EPOCH', message }
  }
}

function checkPosition(
  { topicId, partition, offset, metadata }: CommitBody['positions'][number],
  topics: TopicsView,
): Refusal | undefined {
  const topic = topics.byId(topicId)
  if (topic === undefined) return { error: 'UNKNOWN_TOPIC_ID' }
  if (partition < 0 || partition >= topic.partitionCount)
    return { error: 'UNKNOWN_TOPIC_OR_PARTITION' }
  if (offset < 0) return { error: 'INVALID_REQUEST', message: 'an offset is 0 or above' }
  if (metadata !== null && byteLength(metadata) > METADATA_BYTES_MAX)
    return { error: 'OFFSET_METADATA_TOO_LARGE' }
  return undefined
}

/** Committed facts only. Errors: UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH, INVALID_REQUEST, POLICY_VIOLATION. */
export function fetchOffsets(group: Group, body: FetchBody): FetchResponse {
  checkReader(group, body)
  if (body.partitions !== null) {
    mustBeDistinct(body.partitions, '/partitions')
    const results = body.partitions.map((asked) =>
      fetched(asked, group.positions.get(asked.topicId)?.get(asked.partition)),
    )
    return { results }
  }
  checkCount(group)
  const topics = [...group.positions].sort(([a], [b]) => (a < b ? -1 : 1))
  const results = topics.flatMap(([topicId, positions]) =>
    [...positions]
      .sort(([a], [b]) => a - b)
      .map(([partition, position]) => fetched({ topicId, partition }, position)),
  )
  return { results }
}

/** More would not fit into an answer. */
function checkCount({ groupId, positions }: Group): void {
  let count = 0
  for (const ofTopic of positions.values()) count += ofTopic.size
  if (count <= FETCHED_MAX) return
  throw new MinikafkaError('POLICY_VIOLATION', {
    message: `group ${groupId} has ${count} positions, and at most ${FETCHED_MAX} are told at once: name the partitions`,
  })
}

function checkReader(group: Group, { memberId, memberEpoch }: FetchBody): void {
  if (memberId === null && memberEpoch < 0) return
  mustBeMember(group, { memberId: memberId ?? '', instanceId: null })
  const { epoch } = group.currentOf(memberId ?? '')
  if (memberEpoch === epoch) return
  throw new MinikafkaError('STALE_MEMBER_EPOCH', {
    message: `member ${memberId} is at epoch ${epoch}, not at ${memberEpoch}: send a heartbeat first`,
  })
}

/** Ten thousand at a time: no object is spread into another. */
function fetched(asked: Asked, position: Position | undefined): FetchResponse['results'][number] {
  return {
    topicId: asked.topicId,
    partition: asked.partition,
    errorCode: 0,
    errorMessage: null,
    offset: position?.offset ?? -1,
    leaderEpoch: position?.leaderEpoch ?? -1,
    metadata: position?.metadata ?? null,
    commitTimestamp: position?.commitTimestamp ?? -1,
  }
}

/** Errors  GROUP_ID_NOT_FOUND, INVALID_REQUEST. */
export function deleteOffsets(
  group: Group,
  body: DeleteBody,
  { topics }: Moment,
): Decision<GroupRecord, DeleteResponse> {
  if (group.isNothing) throw new MinikafkaError('GROUP_ID_NOT_FOUND')
  mustBeDistinct(body.partitions, '/partitions')
  const { groupId } = group
  const subscribed = subscriptionsOf(group, topics).topics
  const records: GroupRecord[] = []
  const results = body.partitions.map(({ topicId, partition }) => {
    const name = topics.byId(topicId)?.name
    if (name !== undefined && subscribed.has(name))
      return result({ topicId, partition }, { error: 'GROUP_SUBSCRIBED_TO_TOPIC' })
    if (group.positions.get(topicId)?.has(partition))
      records.push({ type: 'Offset', groupId, topicId, partition, value: null })
    return result({ topicId, partition }, undefined)
  })
  return { records, response: { results } }
}

function result({ topicId, partition }: Asked, refusal: Refusal | undefined) {
  if (refusal === undefined) return { errorCode: 0, errorMessage: null, topicId, partition }
  const { error, message } = refusal
  const errorMessage = message ?? new MinikafkaError(error).message
  return { errorCode: errorCode(error), errorMessage, topicId, partition }
}

function mustBeDistinct(asked: readonly Asked[], path: string): void {
  const keys = new Set(asked.map(({ topicId, partition }) => partitionKey(topicId, partition)))
  if (keys.size === asked.length) return
  const message = `${path}: expected each partition once`
  throw new MinikafkaError('INVALID_REQUEST', { path, message })
}

function byteLength(text: string): number {
  // Most are short: no UTF-8 character of a string is longer than three bytes per unit of UTF-16.
  return text.length * 3 <= METADATA_BYTES_MAX ? text.length : new TextEncoder().encode(text).length
}
