// minikafka group explain: one paragraph that says why a group is in its state.
// Enters: what the coordinator says of the group, and how far behind it is. Leaves: sentences.
import type { GroupDescription, GroupMember, PartitionLag, Partitions } from '@minikafka/client'
import { plain, wrap } from '../plain-text.ts'
import { reachBroker } from '../reach.ts'
import type { Session } from '../session.ts'
import { sleep } from '../sleep.ts'
import { lineWidth } from '../table.ts'
import { durationText, partitionsText, timeText } from './group-words.ts'

/** Somebody who has held records back for so long is named. */
const SLOW_AFTER_MS = 60_000
const REBALANCES_TOLD = 3
const PLACES_TOLD = 3
/** Members commit once a second. */
const WATCHED_MS = 3_000

export async function groupExplain(session: Session, name: string): Promise<void> {
  await reachBroker(session)
  const [group, lags] = await session.ask(
    Promise.all([
      session.admin.describeGroup(name, session.wait),
      session.admin.lag(name, session.wait),
    ]),
  )
  const later = lags.some(isSlow) ? await lookAgain(session, name) : undefined
  const explanation = explain(group, lags, later)
  if (!session.wantsJson) {
    const lines = wrap(plain(explanation), lineWidth(session))
    return session.print(`${lines.join('\n')}\n`)
  }
  await session.print(`${JSON.stringify({ group: name, state: group.state, explanation })}\n`)
}

async function lookAgain(session: Session, name: string): Promise<readonly PartitionLag[]> {
  await session.say(`looking whether it moves, for ${WATCHED_MS / 1000} s …`)
  await sleep(session.env, WATCHED_MS, session.signal)
  return session.ask(session.admin.lag(name, session.wait))
}

/** Exported for its tests. `later`: the lags of a second look. */
export function explain(
  group: GroupDescription,
  lags: readonly PartitionLag[],
  later?: readonly PartitionLag[],
): string {
  return [
    stateOf(group),
    ...group.members.filter(({ assigned }) => assigned.length > 0).map(ownerSentence),
    ...standbyOf(group),
    ...holdersOf(group),
    ...quietOf(group),
    ...behindOf(group, lags, later),
    ...historyOf(group),
  ].join(' ')
}

function stateOf({ group, state, members, groupEpoch, targetEpoch, assignor }: GroupDescription) {
  const isOne = members.length === 1
  const count = isOne ? '1 member' : `${members.length} members`
  const head = `Group '${group}' is ${state}`
  switch (state) {
    case 'Empty':
      return `${head}: nobody is in it, so nothing is read; where it stood is kept.`
    case 'Stable':
      return `${head}: its ${count} ${isOne ? 'has' : 'have'} what the ${assignor} assignor gave them in epoch ${targetEpoch}.`
    case 'Assigning':
      return `${head}: epoch ${groupEpoch} needs a new assignment of its ${count}, which is made within a second of the last one (that was for epoch ${targetEpoch}).`
    default:
      return `${head}: its ${count} ${isOne ? 'is on its' : 'are on their'} way to the assignment of epoch ${targetEpoch}; who keeps partitions goes on reading them.`
  }
}

function ownerSentence(member: GroupMember): string {
  return `${nameOf(member)} reads ${partitionsText(member.assigned)}.`
}

function standbyOf({ members, state }: GroupDescription): string[] {
  const idle = members.filter(
    ({ assigned, revoking, target }) => assigned.length + revoking.length + target.length === 0,
  )
  if (idle.length === 0 || state === 'Empty') return []
  const who = idle.map(nameOf).join(', ')
  const verb = idle.length === 1 ? 'is' : 'are'
  return [`${who} ${verb} on standby: there are not enough partitions for all members.`]
}

/** Who keeps others waiting. */
function holdersOf({ members }: GroupDescription): string[] {
  return members.flatMap((member) => {
    if (member.revoking.length === 0) return []
    const waiting = members.filter(({ target }) => meet(target, member.revoking))
    const others = waiting.length === 0 ? '' : ` for ${waiting.map(nameOf).join(', ')}`
    const left =
      member.revokeLeftMs === undefined
        ? ''
        : `; it is fenced if that takes ${durationText(member.revokeLeftMs)} more`
    return [
      `${nameOf(member)} has yet to give up ${partitionsText(member.revoking)}${others}: its handlers are finishing${left}.`,
    ]
  })
}

/** Who may soon be out, or is away. */
function quietOf({ members }: GroupDescription): string[] {
  return members.flatMap((member) => {
    const { state, sessionLeftMs = Number.POSITIVE_INFINITY, lastHeartbeatMsAgo } = member
    const left = durationText(sessionLeftMs)
    if (state === 'away')
      return [`${nameOf(member)} is away and keeps its partitions; it is out in ${left}.`]
    if (sessionLeftMs > lastHeartbeatMsAgo) return []
    return [
      `${nameOf(member)} has not been heard of for ${durationText(lastHeartbeatMsAgo)}: its process may hang or be gone; it is out in ${left}.`,
    ]
  })
}

function behindOf(
  { members }: GroupDescription,
  lags: readonly PartitionLag[],
  later: readonly PartitionLag[] | undefined,
): string[] {
  const unread = lags.reduce((sum, { lag }) => sum + lag, 0)
  if (lags.length === 0) return ['It has committed nothing.']
  if (unread === 0) return ['Everything is read.']
  const total = `${unread} ${unread === 1 ? 'record is' : 'records are'} unread.`
  const slow = lags.filter(isSlow)
  const culprits = members.flatMap((member) => {
    const own = slow.filter((lag) => meet(member.assigned, [lag]))
    return own.length === 0 ? [] : [slowSentence(member, own, later)]
  })
  const nobody = slow.filter((lag) => !members.some(({ assigned }) => meet(assigned, [lag])))
  const orphans =
    nobody.length === 0 ? [] : [`Nobody reads ${partitionsText(nobody)} at the moment.`]
  return [total, ...culprits, ...orphans]
}

function isSlow({ lag, lagMs = 0 }: PartitionLag): boolean {
  return lag > 0 && lagMs > SLOW_AFTER_MS
}

/** Slow or stuck is told by whether anything was committed between two looks. */
function slowSentence(
  member: GroupMember,
  own: readonly PartitionLag[],
  later: readonly PartitionLag[] | undefined,
): string {
  const worstMs = Math.max(...own.map(({ lagMs = 0 }) => lagMs))
  const head = `${nameOf(member)} has not finished what has waited for ${durationText(worstMs)} in ${partitionsText(own)}`
  if (later === undefined)
    return `${head}: its handler is slow, stuck or paused, or does not commit.`
  const stuck = own.filter((one) => committedSince(one, later) === 0)
  const seconds = WATCHED_MS / 1000
  const records = own.reduce((sum, one) => sum + committedSince(one, later), 0)
  const moves = `${records} ${records === 1 ? 'record was' : 'records were'} committed within ${seconds} s`
  if (stuck.length === 0)
    return `${head}, and goes on: ${moves}. It is slower than what comes in, or catches up: see minikafka top; a quicker handler, more concurrency or more members help.`
  const found =
    stuck.length === own.length
      ? `nothing was committed within ${seconds} s`
      : `${moves}, but nothing in ${partitionsText(stuck)}`
  return `${head}: ${found}. Its handler is stuck, paused or takes longer, or it does not commit.${beginsAt(stuck)}`
}

/** Which of them the handler is at nobody but its process knows: the first of each partition is named. */
function beginsAt(stuck: readonly PartitionLag[]): string {
  const places = stuck.filter(({ committed }) => committed !== undefined).slice(0, PLACES_TOLD)
  const [first] = places
  if (first === undefined) return ''
  const words = places.map((one) => `${one.topic} ${one.partition} at offset ${one.committed}`)
  return ` What it has not finished begins in ${words.join(', ')}: minikafka consume ${first.topic} -p ${first.partition} -o ${first.committed} -n 1 shows it.`
}

/** A partition that is told of only once does not move, as far as anybody knows. */
function committedSince(before: PartitionLag, later: readonly PartitionLag[]): number {
  const now = later.find((one) => meet([before], [one]))
  return Math.max(0, (now?.committed ?? 0) - (before.committed ?? 0))
}

function historyOf({ rebalances, rebalancesSinceMs }: GroupDescription): string[] {
  const since = `since ${timeText(rebalancesSinceMs)}, when its coordinator started`
  if (rebalances.length === 0) return [`No rebalance ${since}.`]
  const last = rebalances
    .slice(-REBALANCES_TOLD)
    .reverse()
    .map(({ groupEpoch, atMs, reason }) => `epoch ${groupEpoch} at ${timeText(atMs)}: ${reason}`)
  return [`Last rebalances (known ${since}): ${last.join('; ')}.`]
}

function nameOf({ memberId, instanceId, clientId, clientHost }: GroupMember): string {
  return `${instanceId ?? memberId} (${clientId} on ${clientHost})`
}

function meet(held: Partitions, others: Partitions): boolean {
  return held.some((a) => others.some((b) => a.topic === b.topic && a.partition === b.partition))
}
