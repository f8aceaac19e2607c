// Members and the coordinator's own state machine, playing together without clock and network: whatever is lost on the
// way, whoever is slow, leaves or comes back, no two of them work on the same partition.

import { MinikafkaError } from '@minikafka/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Groups, type TopicFacts, type TopicsView } from '../../../coordinator/src/index.ts'
import { keyOf } from './holding.ts'
import { Member } from './member.ts'

const SESSION_MS = 15_000
const TOPICS: readonly TopicFacts[] = [
  { name: 'orders', topicId: 'a0000000-0000-4000-8000-000000000001', partitionCount: 3 },
  { name: 'totals', topicId: 'a0000000-0000-4000-8000-000000000002', partitionCount: 2 },
]
const MEMBERS = 3

/** What becomes of the heartbeats of a member until it is said otherwise. */
type Fate = 'served' | 'request lost' | 'answer lost'

type Command =
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'begin' | 'release' | 'join' | 'leave' | 'remove'; readonly who: number }
  | { readonly kind: 'fate'; readonly who: number; readonly fate: Fate }

class Play {
  readonly groups: Groups
  readonly members: readonly Member[]
  readonly #fates: Fate[]
  #nowMs = 1_000_000
  #offset = 0
  /** Who was removed by an admin does not know it before its next heartbeat, or the end of its session. */
  #removedMs = 0

  constructor() {
    const topics: TopicsView = {
      byName: (name) => TOPICS.find((topic) => topic.name === name),
      byId: (topicId) => TOPICS.find((topic) => topic.topicId === topicId),
      matching: () => TOPICS.map(({ name }) => name),
    }
    this.groups = new Groups(() => SETTINGS, topics)
    this.groups.loaded(this.#nowMs)
    this.members = Array.from({ length: MEMBERS }, (_, index) => {
      return new Member({
        groupId: 'g',
        memberId: `m${index}`,
        instanceId: null,
        topics: TOPICS.map(({ name }) => name),
        pattern: null,
        rebalanceTimeoutMs: 30_000,
        backoffMs: (failures) => Math.min(5000, 100 * 2 ** failures),
      })
    })
    this.#fates = this.members.map(() => 'served')
  }

  do(command: Command): void {
    if (command.kind === 'pass') this.pass(command.ms)
    else this.#doFor(command)
    this.#pump()
  }

  #doFor(command: Exclude<Command, { kind: 'pass' }>): void {
    const member = this.members[command.who] as Member
    if (command.kind === 'begin') member.begun(member.toBegin())
    else if (command.kind === 'release') member.released(member.toRelease())
    else if (command.kind === 'join') member.join(this.#nowMs)
    else if (command.kind === 'leave') member.leave(-1, this.#nowMs)
    else if (command.kind === 'fate') this.#fates[command.who] = command.fate
    else this.#remove(command.who)
  }

  /** Time passes in steps no longer than members look at their clocks. */
  pass(ms: number): void {
    for (const endMs = this.#nowMs + ms; this.#nowMs < endMs; ) {
      this.#nowMs = Math.min(endMs, this.#nowMs + 100)
      this.#pump()
    }
  }

  /** Everything is well, and everybody does what is asked, until nothing is asked any more. */
  heal(): void {
    this.#fates.fill('served')
    for (let round = 0; round < 400; round++) {
      for (const who of this.members.keys()) {
        this.do({ kind: 'begin', who })
        this.do({ kind: 'release', who })
      }
      this.pass(200)
    }
  }

  #pump(): void {
    const wakeAtMs = this.groups.wakeAt('g')
    if (wakeAtMs !== undefined && wakeAtMs <= this.#nowMs)
      this.#handle({ kind: 'tick', groupId: 'g' })
    for (const who of this.members.keys()) this.#beat(who)
    if (this.#nowMs >= this.#removedMs + SESSION_MS) this.#check()
  }

  #check(): void {
    for (const [key, holders] of this.held()) {
      if (holders.length > 1) throw new Error(`${key} is held by ${holders.join(' and ')}`)
    }
  }

  #beat(who: number): void {
    const member = this.members[who] as Member
    for (let turns = 0; turns < 10; turns++) {
      const step = member.next(this.#nowMs)
      member.takeLost()
      if (step.kind === 'wait') return
      const fate = this.#fates[who]
      const lost = new MinikafkaError('NETWORK_EXCEPTION')
      try {
        if (fate === 'request lost') throw lost
        const client = { clientId: 'c', clientHost: 'h' }
        const answer = this.#handle({ kind: 'heartbeat', body: step.request, ...client })
        if (fate === 'answer lost') throw lost
        member.answered(step.ticket, answer)
      } catch (error) {
        member.refused(step.ticket, error as MinikafkaError, this.#nowMs)
      }
    }
  }

  #remove(who: number): void {
    this.#removedMs = this.#nowMs
    const members = [{ memberId: `m${who}`, instanceId: null, reason: null }]
    try {
      this.#handle({ kind: 'leave', body: { groupId: 'g', members } })
    } catch (error) {
      expect(error).toMatchObject({ name: 'GROUP_ID_NOT_FOUND' })
    }
  }

  #handle<K extends Parameters<Groups['handle']>[0]['kind']>(
    request: Extract<Parameters<Groups['handle']>[0], { kind: K }>,
  ) {
    const decision = this.groups.handle<K>(request as never, this.#nowMs)
    for (const record of decision.records) this.groups.replay(this.#offset++, record)
    return decision.response
  }

  /** By member: what it may be working on. */
  held(): Map<string, number[]> {
    const holders = new Map<string, number[]>()
    for (const [who, member] of this.members.entries())
      for (const place of member.held()) {
        const key = keyOf(place)
        holders.set(key, [...(holders.get(key) ?? []), who])
      }
    return holders
  }

  /** Whether the coordinator takes a commit of it. */
  mayCommit(who: number, topicId: string, partition: number): boolean {
    const { epoch } = this.members[who] as Member
    const where = { topicId, partition, offset: 1, leaderEpoch: -1, metadata: null }
    const who_ = { memberId: `m${who}`, memberEpoch: epoch, instanceId: null }
    try {
      const body = { groupId: 'g', ...who_, positions: [where] }
      const { response } = this.groups.handle({ kind: 'commit', body }, this.#nowMs)
      return response.results[0]?.errorCode === 0
    } catch {
      return false
    }
  }
}

const SETTINGS = {
  sessionTimeoutMs: SESSION_MS,
  heartbeatIntervalMs: 3000,
  assignmentIntervalMs: 1000,
  membersMax: 10,
  offsetsRetentionMs: 1e9,
  assignors: ['sticky', 'range', 'roundrobin'],
}

const who = fc.nat(MEMBERS - 1)
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('pass'),
      ms: fc.constantFrom(100, 700, 3000, 8000, 20_000),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('begin', 'release', 'join'), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('leave', 'remove'), who }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('fate'),
      who,
      fate: fc.constantFrom<Fate>('served', 'served', 'request lost', 'answer lost'),
    }),
  },
) as fc.Arbitrary<Command>

const start: Command[] = [0, 1].map((each) => ({ kind: 'join', who: each }))

test('no two members hold a partition, at no moment', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      const play = new Play()
      for (const each of [...start, ...commands]) play.do(each)
    }),
    { numRuns: 200 },
  )
})

test('when all is well again, everything is held by one of those who are in, who may commit it, and nobody waits', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
      const play = new Play()
      for (const each of [...start, ...commands]) play.do(each)
      play.heal()
      const inside = play.members.filter(({ state }) => state === 'in')
      expect(play.members.map(({ state }) => state)).not.toContain('joining')
      const held = play.held()
      expect(held.size).toBe(inside.length === 0 ? 0 : 5)
      for (const { topicId, partitionCount } of inside.length === 0 ? [] : TOPICS)
        for (let partition = 0; partition < partitionCount; partition++) {
          const holders = held.get(keyOf({ topicId, partition })) ?? []
          expect(holders).toHaveLength(1)
          expect(play.mayCommit(holders[0] ?? -1, topicId, partition)).toBe(true)
        }
      for (const member of inside) expect(member.isSettled).toBe(true)
    }),
    { numRuns: 60 },
  )
})
