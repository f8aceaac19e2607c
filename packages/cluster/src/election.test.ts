import { describe, expect, test } from 'vitest'
import { type Brokers, elect, fence, type ReplicaAnswer, recover } from './election.ts'
import type { PartitionValue } from './values.ts'

function partition(fields: Partial<PartitionValue>): PartitionValue {
  return {
    replicas: [1, 2, 3],
    isr: [1, 2, 3],
    elr: [],
    lastKnownElr: [],
    lastKnownLeader: undefined,
    leader: 1,
    leaderEpoch: 5,
    adding: [],
    removing: [],
    minIsr: 2,
    unclean: false,
    ...fields,
  }
}

function brokers(active: readonly number[], draining: readonly number[] = []): Brokers {
  return { isActive: (id) => active.includes(id), isDraining: (id) => draining.includes(id) }
}

type Row = {
  readonly what: string
  readonly before: Partial<PartitionValue>
  readonly after: Partial<PartitionValue>
}

describe('fence', () => {
  type FenceRow = Row & { broker: number; clean: boolean; active: readonly number[] }
  const rows: readonly FenceRow[] = [
    {
      what: 'of a follower shrinks the ISR, the leader and its epoch stay',
      broker: 2,
      clean: true,
      active: [1, 3],
      before: {},
      after: { isr: [1, 3] },
    },
    {
      what: 'of the leader elects the next of the ISR in order of the replicas',
      broker: 1,
      clean: true,
      active: [2, 3],
      before: { isr: [3, 2, 1] },
      after: { isr: [3, 2], leader: 2, leaderEpoch: 6 },
    },
    {
      what: 'below minIsr keeps the fenced broker eligible',
      broker: 2,
      clean: true,
      active: [1],
      before: { isr: [1, 2] },
      after: { isr: [1], elr: [2] },
    },
    {
      what: 'after an unclean stop below minIsr only remembers it',
      broker: 2,
      clean: false,
      active: [1],
      before: { isr: [1, 2] },
      after: { isr: [1], lastKnownElr: [2] },
    },
    {
      what: 'of the last one in sync leaves no leader, remembers it, and it stays eligible',
      broker: 1,
      clean: true,
      active: [],
      before: { isr: [1], elr: [2] },
      after: { isr: [], elr: [2, 1], leader: -1, leaderEpoch: 6, lastKnownLeader: 1 },
    },
    {
      what: 'of the last one in sync elects an active member of the ELR',
      broker: 1,
      clean: true,
      active: [3],
      before: { isr: [1], elr: [2, 3] },
      after: { isr: [3], elr: [2, 1], leader: 3, leaderEpoch: 6 },
    },
    {
      what: 'of the only replica, unclean, empties ISR and ELR',
      broker: 1,
      clean: false,
      active: [],
      before: { replicas: [1], isr: [1], minIsr: 1 },
      after: {
        replicas: [1],
        isr: [],
        lastKnownElr: [1],
        minIsr: 1,
        leader: -1,
        leaderEpoch: 6,
        lastKnownLeader: 1,
      },
    },
    {
      what: 'of an eligible broker that comes back unclean takes it out of the ELR',
      broker: 2,
      clean: false,
      active: [],
      before: { isr: [], elr: [2, 1], leader: -1, lastKnownLeader: 1 },
      after: { isr: [], elr: [1], lastKnownElr: [2], leader: -1, lastKnownLeader: 1 },
    },
    {
      what: 'never chooses a broker that is active for others but the one fenced',
      broker: 1,
      clean: true,
      active: [2],
      before: { isr: [1, 2], minIsr: 1 },
      after: { isr: [2], leader: 2, leaderEpoch: 6, minIsr: 1 },
    },
  ]
  test.each(rows)('$what', ({ broker, clean, active, before, after }) => {
    expect(fence(partition(before), broker, { clean, brokers: brokers(active) })).toEqual(
      partition(after),
    )
  })

  test('of a broker that has nothing to do with it changes nothing', () => {
    const state = partition({})
    expect(fence(state, 9, { clean: false, brokers: brokers([1, 2, 3]) })).toBe(state)
  })
})

describe('elect', () => {
  type ElectRow = Row & { active: readonly number[]; draining?: readonly number[] }
  const rows: readonly ElectRow[] = [
    {
      what: 'keeps a leader that is active and in the ISR, even the second of the replicas',
      active: [1, 2, 3],
      before: { leader: 2 },
      after: { leader: 2 },
    },
    {
      what: 'passes over a draining broker',
      active: [1, 2, 3],
      draining: [2],
      before: { isr: [2, 3], leader: -1 },
      after: { isr: [2, 3], leader: 3, leaderEpoch: 6 },
    },
    {
      what: 'takes nobody from the ELR while the ISR has members, though none is active',
      active: [3],
      before: { isr: [1], elr: [3], leader: -1, minIsr: 2 },
      after: { isr: [1], elr: [3], leader: -1, minIsr: 2 },
    },
    {
      what: 'gives a single broker its partition back after a clean restart',
      active: [1],
      before: { replicas: [1], isr: [], elr: [1], leader: -1, minIsr: 1, lastKnownLeader: 1 },
      after: { replicas: [1], isr: [1], elr: [], leader: 1, leaderEpoch: 6, minIsr: 1 },
    },
    {
      what: 'forgets the ELR when the ISR reaches minIsr',
      active: [1, 2],
      before: { isr: [1, 2], elr: [3], lastKnownElr: [3] },
      after: { isr: [1, 2] },
    },
    {
      what: 'calls a clean election clean again',
      active: [2],
      before: { isr: [2], leader: -1, unclean: true, minIsr: 1 },
      after: { isr: [2], leader: 2, leaderEpoch: 6, minIsr: 1 },
    },
  ]
  test.each(rows)('$what', ({ active, draining, before, after }) => {
    expect(elect(partition(before), brokers(active, draining))).toEqual(partition(after))
  })
})

describe('recover, with ISR and ELR empty', () => {
  const gone = { isr: [], elr: [], lastKnownElr: [1, 2], leader: -1, lastKnownLeader: 2 }
  const answer = (brokerId: number, fields: Partial<ReplicaAnswer> = {}): ReplicaAnswer => ({
    brokerId,
    lastEpoch: 5,
    durableEndOffset: 100,
    lost: false,
    ...fields,
  })
  const all = brokers([1, 2, 3])

  type RecoverRow = {
    what: string
    answers: ReplicaAnswer[]
    recovery?: 'none' | 'balanced' | 'proactive'
    flushGroup?: boolean
    outcome: string
    leader: number
    unclean?: boolean
  }
  const rows: readonly RecoverRow[] = [
    {
      what: 'waits for all last known members',
      answers: [answer(1)],
      outcome: 'waiting',
      leader: -1,
    },
    {
      what: 'takes the longest log once all are back and nothing is lost',
      answers: [answer(1, { durableEndOffset: 101 }), answer(2)],
      outcome: 'recovered',
      leader: 1,
    },
    {
      what: 'takes the last epoch before the length',
      answers: [answer(1, { durableEndOffset: 500, lastEpoch: 4 }), answer(2)],
      outcome: 'recovered',
      leader: 2,
    },
    {
      what: 'takes the last known leader among equals',
      answers: [answer(1), answer(2)],
      outcome: 'recovered',
      leader: 2,
    },
    {
      what: 'with flush=group does so even where unclean recovery is off',
      answers: [answer(1), answer(2)],
      recovery: 'none',
      outcome: 'recovered',
      leader: 2,
    },
    {
      what: 'stays without a leader where acknowledged records are lost',
      answers: [answer(1), answer(2, { lost: true })],
      outcome: 'refused',
      leader: -1,
    },
    {
      what: 'goes on without flush=group, and says that it was unclean',
      answers: [answer(1), answer(2)],
      flushGroup: false,
      outcome: 'unclean',
      leader: 2,
      unclean: true,
    },
    {
      what: 'without flush=group and with unclean recovery off stays without a leader',
      answers: [answer(1), answer(2)],
      flushGroup: false,
      recovery: 'none',
      outcome: 'refused',
      leader: -1,
    },
    {
      what: 'with proactive recovery waits for nobody and takes any replica',
      answers: [answer(3)],
      recovery: 'proactive',
      outcome: 'unclean',
      leader: 3,
      unclean: true,
    },
  ]
  test.each(rows)('$what', (row) => {
    const { state, outcome } = recover(partition(gone), row.answers, {
      recovery: row.recovery ?? 'balanced',
      flushGroup: row.flushGroup ?? true,
      brokers: all,
    })
    expect(outcome).toBe(row.outcome)
    expect(state.leader).toBe(row.leader)
    expect(state.leaderEpoch).toBe(row.leader < 0 ? 5 : 6)
    expect(state.isr).toEqual(row.leader < 0 ? [] : [row.leader])
    expect(state.unclean).toBe(row.unclean ?? false)
  })

  test('is not needed while somebody is eligible', () => {
    const state = partition({ isr: [], elr: [3], leader: -1 })
    const options = { recovery: 'proactive', flushGroup: false, brokers: all } as const
    expect(recover(state, [answer(1)], options)).toMatchObject({ state, outcome: 'not-needed' })
  })
})
