// How a story tells what followed: topics by their names, partitions by topic, epochs beside them.
// Enters: records, answers, descriptions. Leaves: lines.
import { type Apis, errorName, type ResponseOf } from '@minikafka/protocol'
import { byTopic } from '../src/groups/partitions.ts'
import type { Current, Subscriber } from '../src/groups/records.ts'
import type { GroupRecord } from '../src/index.ts'
import type { Topics } from './world.ts'

type Described = ResponseOf<Apis['consumerGroupDescribe']>['groups'][number]
type Held = readonly { readonly topicId: string; readonly partitions: readonly number[] }[]

export function recordLine(record: GroupRecord, topics: Topics): string {
  const label = record.type.padEnd(12)
  const owner = 'memberId' in record ? `${record.memberId}: ` : ''
  if (record.type === 'Offset') {
    const place = `${topics.nameOf(record.topicId)}-${record.partition}`
    const { value } = record
    const words = value?.metadata ? ` "${short(value.metadata)}"` : ''
    return `  ${label} ${place} ${value === null ? '(tombstone)' : `${value.offset}${words}`}`
  }
  return `  ${label} ${owner}${record.value === null ? '(tombstone)' : valueWords(record, topics)}`
}

function valueWords(record: GroupRecord, topics: Topics): string {
  if (record.value === null || record.type === 'Offset') return ''
  switch (record.type) {
    case 'Group':
      return `epoch ${record.value.groupEpoch}: ${record.value.reason}`
    case 'Member':
      return subscriberWords(record.value)
    case 'Target':
      return `epoch ${record.value.targetEpoch}`
    case 'TargetMember':
      return heldWords(byTopic(record.value), topics)
    case 'Current':
      return currentWords(record.value, topics)
  }
}

function subscriberWords({ topics, regex, instanceId, assignor }: Subscriber): string {
  const words = [`topics ${topics.join(', ') || 'none'}`]
  if (regex !== '') words.push(`expression ${regex}`)
  if (instanceId !== null) words.push(`instance ${instanceId}`)
  if (assignor !== null) words.push(`wants ${assignor}`)
  return words.join('; ')
}

function currentWords(current: Current, topics: Topics): string {
  const { epoch, state, assigned, revoking } = current
  const held = (holdings: Current['assigned']) =>
    byTopic(holdings.keys())
      .map(({ topicId, partitions }) => {
        const numbers = partitions.map(
          (number) => `${number}@${holdings.get(`${topicId}:${number}`)}`,
        )
        return `${topics.nameOf(topicId)}[${numbers.join(' ')}]`
      })
      .join(' ') || 'nothing'
  const rest = revoking.size > 0 ? `, revoking ${held(revoking)}` : ''
  const at = epoch === -2 ? 'away' : `${state} at ${epoch}`
  return `${at}, has ${held(assigned)}${rest}`
}

export function heartbeatLine(
  response: ResponseOf<Apis['consumerGroupHeartbeat']>,
  topics: Topics,
): string {
  const { memberId, memberEpoch, assignment, heartbeatIntervalMs } = response
  if (memberEpoch < 0) return `${memberId}: goodbye`
  const use =
    assignment === null ? 'as before' : `may use ${heldWords(assignment.partitions, topics)}`
  return `${memberId}: epoch ${memberEpoch}, ${use}, next in ${heartbeatIntervalMs} ms`
}

export function resultLine(
  what: string,
  { errorCode, errorMessage }: { readonly errorCode: number; readonly errorMessage: string | null },
): string {
  return errorCode === 0 ? `${what}: done` : `${what}: ${errorName(errorCode)}, ${errorMessage}`
}

export function fetchedLine(
  result: ResponseOf<Apis['offsetFetch']>['results'][number],
  topics: Topics,
): string {
  const place = `${topics.nameOf(result.topicId)}-${result.partition}`
  if (result.offset === -1) return `${place}: nothing committed`
  const words = result.metadata === null ? '' : ` "${short(result.metadata)}"`
  return `${place}: ${result.offset}${words}`
}

export function stateLine({
  groupId,
  state,
  groupEpoch,
  targetEpoch,
  members,
}: Described): string[] {
  if (state === 'Dead') return [`${groupId}: does not exist`]
  if (members.length === 0) return [`${groupId}: Empty, epoch ${groupEpoch}`]
  const behind = targetEpoch < groupEpoch ? `, targets of ${targetEpoch}` : ''
  return [`${groupId}: ${state}, epoch ${groupEpoch}${behind}`]
}

export function describedLines(described: Described, topics: Topics): string[] {
  if (described.state === 'Dead') return []
  const members = described.members.flatMap((member) => {
    const { memberId, memberEpoch, state, assigned, revoking, target, clientId } = member
    const from = `${memberId} of ${clientId}@${member.clientHost}`
    const instance = member.instanceId === null ? '' : ` as ${member.instanceId}`
    const times = `heard ${member.lastHeartbeatMsAgo} ms ago, out in ${member.sessionLeftMs} ms`
    const gives = member.revokeLeftMs < 0 ? '' : ` (${member.revokeLeftMs} ms left)`
    return [
      `  ${from}${instance}: ${state} at ${memberEpoch}, ${times}`,
      `    has ${heldWords(assigned, topics)}; gives up ${heldWords(revoking, topics)}${gives}; shall have ${heldWords(target, topics)}`,
    ]
  })
  const rebalances = described.rebalances.map(
    ({ groupEpoch, atMs, reason }) => `  ${groupEpoch} at ${atMs / 1_000} s: ${reason}`,
  )
  const since = `  rebalances, all since ${described.rebalancesSinceMs / 1_000} s:`
  return [`  assignor ${described.assignor}`, ...members, since, ...rebalances]
}

function heldWords(held: Held, topics: Topics): string {
  const words = held
    .filter(({ partitions }) => partitions.length > 0)
    .map(({ topicId, partitions }) => `${topics.nameOf(topicId)}[${partitions.join(' ')}]`)
  return words.join(' ') || 'nothing'
}

function short(text: string): string {
  return text.length > 40 ? `${text.slice(0, 37)}...` : text
}
