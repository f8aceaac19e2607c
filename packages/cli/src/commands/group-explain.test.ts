// What a group's state reads like.
import type { GroupDescription, GroupMember, PartitionLag } from '@minikafka/client'
import { expect, test } from 'vitest'
import { explain } from './group-explain.ts'

const at = (partition: number) => ({ topic: 'orders', partition })

function member(memberId: string, more: Partial<GroupMember> = {}): GroupMember {
  return {
    memberId,
    instanceId: null,
    rackId: null,
    memberEpoch: 3,
    state: 'stable',
    clientId: 'app',
    clientHost: '10.0.0.7',
    topics: ['orders'],
    pattern: null,
    assigned: [],
    revoking: [],
    target: [],
    lastHeartbeatMsAgo: 500,
    sessionLeftMs: 14_500,
    revokeLeftMs: undefined,
    ...more,
  }
}

function group(state: string, members: readonly GroupMember[]): GroupDescription {
  return {
    ...{ group: 'billing', state, groupEpoch: 3, targetEpoch: 3, assignor: 'sticky', members },
    rebalances: [{ groupEpoch: 3, atMs: 0, reason: 'member b of client app joined' }],
    rebalancesSinceMs: 0,
  }
}

const lag = (partition: number, more: Partial<PartitionLag> = {}): PartitionLag => ({
  ...{ ...at(partition), committed: 1, end: 1, lag: 0, lagMs: undefined },
  ...more,
})

test('who holds a partition back is named, with whom it keeps waiting and for how long', () => {
  const a = member('a', {
    state: 'unrevoked',
    assigned: [at(0)],
    revoking: [at(1)],
    revokeLeftMs: 240_000,
  })
  const b = member('b', { state: 'unreleased', target: [at(1)] })
  expect(explain(group('Reconciling', [a, b]), [lag(0)])).toContain(
    'a (app on 10.0.0.7) has yet to give up orders 1 for b (app on 10.0.0.7): its handlers are finishing; it is fenced if that takes 4 min more.',
  )
})

test('a member that makes no progress is named with what waits, and one that is silent with its time', () => {
  const a = member('a', { assigned: [at(0)], target: [at(0)] })
  const b = member('b', { assigned: [at(1)], lastHeartbeatMsAgo: 9_000, sessionLeftMs: 6_000 })
  const text = explain(group('Stable', [a, b]), [
    lag(0, { end: 9, lag: 8, lagMs: 300_000 }),
    lag(1),
  ])
  expect(text).toContain('8 records are unread. a (app on 10.0.0.7) has not finished')
  expect(text).toContain('has waited for 5 min in orders 0')
  expect(text).toContain('b (app on 10.0.0.7) has not been heard of for 9 s')
})

test('a second look tells a stuck member from a slow one, and says where what it has not finished begins', () => {
  const a = member('a', { assigned: [at(0), at(1)] })
  const before = [0, 1].map((one) => lag(one, { committed: 7, end: 900, lag: 893, lagMs: 90_000 }))
  const explained = (...committed: number[]) =>
    explain(
      group('Stable', [a]),
      before,
      before.map((one, at) => ({ ...one, committed: committed[at] ?? 0 })),
    )
  expect(explained(7, 7)).toContain(
    '90 s in orders 0-1: nothing was committed within 3 s. Its handler is stuck, paused or takes longer, or it does not commit. What it has not finished begins in orders 0 at offset 7, orders 1 at offset 7: minikafka consume orders -p 0 -o 7 -n 1 shows it.',
  )
  expect(explained(40, 7)).toContain(
    ': 33 records were committed within 3 s, but nothing in orders 1. Its handler is stuck',
  )
  expect(explained(40, 7)).toContain(
    'begins in orders 1 at offset 7: minikafka consume orders -p 1 -o 7 -n 1 shows it.',
  )
  expect(explained(40, 8)).toContain(
    'orders 0-1, and goes on: 34 records were committed within 3 s.',
  )
})

test('members without partitions are on standby', () => {
  const a = member('a', { assigned: [at(0)], target: [at(0)] })
  expect(explain(group('Stable', [a, member('b')]), [lag(0)])).toContain(
    'b (app on 10.0.0.7) is on standby',
  )
})
