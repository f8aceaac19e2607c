// The heartbeat: the one call by which a member joins, stays, hands over and leaves (REPLICATION 2.13.3, KIP-848).
// Enters: a request, the group. Leaves: the records of one step of the member, and what it may use from now on.
import type { Apis, RequestOf, ResponseOf } from '@minikafka/protocol'
import type { Decision } from '../state-machine.ts'
import {
  checkShape,
  JOIN_EPOCH,
  LEAVE_EPOCH,
  mustBeMember,
  type Seat,
  seatOf,
} from './admission.ts'
import type { RequestOfKind } from './contract.ts'
import { Draft, type Moment } from './draft.ts'
import { fence } from './fence.ts'
import { AWAY_EPOCH, type Group } from './group.ts'
import { byTopic, keysOf, partitionKey } from './partitions.ts'
import { haveSameKeys, reconcile } from './reconcile.ts'
import type { Current, GroupRecord, Subscriber } from './records.ts'
import { hasSameTopics, subscriberOf } from './subscriber.ts'
import { memberName } from './words.ts'

type Body = RequestOf<Apis['consumerGroupHeartbeat']>
type Response = ResponseOf<Apis['consumerGroupHeartbeat']>

/** While a group is on its way, its members look often. */
const UNSETTLED_INTERVAL_MS = 500

/** `group` is a fresh one where there is none. Errors: the list of the API; then nothing is written. */
export function heartbeat(
  group: Group,
  request: RequestOfKind<'heartbeat'>,
  moment: Moment,
): Decision<GroupRecord, Response> {
  const { body } = request
  checkShape(body, moment.settings)
  if (body.memberEpoch === LEAVE_EPOCH) return leave(group, body, moment)
  if (body.memberEpoch === AWAY_EPOCH) return goAway(group, body, moment)
  const seat = seatOf(group, body, moment.settings)
  const draft = new Draft(group, moment)
  subscribe(draft, group, seat, request, moment)
  draft.assignIfDue()
  const current = walk(draft, group, seat, body)
  group.heard(body.memberId, moment.nowMs)
  return { records: draft.records, response: answer(draft, seat, body, current, moment) }
}

/** Step 1: what the member said of itself, and whether that needs a new assignment. */
function subscribe(
  draft: Draft,
  group: Group,
  { before, takesOverFrom }: Seat,
  request: RequestOfKind<'heartbeat'>,
  moment: Moment,
): void {
  const { memberId } = request.body
  const after = subscriberOf(before, request)
  if (after.regex !== '' && after.regex !== before?.regex) moment.topics.matching(after.regex)
  if (takesOverFrom !== undefined) {
    const target = group.targetOf(takesOverFrom)
    draft.removeMember(takesOverFrom)
    draft.putMember(memberId, after)
    draft.setTarget(memberId, target)
  } else if (after !== before) draft.putMember(memberId, after)
  const name = memberName(memberId, after)
  if (before === undefined) draft.beginEpoch(`${name} joined`)
  else if (!hasSameTopics(before, after))
    draft.beginEpoch(`${name} changed ${wishes(before, after)}`)
  else if (group.topicsSeen?.hash !== group.epoch.metadataHash) draft.noticeTopics()
}

function wishes(before: Subscriber, after: Subscriber): string {
  const words = ({ topics, regex }: Subscriber) => [
    ...topics.slice(0, 5),
    ...(topics.length > 5 ? ['…'] : []),
    ...(regex ? [`/${regex}/`] : []),
  ]
  const list = (member: Subscriber) => words(member).join(', ') || 'nothing'
  return `its topics from ${list(before)} to ${list(after)}`
}

/** Step 3: as far towards the target as the partitions of others allow. */
function walk(draft: Draft, group: Group, seat: Seat, body: Body): Current {
  const { memberId, memberEpoch, topicPartitions } = body
  const owned = topicPartitions === null ? null : keysOf(topicPartitions)
  const current = reconcile(seat.current, {
    target: draft.targetOf(memberId),
    targetEpoch: draft.targetEpoch,
    owned: memberEpoch === JOIN_EPOCH ? new Set() : owned,
    isFree: (key) => {
      const owner = group.ownerOf(key)
      return owner === undefined || owner === memberId
    },
  })
  if (current !== seat.current || seat.takesOverFrom !== undefined)
    draft.setCurrent(memberId, current)
  return current
}

function answer(
  draft: Draft,
  seat: Seat,
  body: Body,
  current: Current,
  { settings }: Moment,
): Response {
  const mustSay =
    seat.knowsNothing ||
    isFull(body) ||
    !haveSameKeys(current.assigned, seat.current.assigned) ||
    !isWhatItSays(body, current)
  const isStable = draft.isStableWith(body.memberId, current)
  const { heartbeatIntervalMs, sessionTimeoutMs } = settings
  return {
    memberId: body.memberId,
    memberEpoch: current.epoch,
    heartbeatIntervalMs: isStable
      ? heartbeatIntervalMs
      : Math.min(heartbeatIntervalMs, UNSETTLED_INTERVAL_MS),
    sessionTimeoutMs,
    assignment: mustSay ? { partitions: byTopic(current.assigned.keys()) } : null,
  }
}

/** Else it is slow to give something up, or has not heard of it: it is told again. */
function isWhatItSays({ topicPartitions }: Body, { assigned }: Current): boolean {
  if (topicPartitions === null) return true
  let count = 0
  for (const { topicId, partitions } of topicPartitions) {
    for (const partition of partitions) {
      if (!assigned.has(partitionKey(topicId, partition))) return false
      count++
    }
  }
  return count === assigned.size
}

function isFull(body: Body): boolean {
  const { rebalanceTimeoutMs, subscribedTopicNames, subscribedTopicRegex, topicPartitions } = body
  const hasTopics = subscribedTopicNames !== null || subscribedTopicRegex !== null
  return rebalanceTimeoutMs !== -1 && hasTopics && topicPartitions !== null
}

function leave(group: Group, body: Body, moment: Moment): Decision<GroupRecord, Response> {
  const member = mustBeMember(group, body)
  const draft = new Draft(group, moment)
  fence(draft, [[body.memberId, `${memberName(body.memberId, member)} left`]])
  return { records: draft.records, response: farewell(body, moment) }
}

/** A static member leaves and will be back: it keeps what it has until its session ends, which is running. */
function goAway(group: Group, body: Body, moment: Moment): Decision<GroupRecord, Response> {
  mustBeMember(group, body)
  const { epoch, assigned } = group.currentOf(body.memberId)
  const draft = new Draft(group, moment)
  if (epoch !== AWAY_EPOCH) {
    const revoking = new Map()
    const away = {
      epoch: AWAY_EPOCH,
      previousEpoch: epoch,
      state: 'stable',
      assigned,
      revoking,
    } as const
    draft.setCurrent(body.memberId, away)
  }
  return { records: draft.records, response: farewell(body, moment) }
}

function farewell({ memberId, memberEpoch }: Body, { settings }: Moment): Response {
  const { heartbeatIntervalMs, sessionTimeoutMs } = settings
  return { memberId, memberEpoch, heartbeatIntervalMs, sessionTimeoutMs, assignment: null }
}
