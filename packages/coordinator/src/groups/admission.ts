// Who may speak for a member, and with which epoch (the tables of REPLICATION 2.13.3).
// Enters: a heartbeat, the group. Leaves: where the member sits, or the refusal.
import { type Apis, isMinikafkaError, MinikafkaError, type RequestOf } from '@minikafka/protocol'
import { assignorNamed } from '../assignors/index.ts'
import type { GroupSettings } from './contract.ts'
import { AWAY_EPOCH, type Group, NOTHING } from './group.ts'
import { keysOf } from './partitions.ts'
import type { Current, Subscriber } from './records.ts'

type Body = RequestOf<Apis['consumerGroupHeartbeat']>

export const JOIN_EPOCH = 0
export const LEAVE_EPOCH = -1

export type Seat = {
  /** What is known of the member; undefined: it is new. */
  readonly before: Subscriber | undefined
  readonly current: Current
  /** The member id under which this static member was in the group before. */
  readonly takesOverFrom?: string
  /** It asks with an older epoch, or anew: whatever it was answered before was lost. */
  readonly knowsNothing: boolean
}

/** Errors  INVALID_REQUEST, INVALID_GROUP_ID, UNSUPPORTED_ASSIGNOR. */
export function checkShape(body: Body, { assignors }: GroupSettings): void {
  const { groupId, memberId, memberEpoch, instanceId, rebalanceTimeoutMs, serverAssignor } = body
  if (groupId === '') throw new MinikafkaError('INVALID_GROUP_ID')
  if (memberId === '') throw invalid('/memberId', 'a UUID that the client makes')
  if (memberEpoch < AWAY_EPOCH) throw invalid('/memberEpoch', '-2 or above')
  if (instanceId === '') throw invalid('/instanceId', 'null or a name')
  if (memberEpoch === AWAY_EPOCH && instanceId === null)
    throw invalid('/instanceId', 'a name: only static members (epoch -2) come back')
  if (rebalanceTimeoutMs < -1 || rebalanceTimeoutMs === 0)
    throw invalid('/rebalanceTimeoutMs', 'above 0, or -1')
  if (memberEpoch === JOIN_EPOCH) checkJoin(body)
  if (serverAssignor === null || isOffered(serverAssignor, assignors)) return
  const message = `there is no assignor ${serverAssignor} here: use ${assignors.join(' or ')}`
  throw new MinikafkaError('UNSUPPORTED_ASSIGNOR', { message })
}

function checkJoin(body: Body): void {
  const { rebalanceTimeoutMs, subscribedTopicNames, subscribedTopicRegex, topicPartitions } = body
  if (rebalanceTimeoutMs === -1) throw invalid('/rebalanceTimeoutMs', 'above 0 in a join')
  if (subscribedTopicNames === null && subscribedTopicRegex === null)
    throw invalid('/subscribedTopicNames', 'topics or an expression in a join')
  if (topicPartitions?.length !== 0)
    throw invalid('/topicPartitions', 'an empty list: who joins owns nothing')
}

function isOffered(name: string, assignors: readonly string[]): boolean {
  const asked = assignorNamed(name)
  return asked !== undefined && assignors.some((offered) => assignorNamed(offered) === asked)
}

/**
 * For a join or a heartbeat of a member.
 *
 * Errors  UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH, FENCED_INSTANCE_ID, UNRELEASED_INSTANCE_ID, GROUP_MAX_SIZE_REACHED.
 */
export function seatOf(group: Group, body: Body, settings: GroupSettings): Seat {
  if (body.memberEpoch === JOIN_EPOCH) return seatOfJoiner(group, body, settings)
  const before = mustBeMember(group, body)
  const current = group.currentOf(body.memberId)
  const isCurrent = body.memberEpoch === current.epoch
  if (isCurrent || lostOurAnswer(body, current))
    return { before, current, knowsNothing: !isCurrent }
  const message =
    current.epoch === AWAY_EPOCH
      ? `member ${body.memberId} said that it leaves: it has to join again`
      : `member ${body.memberId} is at epoch ${current.epoch}, not at ${body.memberEpoch}`
  throw new MinikafkaError('FENCED_MEMBER_EPOCH', { message })
}

function seatOfJoiner(group: Group, body: Body, settings: GroupSettings): Seat {
  const { membersMax, sessionTimeoutMs } = settings
  const { memberId, instanceId } = body
  const before = group.members.get(memberId)
  const holderId = instanceId === null ? undefined : group.holderOf(instanceId)
  if (holderId !== undefined && holderId !== memberId) {
    const held = group.currentOf(holderId)
    if (held.epoch !== AWAY_EPOCH || before !== undefined)
      throw new MinikafkaError('UNRELEASED_INSTANCE_ID', {
        message: `member ${holderId} is in the group as ${instanceId}: stop it, or wait until its session ends`,
        // Who has never been in knows no session, and has to know how long to try.
        details: { sessionTimeoutMs },
      })
    // It had nothing to give up when it went away, and it is at no epoch yet.
    const current = { ...NOTHING, assigned: held.assigned }
    const taken = group.members.get(holderId)
    return { before: taken, current, takesOverFrom: holderId, knowsNothing: true }
  }
  if (before === undefined && group.members.size >= membersMax)
    throw new MinikafkaError('GROUP_MAX_SIZE_REACHED', { details: { max: membersMax } })
  return { before, current: group.currentOf(memberId), knowsNothing: true }
}

function lostOurAnswer(body: Body, { epoch, previousEpoch, assigned }: Current): boolean {
  const { memberEpoch, topicPartitions } = body
  if (memberEpoch !== previousEpoch || previousEpoch >= epoch || topicPartitions === null)
    return false
  for (const key of keysOf(topicPartitions)) if (!assigned.has(key)) return false
  return true
}

type Who = { readonly memberId: string; readonly instanceId: string | null }

/** Errors  UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID: another consumer took the instance id over. */
export function mustBeMember(group: Group, who: Who): Subscriber {
  const member = memberOrRefusal(group, who)
  if (isMinikafkaError(member)) throw member
  return member
}

export function memberOrRefusal(
  group: Group,
  { memberId, instanceId }: Who,
): Subscriber | MinikafkaError {
  const member = group.members.get(memberId)
  if (instanceId !== null && member?.instanceId !== instanceId) {
    const holderId = group.holderOf(instanceId)
    if (holderId === undefined)
      return unknown(`nobody is in group ${group.groupId} as ${instanceId}`)
    const message = `member ${holderId} is in the group as ${instanceId}`
    return new MinikafkaError('FENCED_INSTANCE_ID', { message })
  }
  return member ?? unknown(`member ${memberId} is not in group ${group.groupId}`)
}

function unknown(message: string): MinikafkaError {
  return new MinikafkaError('UNKNOWN_MEMBER_ID', {
    message: `${message}: it left, was fenced, or never joined`,
  })
}

function invalid(path: string, expected: string): MinikafkaError {
  return new MinikafkaError('INVALID_REQUEST', { path, message: `${path}: expected ${expected}` })
}
