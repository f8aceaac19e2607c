// One group: what its committed records say, and what the coordinator has noticed since it began to look after it.
// Enters: committed records with the time. Leaves: facts; it decides nothing.
import { assert } from '@minikafka/protocol'
import type { GroupSettings } from './contract.ts'
import type { PartitionKey } from './partitions.ts'
import type { Current, Epoch, GroupRecord, Position, Subscriber, Target } from './records.ts'
import type { Subscriptions, Unreadable } from './subscriptions.ts'

export type GroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable'

/** Kafka's member epoch of a static member that left and will be back. */
export const AWAY_EPOCH = -2
const REBALANCES_KEPT = 20
const NO_EPOCH: Epoch = { groupEpoch: 0, metadataHash: '', atMs: 0, reason: '' }
const NO_TARGET: Target = new Set()
export const NOTHING: Current = {
  epoch: 0,
  previousEpoch: 0,
  state: 'stable',
  assigned: new Map(),
  revoking: new Map(),
}

export class Group {
  readonly groupId: string

  // Hard state: replay() alone writes it.
  epoch: Epoch = NO_EPOCH
  /** The group epoch that the targets were made for. Invariant: targetEpoch <= epoch.groupEpoch. */
  targetEpoch = 0
  readonly members = new Map<string, Subscriber>()
  readonly #targets = new Map<string, Target>()
  readonly #currents = new Map<string, Current>()
  /** By topic id, by partition. */
  readonly positions = new Map<string, Map<number, Position>>()
  /** About what positions and members take in memory. */
  heldBytes = 0

  // Derived from it, once all of it is known.
  /** Invariant: a partition is assigned to, or being revoked from, one member at most. */
  readonly #owners = new Map<PartitionKey, string>()
  #unsettledCount: number | undefined

  // Soft state: the next coordinator begins it afresh.
  readonly #heardAtMs = new Map<string, number>()
  /** Of members that have to give something up: since when. */
  readonly #revokingSinceMs = new Map<string, number>()
  #assignedAtMs = Number.NEGATIVE_INFINITY
  #wakeAtMs: number | undefined
  /** Those that it was reckoned with. */
  #wakeSettings: GroupSettings | undefined
  /** The topics behind the metadata hash; undefined: nobody has looked yet. */
  topicsSeen: Subscriptions | undefined
  /** Why expressions of members cannot be evaluated, noticed since the last tick. */
  readonly #unreadable = new Map<string, string>()
  readonly rebalances: Epoch[] = []

  constructor(groupId: string) {
    this.groupId = groupId
  }

  get isEmpty(): boolean {
    return this.members.size === 0
  }

  /** No record speaks of it any more. */
  get isNothing(): boolean {
    return (
      this.isEmpty &&
      this.positions.size === 0 &&
      this.epoch === NO_EPOCH &&
      this.targetEpoch === 0 &&
      this.#currents.size === 0 &&
      this.#targets.size === 0
    )
  }

  get state(): GroupState {
    if (this.isEmpty) return 'Empty'
    if (this.epoch.groupEpoch > this.targetEpoch) return 'Assigning'
    return this.unsettledBesides([]) > 0 ? 'Reconciling' : 'Stable'
  }

  targetOf(memberId: string): Target {
    return this.#targets.get(memberId) ?? NO_TARGET
  }

  currentOf(memberId: string): Current {
    return this.#currents.get(memberId) ?? NOTHING
  }

  /** Who may be working on it. */
  ownerOf(key: PartitionKey): string | undefined {
    return this.#owners.get(key)
  }

  /** The member with this instance id. */
  holderOf(instanceId: string): string | undefined {
    for (const [memberId, member] of this.members) {
      if (member.instanceId === instanceId) return memberId
    }
    return undefined
  }

  /** How many members, without these, are not where the targets want them. */
  unsettledBesides(memberIds: readonly string[]): number {
    this.#unsettledCount ??= [...this.members.keys()].filter((id) => !this.#isSettled(id)).length
    const excluded = memberIds.filter((id) => this.members.has(id) && !this.#isSettled(id))
    return this.#unsettledCount - excluded.length
  }

  #isSettled(memberId: string): boolean {
    const { state, epoch } = this.currentOf(memberId)
    return state === 'stable' && epoch === this.targetEpoch
  }

  // --- replay --------------------------------------------------------------------------------

  /** `isLoaded` false: records of other keys may yet contradict this one. */
  replay(record: GroupRecord, nowMs: number, isLoaded: boolean): void {
    if (record.type === 'Offset') {
      this.#replayPosition(record.topicId, record.partition, record.value)
      return
    }
    this.#unsettledCount = undefined
    this.#wakeAtMs = undefined
    switch (record.type) {
      case 'Group':
        this.#replayEpoch(record.value)
        break
      case 'Member':
        this.#replayMember(record.memberId, record.value, nowMs)
        break
      case 'Target':
        this.targetEpoch = record.value?.targetEpoch ?? 0
        if (record.value !== null) this.#assignedAtMs = nowMs
        break
      case 'TargetMember':
        put(this.#targets, record.memberId, record.value)
        break
      case 'Current':
        if (isLoaded) this.#changeOwner(record.memberId, record.value ?? NOTHING)
        this.#replayCurrent(record.memberId, record.value, nowMs)
    }
  }

  #replayPosition(topicId: string, partition: number, value: Position | null): void {
    const ofTopic = this.positions.get(topicId)
    this.heldBytes += positionBytes(value) - positionBytes(ofTopic?.get(partition))
    if (ofTopic !== undefined) put(ofTopic, partition, value)
    else if (value !== null) this.positions.set(topicId, new Map([[partition, value]]))
    if (ofTopic?.size === 0) this.positions.delete(topicId)
  }

  #replayEpoch(value: Epoch | null): void {
    this.epoch = value ?? NO_EPOCH
    if (value === null) return
    this.rebalances.push(value)
    if (this.rebalances.length > REBALANCES_KEPT) this.rebalances.shift()
  }

  #replayMember(memberId: string, value: Subscriber | null, nowMs: number): void {
    this.heldBytes += memberBytes(value) - memberBytes(this.members.get(memberId))
    put(this.members, memberId, value)
    if (value === null) this.#heardAtMs.delete(memberId)
    else this.#heardAtMs.set(memberId, nowMs)
  }

  #replayCurrent(memberId: string, value: Current | null, nowMs: number): void {
    const before = this.currentOf(memberId)
    put(this.#currents, memberId, value)
    if (value?.state !== 'unrevoked') this.#revokingSinceMs.delete(memberId)
    else if (before.state !== 'unrevoked' || before.epoch !== value.epoch)
      this.#revokingSinceMs.set(memberId, nowMs)
  }

  #changeOwner(memberId: string, value: Current): void {
    const before = this.currentOf(memberId)
    for (const holdings of [before.assigned, before.revoking]) {
      for (const key of holdings.keys()) this.#owners.delete(key)
    }
    for (const holdings of [value.assigned, value.revoking]) {
      for (const key of holdings.keys()) {
        assert(!this.#owners.has(key), 'a partition has one owner at most')
        this.#owners.set(key, memberId)
      }
    }
  }

  /** All records are there, or the clock was set: every deadline begins anew. */
  loaded(nowMs: number): void {
    this.#owners.clear()
    this.#heardAtMs.clear()
    this.#revokingSinceMs.clear()
    this.#assignedAtMs = Number.NEGATIVE_INFINITY
    this.#wakeAtMs = undefined
    for (const memberId of this.members.keys()) {
      const { state, assigned, revoking } = this.currentOf(memberId)
      this.#heardAtMs.set(memberId, nowMs)
      if (state === 'unrevoked') this.#revokingSinceMs.set(memberId, nowMs)
      for (const holdings of [assigned, revoking]) {
        for (const key of holdings.keys()) {
          assert(!this.#owners.has(key), 'a partition has one owner at most')
          this.#owners.set(key, memberId)
        }
      }
    }
  }

  // --- time ----------------------------------------------------------------------------------

  heard(memberId: string, nowMs: number): void {
    if (this.#heardAtMs.has(memberId)) this.#heardAtMs.set(memberId, nowMs)
  }

  heardAtMs(memberId: string): number {
    return this.#heardAtMs.get(memberId) ?? Number.NEGATIVE_INFINITY
  }

  sessionEndsAtMs(memberId: string, { sessionTimeoutMs }: GroupSettings): number {
    return this.heardAtMs(memberId) + sessionTimeoutMs
  }

  /** Until when it has to give up what it has to; Infinity: it has nothing to. */
  revocationEndsAtMs(memberId: string): number {
    const sinceMs = this.#revokingSinceMs.get(memberId)
    const timeoutMs = this.members.get(memberId)?.rebalanceTimeoutMs ?? 0
    return sinceMs === undefined ? Number.POSITIVE_INFINITY : sinceMs + timeoutMs
  }

  /** From when on new targets may be made: making them is dear, and members come in crowds. */
  mayAssignAtMs({ assignmentIntervalMs }: GroupSettings): number {
    return this.#assignedAtMs + assignmentIntervalMs
  }

  /** Not after any deadline. Heartbeats move deadlines away without a look at all of them: a tick does that. */
  wakeAtMs(settings: GroupSettings): number {
    if (this.#wakeAtMs === undefined || this.#wakeSettings !== settings) {
      this.#wakeAtMs = this.#earliestDeadlineMs(settings)
      this.#wakeSettings = settings
    }
    return this.#wakeAtMs
  }

  ticked(): void {
    this.#wakeAtMs = undefined
    this.#unreadable.clear()
  }

  /** Nothing can be decided as long as a member wants this: the next tick, which is due at once, puts it out. */
  cannotRead({ regex, why }: Unreadable): void {
    this.#unreadable.set(regex, why)
    this.#wakeAtMs = undefined
  }

  /** Why nobody can say which topics this member wants; undefined: all is well, as far as is known. */
  whyUnreadable({ regex }: Subscriber): string | undefined {
    return this.#unreadable.get(regex)
  }

  #earliestDeadlineMs(settings: GroupSettings): number {
    if (this.isEmpty) return Number.POSITIVE_INFINITY
    if (this.#unreadable.size > 0) return Number.NEGATIVE_INFINITY
    const mustAssign = this.epoch.groupEpoch > this.targetEpoch
    let earliestMs = mustAssign ? this.mayAssignAtMs(settings) : Number.POSITIVE_INFINITY
    for (const memberId of this.members.keys()) {
      const sessionMs = this.sessionEndsAtMs(memberId, settings)
      earliestMs = Math.min(earliestMs, sessionMs, this.revocationEndsAtMs(memberId))
    }
    return earliestMs
  }
}

/** 119 in maps of a thousand, more in small ones. */
const POSITION_BYTES = 160
const MEMBER_BYTES = 2_000
const TOPIC_BYTES = 32

export function positionBytes(position: Pick<Position, 'metadata'> | null | undefined): number {
  return position ? POSITION_BYTES + (position.metadata?.length ?? 0) : 0
}

export function memberBytes(
  member: Pick<Subscriber, 'topics' | 'regex'> | null | undefined,
): number {
  if (!member) return 0
  const names = member.topics.reduce((bytes, { length }) => bytes + TOPIC_BYTES + length, 0)
  return MEMBER_BYTES + names + member.regex.length
}

function put<K, V>(map: Map<K, V>, key: K, value: V | null): void {
  if (value === null) map.delete(key)
  else map.set(key, value)
}
