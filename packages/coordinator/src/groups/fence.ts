// How members get out of a group, and who has to: it was silent or slow, or its expression cannot be evaluated.
// Enters: who and why, or the time. Leaves: the records that make what they had nobody's.
import type { Decision } from '../state-machine.ts'
import type { GroupSettings, TopicsView } from './contract.ts'
import { Draft, type Moment } from './draft.ts'
import { AWAY_EPOCH, type Group } from './group.ts'
import { splitKey } from './partitions.ts'
import type { GroupRecord } from './records.ts'
import { duration, enumeration, memberName } from './words.ts'

/** Member ids, each with the reason. One epoch for all of them; new targets at once, if they are due. */
export function fence(draft: Draft, members: readonly (readonly [string, string])[]): void {
  if (members.length === 0) return
  for (const [memberId] of members) draft.removeMember(memberId)
  draft.beginEpoch(enumeration(members.map(([, reason]) => reason)))
  draft.assignIfDue()
}

/** `wakeAt` of the group has come. */
export function tick(group: Group, moment: Moment): Decision<GroupRecord, undefined> {
  const draft = new Draft(group, moment)
  const overdue: [string, string][] = []
  for (const memberId of group.members.keys()) {
    const reason = overdueBecause(group, memberId, moment)
    if (reason !== undefined) overdue.push([memberId, reason])
  }
  if (overdue.length > 0) fence(draft, overdue)
  else {
    // Also where word of a change could not be written, or did not come through.
    draft.noticeTopics()
    draft.assignIfDue()
  }
  group.ticked()
  return { records: draft.records, response: undefined }
}

function overdueBecause(group: Group, memberId: string, moment: Moment): string | undefined {
  const member = group.members.get(memberId)
  if (member === undefined) return undefined
  const { nowMs, settings, topics } = moment
  const name = memberName(memberId, member)
  const whyUnreadable = group.whyUnreadable(member)
  if (whyUnreadable !== undefined)
    return `${name} asks for topics like /${member.regex}/, which cannot be evaluated: ${whyUnreadable}`
  if (nowMs >= group.sessionEndsAtMs(memberId, settings)) {
    const isAway = group.currentOf(memberId).epoch === AWAY_EPOCH
    return `${name} ${silence(isAway, settings)}`
  }
  if (nowMs < group.revocationEndsAtMs(memberId)) return undefined
  const kept = [...group.currentOf(memberId).revoking.keys()].map((key) =>
    partitionName(key, topics),
  )
  const timeout = duration(member.rebalanceTimeoutMs)
  return `${name} did not give up ${enumeration(kept, ', ')} within ${timeout}`
}

function silence(isAway: boolean, { sessionTimeoutMs }: GroupSettings): string {
  const time = duration(sessionTimeoutMs)
  return isAway ? `did not come back within ${time}` : `was silent for ${time}`
}

function partitionName(key: string, topics: TopicsView): string {
  const { topicId, partition } = splitKey(key)
  return `${topics.byId(topicId)?.name ?? topicId}-${partition}`
}
