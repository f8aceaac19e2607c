// A decision in the making: the group as its records so far will leave it, without a copy of the group.
// Enters: the group, what shall change. Leaves: records in the order of REPLICATION 2.13.6.
import { type AssignorName, assign, assignorNamed } from '../assignors/index.ts'
import type { GroupSettings, TopicsView } from './contract.ts'
import type { Group } from './group.ts'
import type { Current, GroupRecord, Subscriber, Target } from './records.ts'
import { describeChange, resolveSubscriptions, type Subscriptions } from './subscriptions.ts'

/** What a decision may look at besides the group. */
export type Moment = {
  readonly nowMs: number
  readonly settings: GroupSettings
  readonly topics: TopicsView
}

export class Draft {
  readonly records: GroupRecord[] = []
  groupEpoch: number
  targetEpoch: number
  readonly #group: Group
  readonly #moment: Moment
  readonly #removed = new Set<string>()
  readonly #put = new Map<string, Subscriber>()
  readonly #targets = new Map<string, Target>()
  #subscriptions: Subscriptions | undefined

  constructor(group: Group, moment: Moment) {
    this.#group = group
    this.#moment = moment
    this.groupEpoch = group.epoch.groupEpoch
    this.targetEpoch = group.targetEpoch
  }

  /** As they will be. */
  *members(): Generator<readonly [string, Subscriber]> {
    for (const entry of this.#group.members) {
      if (!this.#removed.has(entry[0]) && !this.#put.has(entry[0])) yield entry
    }
    yield* this.#put
  }

  targetOf(memberId: string): Target {
    return this.#targets.get(memberId) ?? this.#group.targetOf(memberId)
  }

  putMember(memberId: string, value: Subscriber): void {
    this.#put.set(memberId, value)
    this.#subscriptions = undefined
    this.#write({ type: 'Member', groupId: this.#group.groupId, memberId, value })
  }

  /** What it had is nobody's from these records on. */
  removeMember(memberId: string): void {
    const { groupId } = this.#group
    this.#removed.add(memberId)
    this.#subscriptions = undefined
    this.#write({ type: 'Current', groupId, memberId, value: null })
    this.#write({ type: 'TargetMember', groupId, memberId, value: null })
    this.#write({ type: 'Member', groupId, memberId, value: null })
  }

  setTarget(memberId: string, value: Target): void {
    this.#targets.set(memberId, value)
    this.#write({ type: 'TargetMember', groupId: this.#group.groupId, memberId, value })
  }

  setCurrent(memberId: string, value: Current): void {
    this.#write({ type: 'Current', groupId: this.#group.groupId, memberId, value })
  }

  /** A new assignment is needed, for this reason. */
  beginEpoch(reason: string): void {
    const { hash } = this.#resolved()
    this.groupEpoch += 1
    const { nowMs: atMs } = this.#moment
    const value = { groupEpoch: this.groupEpoch, metadataHash: hash, atMs, reason }
    this.#write({ type: 'Group', groupId: this.#group.groupId, value })
  }

  /** Begins an epoch where the subscribed topics are not what they were. */
  noticeTopics(): void {
    const { topicsSeen, epoch } = this.#group
    const before = topicsSeen?.hash === epoch.metadataHash ? topicsSeen : undefined
    const after = this.#resolved()
    if (after.hash !== epoch.metadataHash) this.beginEpoch(describeChange(before, after))
  }

  /** New targets, where they are needed and due: at once for a group that was empty (REPLICATION 2.13.1). */
  assignIfDue(): void {
    const { settings, nowMs } = this.#moment
    if (this.groupEpoch <= this.targetEpoch) return
    if (!this.#group.isEmpty && nowMs < this.#group.mayAssignAtMs(settings)) return
    const members = [...this.members()]
    if (members.length === 0) return
    const { topicsOf } = this.#resolved()
    const assigning = members.map(([memberId, { instanceId }]) => ({
      memberId,
      instanceId,
      topics: topicsOf.get(memberId) ?? [],
    }))
    const previous = new Map(members.map(([memberId]) => [memberId, this.targetOf(memberId)]))
    const name = chosenAssignor(members, settings)
    for (const [memberId, target] of assign(name, assigning, previous)) {
      if (!isSame(target, this.targetOf(memberId))) this.setTarget(memberId, target)
    }
    this.targetEpoch = this.groupEpoch
    const value = { targetEpoch: this.targetEpoch }
    this.#write({ type: 'Target', groupId: this.#group.groupId, value })
  }

  /** Whether nobody has anything to do, once this member is at `current`. */
  isStableWith(memberId: string, current: Current): boolean {
    if (this.groupEpoch > this.targetEpoch) return false
    if (current.state !== 'stable' || current.epoch !== this.targetEpoch) return false
    if (this.targetEpoch === this.#group.targetEpoch)
      return this.#group.unsettledBesides([memberId, ...this.#removed]) === 0
    // All others are at an older target.
    for (const [otherId] of this.members()) if (otherId !== memberId) return false
    return true
  }

  #resolved(): Subscriptions {
    this.#subscriptions ??= resolveSubscriptions(
      this.members(),
      this.#moment.topics,
      (expression) => this.#group.cannotRead(expression),
    )
    // Soft, and known by its hash: it explains the next change, if these records survive.
    this.#group.topicsSeen = this.#subscriptions
    return this.#subscriptions
  }

  #write(record: GroupRecord): void {
    this.records.push(record)
  }
}

/** The one most members ask for; ties, and a group that asks for none, in the order of the settings. */
export function chosenAssignor(
  members: Iterable<readonly [string, Subscriber]>,
  { assignors }: GroupSettings,
): AssignorName {
  const votes = new Map<AssignorName | undefined, number>()
  for (const [, { assignor }] of members) {
    const name = assignor === null ? undefined : assignorNamed(assignor)
    votes.set(name, (votes.get(name) ?? 0) + 1)
  }
  let chosen: AssignorName | undefined
  for (const offered of assignors) {
    const name = assignorNamed(offered)
    if (name === undefined) continue
    if (chosen === undefined || (votes.get(name) ?? 0) > (votes.get(chosen) ?? 0)) chosen = name
  }
  return chosen ?? 'sticky'
}

function isSame(a: Target, b: Target): boolean {
  if (a.size !== b.size) return false
  for (const key of a) if (!b.has(key)) return false
  return true
}
