// What a member says to the coordinator, and what it makes of the answers. No clock, no network: times are arguments.
import { type ErrorName, MinikafkaError } from '@minikafka/protocol'
import { expect, test } from 'vitest'
import { type HeartbeatAnswer, Member } from './member.ts'

const T = 'a0000000-0000-4000-8000-000000000001'
const BACKOFF_MS = 100

function newMember(options: { instanceId?: string; pattern?: string } = {}): Member {
  return new Member({
    groupId: 'g',
    memberId: 'm',
    instanceId: options.instanceId ?? null,
    topics: options.pattern === undefined ? ['orders'] : null,
    pattern: options.pattern ?? null,
    rebalanceTimeoutMs: 60_000,
    backoffMs: () => BACKOFF_MS,
  })
}

function answer(memberEpoch: number, partitions?: readonly number[]): HeartbeatAnswer {
  const assignment =
    partitions === undefined ? null : { partitions: [{ topicId: T, partitions: [...partitions] }] }
  const times = { heartbeatIntervalMs: 3000, sessionTimeoutMs: 15_000 }
  return { memberId: 'm', memberEpoch, ...times, assignment }
}

function sent(member: Member, nowMs: number) {
  const step = member.next(nowMs)
  if (step.kind !== 'send') throw new Error(`nothing is sent at ${nowMs}`)
  return step
}

/** Sends what is due and gets `reply`. */
function beat(member: Member, nowMs: number, reply: HeartbeatAnswer) {
  const { request, ticket } = sent(member, nowMs)
  member.answered(ticket, reply)
  return request
}

function refuse(member: Member, nowMs: number, name: ErrorName, details?: Record<string, unknown>) {
  const { request, ticket } = sent(member, nowMs)
  member.refused(ticket, new MinikafkaError(name, { details }), nowMs)
  return request
}

/** In the group at epoch 1, with these partitions begun. */
function memberWith(partitions: readonly number[], options: { instanceId?: string } = {}): Member {
  const member = newMember(options)
  member.join(0)
  beat(member, 0, answer(1, partitions))
  member.begun(member.toBegin())
  return member
}

const numbers = (places: readonly { partition: number }[]) => places.map((one) => one.partition)

test('a join says everything, and that nothing is owned', () => {
  const member = newMember()
  expect(member.next(0)).toEqual({ kind: 'wait', untilMs: Number.POSITIVE_INFINITY })
  member.join(0)
  expect(sent(member, 0).request).toEqual({
    groupId: 'g',
    memberId: 'm',
    memberEpoch: 0,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: 60_000,
    subscribedTopicNames: ['orders'],
    subscribedTopicRegex: '',
    serverAssignor: null,
    topicPartitions: [],
  })
})

test('a pattern is subscribed to instead of names', () => {
  const member = newMember({ pattern: 'o.*' })
  member.join(0)
  expect(sent(member, 0).request).toMatchObject({
    subscribedTopicNames: [],
    subscribedTopicRegex: 'o.*',
  })
})

test('one heartbeat is in flight; the next is due an interval after the last left, and says only what is new', () => {
  const member = newMember()
  member.join(0)
  const join = sent(member, 0)
  expect(member.next(10_000)).toMatchObject({ kind: 'wait' })
  member.answered(join.ticket, answer(1, [0]))
  expect(numbers(member.toBegin())).toEqual([0])
  member.begun(member.toBegin())
  expect(member.next(100)).toEqual({ kind: 'wait', untilMs: 3000 })
  const second = beat(member, 3000, answer(1))
  expect(second).toMatchObject({ memberEpoch: 1, rebalanceTimeoutMs: -1 })
  expect(second.topicPartitions).toEqual([{ topicId: T, partitions: [0] }])
  expect(beat(member, 6000, answer(1)).topicPartitions).toBeNull()
})

test('what is given and not begun is owned already: it is not freed behind our back', () => {
  const member = newMember()
  member.join(0)
  beat(member, 0, answer(1, [0, 1]))
  expect(sent(member, 3000).request.topicPartitions).toEqual([{ topicId: T, partitions: [0, 1] }])
})

test('a revocation is told at once when it is done, not before', () => {
  const member = memberWith([0, 1])
  beat(member, 3000, answer(1, [0]))
  expect(numbers(member.toRelease())).toEqual([1])
  expect(member.next(3100)).toEqual({ kind: 'wait', untilMs: 6000 })
  const slow = beat(member, 6000, answer(1))
  expect(slow.topicPartitions).toEqual([{ topicId: T, partitions: [0, 1] }])
  member.released(member.toRelease())
  const urgent = beat(member, 6001, answer(2, [0]))
  expect(urgent.topicPartitions).toEqual([{ topicId: T, partitions: [0] }])
  expect(member.epoch).toBe(2)
  expect(member.toRelease()).toEqual([])
})

test('what is taken back before it was begun is let go at once', () => {
  const member = newMember()
  member.join(0)
  beat(member, 0, answer(1, [0, 1]))
  beat(member, 3000, answer(1, [0]))
  expect(numbers(member.toBegin())).toEqual([0])
  expect(member.toRelease()).toEqual([])
  expect(sent(member, 3001).request.topicPartitions).toEqual([{ topicId: T, partitions: [0] }])
})

test('partitions that stay are neither begun again nor taken', () => {
  const member = memberWith([0, 1])
  beat(member, 3000, answer(2, [0, 1, 2]))
  expect(numbers(member.toBegin())).toEqual([2])
  expect(member.toRelease()).toEqual([])
})

test('after a heartbeat whose fate is unknown everything is said again, after the back-off', () => {
  const member = memberWith([0])
  refuse(member, 3000, 'NETWORK_EXCEPTION')
  expect(member.next(3000 + BACKOFF_MS - 1)).toMatchObject({ kind: 'wait' })
  const retry = beat(member, 3000 + BACKOFF_MS, answer(1, [0]))
  expect(retry).toMatchObject({
    memberEpoch: 1,
    rebalanceTimeoutMs: 60_000,
    subscribedTopicNames: ['orders'],
    topicPartitions: [{ topicId: T, partitions: [0] }],
  })
  expect(beat(member, 9000, answer(1)).subscribedTopicNames).toBeNull()
})

test('a release does not break through the back-off', () => {
  const member = memberWith([0, 1])
  beat(member, 3000, answer(1, [0]))
  refuse(member, 6000, 'COORDINATOR_LOAD_IN_PROGRESS')
  member.released(member.toRelease())
  expect(member.next(6001)).toMatchObject({ kind: 'wait', untilMs: 6000 + BACKOFF_MS })
})

test.each(['UNKNOWN_MEMBER_ID', 'FENCED_MEMBER_EPOCH'] as const)(
  '%s: all is lost; it joins again at once, under the same id, owning nothing',
  (name) => {
    const member = memberWith([0, 1])
    refuse(member, 3000, name)
    expect(member.takeLost()).toMatchObject([{ places: [{ partition: 0 }, { partition: 1 }] }])
    expect(member.takeLost()).toEqual([])
    expect(member.isFenced).toBe(true)
    const join = beat(member, 3000, answer(5, [1]))
    expect(join).toMatchObject({ memberId: 'm', memberEpoch: 0, topicPartitions: [] })
    expect(member.isFenced).toBe(false)
    expect(numbers(member.toBegin())).toEqual([1])
  },
)

test('a join that is refused so is tried after the back-off: no storm', () => {
  const member = newMember()
  member.join(0)
  refuse(member, 0, 'UNKNOWN_MEMBER_ID')
  expect(member.takeLost()).toEqual([])
  expect(member.next(1)).toMatchObject({ kind: 'wait', untilMs: BACKOFF_MS })
})

test('a session after the last heartbeat that was answered left, all is lost', () => {
  const member = memberWith([0])
  beat(member, 3000, answer(1))
  refuse(member, 6000, 'NETWORK_EXCEPTION')
  const late = sent(member, 17_000)
  expect(member.next(17_999)).toEqual({ kind: 'wait', untilMs: 18_000 })
  const join = sent(member, 18_000)
  expect(member.takeLost()).toMatchObject([{ places: [{ partition: 0 }] }])
  expect(join.request).toMatchObject({ memberEpoch: 0, topicPartitions: [] })
  // What the coordinator said to the member that was: it is not to be believed.
  member.answered(late.ticket, answer(1, [0]))
  expect(member.toBegin()).toEqual([])
  expect(member.epoch).toBe(0)
})

test('a loop that was blocked for a session loses, whatever stands in the socket by then', () => {
  const member = memberWith([0])
  expect(sent(member, 40_000).request.memberEpoch).toBe(0)
  expect(member.takeLost()).toHaveLength(1)
})

/** Refused from `fromMs` on, with each attempt; returns when it gave up, or `untilMs`. */
function unreleased(member: Member, fromMs: number, untilMs: number, sessionTimeoutMs?: number) {
  let nowMs = fromMs
  for (; nowMs < untilMs && member.state !== 'failed'; nowMs += BACKOFF_MS)
    refuse(member, nowMs, 'UNRELEASED_INSTANCE_ID', { sessionTimeoutMs })
  return nowMs
}

test('UNRELEASED_INSTANCE_ID is retried for one session and a moment, then it is an answer', () => {
  const member = newMember({ instanceId: 'i' })
  member.join(0)
  const nowMs = unreleased(member, 0, 60_000)
  expect(nowMs).toBeGreaterThan(16_000)
  expect(nowMs).toBeLessThan(19_000)
  expect(member.failure?.name).toBe('UNRELEASED_INSTANCE_ID')
  expect(member.next(nowMs + 60_000)).toMatchObject({ kind: 'wait' })
})

test('UNRELEASED_INSTANCE_ID says how long the session is that has to end', () => {
  const member = newMember({ instanceId: 'i' })
  member.join(0)
  const nowMs = unreleased(member, 0, 300_000, 120_000)
  expect(nowMs).toBeGreaterThan(120_000)
  expect(nowMs).toBeLessThan(125_000)
})

test('a coordinator that comes anew begins the sessions anew: so does the trying', () => {
  const member = newMember({ instanceId: 'i' })
  member.join(0)
  unreleased(member, 0, 14_000)
  refuse(member, 14_000, 'COORDINATOR_LOAD_IN_PROGRESS')
  expect(unreleased(member, 14_100, 60_000)).toBeGreaterThan(30_000)
  expect(member.state).toBe('failed')
})

test('FENCED_INSTANCE_ID ends it, with all it had', () => {
  const member = memberWith([0], { instanceId: 'i' })
  refuse(member, 3000, 'FENCED_INSTANCE_ID')
  expect(member.failure).toMatchObject({ name: 'FENCED_INSTANCE_ID', fatal: true })
  expect(member.takeLost()).toMatchObject([{ places: [{ partition: 0 }] }])
  expect(member.next(60_000)).toEqual({ kind: 'wait', untilMs: Number.POSITIVE_INFINITY })
})

test('what the broker did not expect ends nothing', () => {
  const member = memberWith([0])
  refuse(member, 3000, 'UNKNOWN_SERVER_ERROR')
  expect(member.state).toBe('in')
})

test('it leaves after the heartbeat in flight, and is out when that is heard, or not needed', () => {
  const member = memberWith([0])
  const last = sent(member, 3000)
  member.leave(-1, 3001)
  expect(member.next(3001)).toMatchObject({ kind: 'wait' })
  member.answered(last.ticket, answer(1, [0]))
  expect(member.toBegin()).toEqual([])
  expect(beat(member, 3002, answer(-1))).toMatchObject({ memberEpoch: -1, topicPartitions: null })
  expect(member.state).toBe('out')
  const unknown = memberWith([0], { instanceId: 'i' })
  unknown.leave(-2, 3000)
  expect(refuse(unknown, 3000, 'UNKNOWN_MEMBER_ID')).toMatchObject({
    memberEpoch: -2,
    instanceId: 'i',
  })
  expect(unknown.state).toBe('out')
})

test('who never asked to be in leaves without a word; who did, says so', () => {
  const quiet = newMember()
  quiet.join(0)
  quiet.leave(-1, 0)
  expect(quiet.state).toBe('out')
  const heard = newMember()
  heard.join(0)
  const join = sent(heard, 0)
  heard.leave(-1, 1)
  heard.answered(join.ticket, answer(1, [0]))
  expect(sent(heard, 2).request.memberEpoch).toBe(-1)
})

test('a coordinator that lies about times makes no storm, and none that sleeps through its session', () => {
  const member = newMember()
  member.join(0)
  beat(member, 0, { ...answer(1, [0]), heartbeatIntervalMs: -5, sessionTimeoutMs: 0 })
  expect(member.next(1)).toEqual({ kind: 'wait', untilMs: 50 })
  beat(member, 50, { ...answer(1), heartbeatIntervalMs: 2 ** 31 - 1 })
  expect(member.next(51)).toEqual({ kind: 'wait', untilMs: 50 + 7500 })
  expect(member.state).toBe('in')
})

test('an epoch that no member has is no answer', () => {
  const member = newMember()
  member.join(0)
  beat(member, 0, answer(0, [0]))
  expect(member.failure?.name).toBe('PROTOCOL_VIOLATION')
  expect(member.toBegin()).toEqual([])
})

test('standby: in a settled group that leaves it nothing', () => {
  const member = newMember()
  member.join(0)
  beat(member, 0, { ...answer(1, []), heartbeatIntervalMs: 500 })
  expect(member.isOnStandby).toBe(false)
  beat(member, 500, answer(1))
  expect(member.isOnStandby).toBe(true)
  beat(member, 3500, answer(2, [0]))
  expect(member.isOnStandby).toBe(false)
})
