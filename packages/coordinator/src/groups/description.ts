// A group as a person wants to see it: who is in it, who has what and why (KIP-848, ConsumerGroupDescribe).
// Enters: the group, the time. Leaves: the description of the protocol.
import { type Apis, errorCode, MinikafkaError, type ResponseOf } from '@minikafka/protocol'
import { chosenAssignor, type Moment } from './draft.ts'
import { AWAY_EPOCH, type Group } from './group.ts'
import { byTopic } from './partitions.ts'
import type { Subscriber } from './records.ts'

type Described = ResponseOf<Apis['consumerGroupDescribe']>['groups'][number]
type DescribedMember = Described['members'][number]

const INT32_MAX = 2_147_483_647

/** One that does not exist is Dead, with GROUP_ID_NOT_FOUND. */
export function describe(group: Group, moment: Moment, loadedAtMs: number): Described {
  const { groupId, epoch, targetEpoch, rebalances } = group
  const error = group.isNothing ? new MinikafkaError('GROUP_ID_NOT_FOUND') : undefined
  const members = [...group.members].sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    errorCode: error === undefined ? 0 : errorCode(error.name),
    errorMessage: error?.message ?? null,
    groupId,
    state: error === undefined ? group.state : 'Dead',
    groupEpoch: epoch.groupEpoch,
    targetEpoch,
    assignor: chosenAssignor(members, moment.settings),
    members: members.map(([memberId, member]) => describeMember(group, memberId, member, moment)),
    rebalances: rebalances.map(({ groupEpoch, atMs, reason }) => ({ groupEpoch, atMs, reason })),
    rebalancesSinceMs: loadedAtMs,
  }
}

function describeMember(
  group: Group,
  memberId: string,
  member: Subscriber,
  { nowMs, settings }: Moment,
): DescribedMember {
  const { instanceId, rackId, clientId, clientHost, topics, regex } = member
  const { epoch, state, assigned, revoking } = group.currentOf(memberId)
  const isAway = epoch === AWAY_EPOCH
  return {
    memberId,
    instanceId,
    rackId,
    memberEpoch: epoch,
    state: isAway ? 'away' : state,
    clientId,
    clientHost,
    subscribedTopicNames: topics,
    subscribedTopicRegex: regex === '' ? null : regex,
    assigned: byTopic(assigned.keys()),
    revoking: byTopic(revoking.keys()),
    target: byTopic(group.targetOf(memberId)),
    lastHeartbeatMsAgo: clamp(nowMs - group.heardAtMs(memberId)),
    sessionLeftMs: clamp(group.sessionEndsAtMs(memberId, settings) - nowMs),
    revokeLeftMs: state === 'unrevoked' ? clamp(group.revocationEndsAtMs(memberId) - nowMs) : -1,
  }
}

function clamp(ms: number): number {
  return Math.max(0, Math.min(INT32_MAX, Math.floor(ms)))
}
