import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Brokers, elect, fence } from './election.ts'
import type { PartitionValue } from './values.ts'

const IDS = [1, 2, 3, 4, 5]

/** Any state that an earlier step may have left: ISR and ELR are disjoint parts of the replicas, a leader is in the ISR. */
const states = fc
  .record({
    replicas: fc.shuffledSubarray(IDS, { minLength: 1 }),
    places: fc.array(fc.constantFrom('isr', 'elr', 'known', 'out'), { minLength: 5, maxLength: 5 }),
    minIsr: fc.integer({ min: 1, max: 5 }),
    led: fc.boolean(),
    leaderEpoch: fc.nat(1000),
  })
  .map(({ replicas, places, minIsr, led, leaderEpoch }): PartitionValue => {
    const at = (place: string) => replicas.filter((_, index) => places[index] === place)
    const isr = at('isr')
    const full = isr.length >= minIsr
    const leader = led && isr[0] !== undefined ? isr[0] : -1
    return {
      replicas,
      isr,
      elr: full ? [] : at('elr'),
      lastKnownElr: full ? [] : at('known'),
      lastKnownLeader: undefined,
      leader,
      leaderEpoch,
      adding: [],
      removing: [],
      minIsr: Math.min(minIsr, replicas.length),
      unclean: false,
    }
  })

const worlds = fc.record({ active: fc.subarray(IDS), draining: fc.subarray(IDS) }).map(
  ({ active, draining }): Brokers => ({
    isActive: (id) => active.includes(id),
    isDraining: (id) => draining.includes(id),
  }),
)

/** What holds between a state and what an election made of it. */
function check(before: PartitionValue, after: PartitionValue, brokers: Brokers): void {
  expect(after.replicas).toBe(before.replicas)
  expect(after.leaderEpoch - before.leaderEpoch).toBe(after.leader === before.leader ? 0 : 1)
  if (after.leader >= 0) {
    expect(after.isr).toContain(after.leader)
    expect(brokers.isActive(after.leader)).toBe(true)
    expect([...before.isr, ...before.elr]).toContain(after.leader)
  }
  for (const id of after.isr) expect([...before.isr, ...before.elr]).toContain(id)
  for (const id of after.elr) expect([...before.isr, ...before.elr]).toContain(id)
  expect(after.isr.filter((id) => after.elr.includes(id))).toEqual([])
  expect(after.elr.filter((id) => after.lastKnownElr.includes(id))).toEqual([])
  if (after.isr.length >= after.minIsr) expect([after.elr, after.lastKnownElr]).toEqual([[], []])
  if (before.isr.length > 0 && after.isr.length > 0 && before.leader === after.leader) return
  if (after.leader < 0 && before.leader >= 0) expect(after.lastKnownLeader).toBe(before.leader)
}

describe('elections over random states', () => {
  test('elect: a leader stands in the ISR, is active, and had everything', () => {
    fc.assert(
      fc.property(states, worlds, (state, brokers) => check(state, elect(state, brokers), brokers)),
    )
  })

  test('elect finds a leader whenever there is somebody to take', () => {
    fc.assert(
      fc.property(states, worlds, (state, brokers) => {
        const after = elect(state, brokers)
        const fromIsr = state.isr.some((id) => brokers.isActive(id) && !brokers.isDraining(id))
        const fromElr = state.isr.length === 0 && state.elr.some((id) => brokers.isActive(id))
        if (fromIsr || fromElr) expect(after.leader).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  test('elect has nothing left to do after itself', () => {
    fc.assert(
      fc.property(states, worlds, (state, brokers) => {
        const after = elect(state, brokers)
        expect(elect(after, brokers)).toBe(after)
      }),
    )
  })

  test('fence: the fenced broker leads nothing, is in no ISR, and after an unclean stop in no ELR', () => {
    fc.assert(
      fc.property(
        states,
        worlds,
        fc.constantFrom(...IDS),
        fc.boolean(),
        (state, all, id, clean) => {
          const brokers = {
            ...all,
            isActive: (other: number) => other !== id && all.isActive(other),
          }
          const after = fence(state, id, { clean, brokers })
          check(state, after, brokers)
          expect(after.leader).not.toBe(id)
          expect(after.isr).not.toContain(id)
          if (!clean) expect(after.elr).not.toContain(id)
        },
      ),
    )
  })

  test('fence forgets nobody who may have every acknowledged record while the ISR is below minIsr', () => {
    fc.assert(
      fc.property(
        states,
        worlds,
        fc.constantFrom(...IDS),
        fc.boolean(),
        (state, all, id, clean) => {
          const brokers = {
            ...all,
            isActive: (other: number) => other !== id && all.isActive(other),
          }
          const after = fence(state, id, { clean, brokers })
          if (after.isr.length >= after.minIsr) return
          const kept = [...after.isr, ...after.elr, ...after.lastKnownElr]
          for (const one of [...state.isr, ...state.elr]) expect(kept).toContain(one)
        },
      ),
    )
  })
})
