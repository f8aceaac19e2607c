// LeaveGroup: an operator takes members out of a group, at once. Source: KIP-345, KIP-800.
// Enters: who has to go. Leaves: the records that do it, and a result for each.
import {
  type Apis,
  errorCode,
  isMinikafkaError,
  MinikafkaError,
  type RequestOf,
  type ResponseOf,
} from '@minikafka/protocol'
import type { Decision } from '../state-machine.ts'
import { memberOrRefusal } from './admission.ts'
import { Draft, type Moment } from './draft.ts'
import { fence } from './fence.ts'
import type { Group } from './group.ts'
import type { GroupRecord } from './records.ts'
import { memberName } from './words.ts'

type Body = RequestOf<Apis['leaveGroup']>
type Response = ResponseOf<Apis['leaveGroup']>

/** Errors  GROUP_ID_NOT_FOUND. */
export function takeOut(group: Group, body: Body, moment: Moment): Decision<GroupRecord, Response> {
  if (group.isNothing) throw new MinikafkaError('GROUP_ID_NOT_FOUND')
  const reasons = new Map<string, string>()
  const results = body.members.map(({ memberId, instanceId, reason }) => {
    const error = markOut(group, { memberId, instanceId, reason }, reasons)
    const code = error === undefined ? 0 : errorCode(error.name)
    return { errorCode: code, errorMessage: error?.message ?? null, memberId, instanceId }
  })
  const draft = new Draft(group, moment)
  fence(draft, [...reasons])
  return { records: draft.records, response: { results } }
}

function markOut(
  group: Group,
  { memberId: givenId, instanceId, reason }: Body['members'][number],
  reasons: Map<string, string>,
): MinikafkaError | undefined {
  const holderId = givenId === '' && instanceId !== null ? group.holderOf(instanceId) : undefined
  const memberId = holderId ?? givenId
  if (reasons.has(memberId))
    return new MinikafkaError('UNKNOWN_MEMBER_ID', { message: `${memberId} was named twice` })
  const member = memberOrRefusal(group, { memberId, instanceId })
  if (isMinikafkaError(member)) return member
  const why = reason === null || reason === '' ? '' : `: ${reason}`
  reasons.set(memberId, `an operator took out ${memberName(memberId, member)}${why}`)
  return undefined
}
