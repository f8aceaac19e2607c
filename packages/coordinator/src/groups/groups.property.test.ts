import { isMinikafkaError } from '@minikafka/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MemberTwin, type Subscription } from '../../test/member-twin.ts'
import { compacted, keyByKey, MiniHost } from '../../test/world.ts'
import { keysOf } from './partitions.ts'
import { decodeGroupRecord, encodeGroupRecord } from './record-codec.ts'

const GROUP = 'billing'
const NAMES = ['a', 'b', 'c', 'd'] as const
const TOPICS = ['orders', 'payments', 'audit'] as const
/** A session and some more, in heartbeats of a second. */
const QUIET_SECONDS = 40
const REPLAY_EVERY = 16
const RUNS = 50

const member = fc.nat({ max: NAMES.length - 1 })
const topic = fc.constantFrom(...TOPICS)
const subscription: fc.Arbitrary<Subscription> = fc.record({
  topics: fc.subarray([...TOPICS]),
  regex: fc.constantFrom('', '', 'orders|audit', '.*'),
  assignor: fc.constantFrom(null, 'range', 'roundrobin', 'sticky', 'uniform'),
})

const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('beat'), member, lost: fc.boolean() }) },
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constant('beat'), member, lost: fc.constant(false) }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('finish'), member }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('commit'), member, offset: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave'), member, forGood: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restart'), member }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('mind'), member, subscription }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('takeOut'), member }) },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('advance'), ms: fc.constantFrom(400, 1_000, 9_000) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('topic'),
      topic,
      count: fc.integer({ min: 0, max: 6 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('reload'), compact: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('disk'), full: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('expire') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deleteGroup') }) },
)

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** A group, its members as they see themselves, and what must hold after each step. */
class Play {
  readonly host = new MiniHost()
  readonly members: readonly MemberTwin[]
  /** All pairs of partition and epoch that a member ever had: a late commit may come from any of them. */
  readonly #past = new Map<MemberTwin, Set<number>>()

  constructor(subscriptions: readonly Subscription[]) {
    this.host.topics.put('orders', 3)
    this.members = NAMES.map((name, index) => {
      const subscribed = subscriptions[index % subscriptions.length] as Subscription
      return new MemberTwin(GROUP, name, subscribed, index < 2)
    })
  }

  take(given: Step): void {
    const memberTwin = 'member' in given ? this.members[given.member] : undefined
    if (memberTwin !== undefined) this.#takeOf(memberTwin, given)
    else if ('ms' in given) this.host.advance(given.ms, () => {})
    else if ('topic' in given) this.#changeTopic(given.topic, given.count)
    else if ('compact' in given)
      this.host.restart(given.compact ? (log) => compacted(log).reverse() : undefined)
    else if ('full' in given) this.host.isFull = given.full
    else if (given.do === 'expire')
      this.#try(() => this.host.ask({ kind: 'expire', groupId: GROUP }))
    else this.#try(() => this.host.ask({ kind: 'delete', groupId: GROUP }))
  }

  #takeOf(memberTwin: MemberTwin, given: Step): void {
    if ('lost' in given) memberTwin.beat(this.host, given.lost)
    else if ('offset' in given) memberTwin.commit(this.host, given.offset)
    else if ('forGood' in given) memberTwin.leave(this.host, given.forGood)
    else if ('subscription' in given) memberTwin.changeMind(given.subscription)
    else if (given.do === 'finish') memberTwin.finish()
    else if (given.do === 'restart') memberTwin.restart()
    else if (given.do === 'takeOut') {
      const gone = { memberId: memberTwin.memberId, instanceId: null, reason: null }
      const body = { groupId: GROUP, members: [gone] }
      this.#try(() => this.host.ask<'leave'>({ kind: 'leave', body }))
    }
    const epochs = this.#past.get(memberTwin) ?? new Set()
    this.#past.set(memberTwin, epochs.add(memberTwin.epoch))
  }

  #changeTopic(name: string, count: number): void {
    const known = this.host.topics.byName(name)
    if (known !== undefined && count > 0 && count <= known.partitionCount) return
    const changed = count === 0 ? this.host.topics.delete(name) : this.host.topics.put(name, count)
    if (changed === undefined) return
    for (const groupId of this.host.groups.groupsWith(changed))
      this.#try(() => this.host.ask({ kind: 'topicsChanged', groupId }))
  }

  #try(ask: () => void): void {
    try {
      ask()
    } catch (error) {
      if (!isMinikafkaError(error)) throw error
    }
  }

  check(): void {
    this.#ownersAreAlone()
    this.#committersAreAlone()
    this.#workersAreKnown()
  }

  /** A coordinator that reads the log, or what compaction leaves of it, in any order of keys, knows the same. */
  checkReplay(): void {
    expect(snapshot(replayed(this.host, this.host.log))).toEqual(snapshot(this.host))
    const rest = compacted(this.host.log).reverse()
    expect(snapshot(replayed(this.host, rest))).toEqual(snapshot(this.host))
    const mixed = keyByKey(this.host.log)
    expect(snapshot(replayed(this.host, mixed))).toEqual(snapshot(this.host))
  }

  #ownersAreAlone(): void {
    const { members } = this.host.groups.describe(GROUP, this.host.nowMs)
    const held = members.flatMap(({ assigned, revoking }) => [
      ...keysOf(assigned),
      ...keysOf(revoking),
    ])
    expect(new Set(held).size).toBe(held.length)
  }

  /** Of every partition one member at most may commit, whatever epochs its members ever had. */
  #committersAreAlone(): void {
    const keys = TOPICS.flatMap((name) => {
      const facts = this.host.topics.byName(name)
      if (facts === undefined) return []
      return Array.from({ length: facts.partitionCount }, (_, index) => `${facts.topicId}:${index}`)
    })
    const taken = new Map<string, MemberTwin>()
    for (const [memberTwin, epochs] of this.#past) {
      for (const epoch of epochs) {
        for (const key of memberTwin.committable(this.host, epoch, keys)) {
          expect(taken.get(key) ?? memberTwin).toBe(memberTwin)
          taken.set(key, memberTwin)
        }
      }
    }
  }

  /** What a member works on is its own for the coordinator, too, unless it was fenced and has not heard of it. */
  #workersAreKnown(): void {
    const { members } = this.host.groups.describe(GROUP, this.host.nowMs)
    for (const { memberId, memberEpoch, assigned, revoking } of members) {
      const memberTwin = this.members.find((each) => each.memberId === memberId)
      if (memberTwin === undefined || memberTwin.epoch !== memberEpoch) continue
      const known = new Set([...keysOf(assigned), ...keysOf(revoking)])
      for (const key of memberTwin.owned) expect(known).toContain(key)
    }
  }

  /** Everybody alive does its duty: then all is assigned, each to one, and each knows. */
  settle(): void {
    this.host.isFull = false
    for (let second = 0; second < QUIET_SECONDS; second++) {
      this.host.advance(1_000, () => {})
      for (const memberTwin of this.members) {
        memberTwin.beat(this.host, false)
        memberTwin.finish()
      }
    }
    const { state } = this.host.groups.describe(GROUP, this.host.nowMs)
    expect(state).toBe('Stable')
    const subscribed = new Set(
      this.members.flatMap(({ subscription: wish }) => this.#topicsOf(wish)),
    )
    const owned = this.members.flatMap((memberTwin) => {
      expect(memberTwin.owned).toEqual(memberTwin.allowed)
      const committable = memberTwin.committable(this.host, memberTwin.epoch, memberTwin.owned)
      expect(committable).toHaveLength(memberTwin.owned.size)
      return [...memberTwin.owned]
    })
    const all = [...subscribed].flatMap((name) => {
      const { topicId, partitionCount } = this.host.topics.byName(name) ?? never()
      return Array.from({ length: partitionCount }, (_, index) => `${topicId}:${index}`)
    })
    expect(owned.sort()).toEqual(all.sort())
  }

  #topicsOf({ topics, regex }: Subscription): string[] {
    const matching = regex === '' ? [] : this.host.topics.matching(regex)
    const named = topics.filter((name) => this.host.topics.byName(name) !== undefined)
    return [...named, ...matching]
  }
}

function never(): never {
  throw new Error('a topic that is subscribed to is there')
}

function replayed(host: MiniHost, log: MiniHost['log']): MiniHost {
  const fresh = new MiniHost(host.topics)
  fresh.log.push(...log)
  fresh.nowMs = host.nowMs
  fresh.restart()
  return fresh
}

/** What is hard: without deadlines, and without the history, of which compaction leaves the end. */
function snapshot({ groups, nowMs }: MiniHost) {
  return groups.groupIds().map((groupId) => {
    const {
      members,
      rebalances: _,
      rebalancesSinceMs: __,
      ...group
    } = groups.describe(groupId, nowMs)
    const body = {
      groupId,
      memberId: null,
      memberEpoch: -1,
      requireStable: false,
      partitions: null,
    }
    const hard = members.map(
      ({ lastHeartbeatMsAgo: _a, sessionLeftMs: _b, revokeLeftMs: _c, ...rest }) => rest,
    )
    return { ...group, members: hard, positions: groups.fetchOffsets(body).results }
  })
}

const plays = fc.record({
  subscriptions: fc.array(subscription, { minLength: 1, maxLength: 4 }),
  steps: fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }),
})

test('whatever happens, a partition has one owner, and the records say all', () => {
  fc.assert(
    fc.property(plays, ({ subscriptions, steps }) => {
      const play = new Play(subscriptions)
      for (const [index, given] of steps.entries()) {
        play.take(given)
        play.check()
        if (index % REPLAY_EVERY === 0) play.checkReplay()
      }
      play.checkReplay()
    }),
    { numRuns: RUNS },
  )
})

test('whatever happened, once all members are well each partition has an owner that knows', () => {
  fc.assert(
    fc.property(plays, ({ subscriptions, steps }) => {
      const play = new Play(subscriptions)
      for (const given of steps) play.take(given)
      play.settle()
    }),
    { numRuns: RUNS },
  )
})

test('records come out of their bytes as they went in', () => {
  fc.assert(
    fc.property(plays, ({ subscriptions, steps }) => {
      const play = new Play(subscriptions)
      for (const given of steps) play.take(given)
      for (const { key, value } of play.host.log) {
        const record = decodeGroupRecord(key, value)
        if (record === undefined) throw new Error('a record of ours is known')
        expect(encodeGroupRecord(record)).toEqual({ key, value })
      }
    }),
    { numRuns: 10 },
  )
})
