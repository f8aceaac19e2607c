// Who leads a partition: pure functions over one partition's state. Source: REPLICATION 2.9.2; KIP-966; KIP-704.
// Enters: the state in the store and what is known of the brokers. Leaves: the next state, the same object where nothing changes.
import { assert } from '@minikafka/platform'
import type { PartitionValue } from './values.ts'

/** What an election may know of the brokers. */
export type Brokers = {
  /** Registered, and active in the controller's eyes. */
  isActive(brokerId: number): boolean
  isDraining(brokerId: number): boolean
}

/** What a replica says of its log after recovery. */
export type ReplicaAnswer = {
  readonly brokerId: number
  /** Epoch of its last batch; -1: none. */
  readonly lastEpoch: number
  readonly durableEndOffset: number
  /** Committed records are missing here (REPLICATION 2.12.1, step 6), or the log is damaged. */
  readonly lost: boolean
}

/** unclean.recovery: what may happen when ISR and ELR are empty. */
export type UncleanRecovery = 'none' | 'balanced' | 'proactive'

export type Recovered = {
  readonly state: PartitionValue
  readonly outcome:
    | 'not-needed'
    /** A last known member has not answered yet. */
    | 'waiting'
    /** It would lose acknowledged records: the partition stays without a leader. */
    | 'refused'
    /** Elected, nothing acknowledged was lost. */
    | 'recovered'
    /** Elected, acknowledged records may be gone. */
    | 'unclean'
  readonly reason: string
}

/**
 * Takes broker `b` out of leadership and ISR. It stays eligible (in the ELR) as long as the high watermark cannot move
 * without it; after an unclean stop it may have lost its last writes and is only remembered.
 */
export function fence(
  state: PartitionValue,
  brokerId: number,
  { clean, brokers }: { clean: boolean; brokers: Brokers },
): PartitionValue {
  const without = withoutIsrMember(state, brokerId)
  return elect(clean ? without : forgetUnclean(without, brokerId), brokers)
}

/**
 * Chooses the leader among those who have everything: the present one, else the first of the ISR in order of the
 * replicas, else, with an empty ISR, a member of the ELR. None of them active: no leader.
 *
 * Holds   a leader stands in the new ISR; the leader epoch is one higher exactly if the leader changed, also to none.
 */
export function elect(state: PartitionValue, brokers: Brokers): PartitionValue {
  const { isr, elr, leader } = state
  if (leader >= 0 && isr.includes(leader) && brokers.isActive(leader)) return settled(state)
  const next = state.replicas.find(
    (id) => isr.includes(id) && brokers.isActive(id) && !brokers.isDraining(id),
  )
  if (next !== undefined) return settled(led(state, next))
  if (isr.length > 0) return settled(leaderless(state))
  const eligible = state.replicas.find((id) => elr.includes(id) && brokers.isActive(id))
  if (eligible === undefined) return settled(leaderless(state))
  return settled(led(fromElr(state, eligible), eligible))
}

/**
 * What may be done when ISR and ELR are empty (a whole-cluster power cut, kill -9 of a single replica).
 *
 * Shape   `answers` of the replicas that can be asked; who is missing has not answered yet.
 * Source  REPLICATION 2.9.2: with flush=group and nothing lost, every last known member had every acknowledged
 *         record on disk, so the longest log loses nothing.
 */
export function recover(
  state: PartitionValue,
  answers: readonly ReplicaAnswer[],
  {
    recovery,
    flushGroup,
    brokers,
  }: { recovery: UncleanRecovery; flushGroup: boolean; brokers: Brokers },
): Recovered {
  if (state.leader >= 0 || state.isr.length > 0 || state.elr.length > 0) {
    return { state, outcome: 'not-needed', reason: 'it has replicas that may lead' }
  }
  const known = state.lastKnownElr
  const usable = answers.filter(({ brokerId }) => brokers.isActive(brokerId))
  const missing = known.filter((id) => !usable.some(({ brokerId }) => brokerId === id))
  if (known.length > 0 && missing.length === 0) {
    const members = usable.filter(({ brokerId }) => known.includes(brokerId))
    const complete = members.every(({ lost }) => !lost)
    if (flushGroup && complete) {
      return recovered(
        state,
        longest(state, members),
        'all replicas that had every acknowledged record are back',
      )
    }
    if (recovery === 'balanced' && !flushGroup) {
      return uncleanly(
        state,
        longest(state, members),
        'what was not synced is lost on all replicas',
      )
    }
  }
  return proactively(state, usable, { recovery, missing })
}

function proactively(
  state: PartitionValue,
  usable: readonly ReplicaAnswer[],
  { recovery, missing }: { recovery: UncleanRecovery; missing: readonly number[] },
): Recovered {
  const replicas = usable.filter(({ brokerId }) => state.replicas.includes(brokerId))
  if (recovery === 'proactive' && replicas.length > 0) {
    return uncleanly(
      state,
      longest(state, replicas),
      'unclean.recovery=proactive takes any replica',
    )
  }
  if (missing.length > 0) {
    return {
      state,
      outcome: 'waiting',
      reason: `broker ${missing.join(', ')} has to come back first`,
    }
  }
  return {
    state,
    outcome: 'refused',
    reason: 'acknowledged records are missing on every replica that had them; an operator decides',
  }
}

/** The last epoch first, then the length; among equals the last known leader, then the order of the replicas. */
function longest(state: PartitionValue, answers: readonly ReplicaAnswer[]): number {
  const preference = (id: number) =>
    id === state.lastKnownLeader ? -1 : state.replicas.indexOf(id)
  const [best] = answers.toSorted(
    (left, right) =>
      right.lastEpoch - left.lastEpoch ||
      right.durableEndOffset - left.durableEndOffset ||
      preference(left.brokerId) - preference(right.brokerId),
  )
  assert(best !== undefined, 'the longest log is one of several')
  return best.brokerId
}

function recovered(state: PartitionValue, leader: number, reason: string): Recovered {
  const next = settled(led({ ...state, isr: [leader], lastKnownElr: [] }, leader))
  return { state: next, outcome: 'recovered', reason }
}

function uncleanly(state: PartitionValue, leader: number, reason: string): Recovered {
  const next = { ...recovered(state, leader, reason).state, unclean: true }
  return { state: next, outcome: 'unclean', reason }
}

// --- the parts of a step -----------------------------------------------------------------------

function withoutIsrMember(state: PartitionValue, brokerId: number): PartitionValue {
  if (!state.isr.includes(brokerId)) return state
  const isr = state.isr.filter((id) => id !== brokerId)
  const candidates = [...state.elr, ...state.isr.filter((id) => !state.elr.includes(id))]
  const elr = isr.length >= state.minIsr ? [] : candidates.filter((id) => !isr.includes(id))
  return { ...state, isr, elr }
}

function forgetUnclean(state: PartitionValue, brokerId: number): PartitionValue {
  if (!state.elr.includes(brokerId)) return state
  const elr = state.elr.filter((id) => id !== brokerId)
  return { ...state, elr, lastKnownElr: [...state.lastKnownElr, brokerId] }
}

function fromElr(state: PartitionValue, brokerId: number): PartitionValue {
  return { ...state, isr: [brokerId], elr: state.elr.filter((id) => id !== brokerId) }
}

function led(state: PartitionValue, leader: number): PartitionValue {
  return {
    ...state,
    leader,
    leaderEpoch: state.leaderEpoch + (leader === state.leader ? 0 : 1),
    lastKnownLeader: undefined,
    unclean: false,
  }
}

function leaderless(state: PartitionValue): PartitionValue {
  if (state.leader < 0) return state
  return {
    ...state,
    leader: -1,
    leaderEpoch: state.leaderEpoch + 1,
    lastKnownLeader: state.lastKnownLeader ?? state.leader,
  }
}

/** An ISR of minIsr members makes everybody else's completeness irrelevant: the high watermark may move without them. */
function settled(state: PartitionValue): PartitionValue {
  if (state.isr.length < state.minIsr) return state
  if (state.elr.length === 0 && state.lastKnownElr.length === 0) return state
  return { ...state, elr: [], lastKnownElr: [] }
}
