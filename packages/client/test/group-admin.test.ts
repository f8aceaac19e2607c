// What an admin says of groups and does to them. The real broker, in a simulated world.
import type { Client, Partitions } from '@minikafka/client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { GroupStage, numbers, partitionsOf, take } from './group-stage.ts'

let stage: GroupStage
let client: Client

beforeEach(async () => {
  stage = await GroupStage.start()
  client = stage.client
})

afterEach(() => stage.close())

test('admin: groups are listed and described, with their members and why they were rebalanced', async () => {
  await using reader = stage.member({ topics: ['orders'] })
  await reader.poll({ maxWaitMs: 10_000 })
  const admin = client.admin()
  expect(await admin.listGroups()).toEqual([
    { group: 'billing', type: 'consumer', state: 'Stable' },
  ])
  const described = await admin.describeGroup('billing')
  expect(described).toMatchObject({ group: 'billing', state: 'Stable', assignor: 'sticky' })
  expect(described.members).toMatchObject([{ topics: ['orders'], pattern: null, state: 'stable' }])
  expect(partitionsOf(described.members[0]?.assigned ?? [])).toEqual([0, 1, 2])
  expect(described.rebalances.length).toBeGreaterThan(0)
  await expect(admin.describeGroup('biling')).rejects.toMatchObject({
    name: 'GROUP_ID_NOT_FOUND',
    message: expect.stringContaining("did you mean 'billing'?"),
  })
})

test('admin: lag of a group, also when nobody is in it; offsets are reset then, and refused while somebody is', async () => {
  await stage.produce('one', numbers(0, 10))
  const admin = client.admin()
  const reader = stage.member()
  await take(reader, 4)
  await reader.commit()
  await expect(admin.resetOffsets('billing', { to: 'earliest' })).rejects.toMatchObject({
    name: 'NON_EMPTY_GROUP',
    message: expect.stringMatching(/has members.*stop them first/),
  })
  await reader.close()
  const at = { topic: 'one', partition: 0 }
  expect(await admin.lag('billing')).toMatchObject([{ ...at, committed: 4, end: 10, lag: 6 }])
  const plan = await admin.resetOffsets('billing', { to: { shift: -3 }, dryRun: true })
  expect(plan).toMatchObject([{ ...at, committed: 4, nextOffset: 1, lag: 9 }])
  expect(await admin.lag('billing')).toMatchObject([{ committed: 4 }])
  for (const [to, nextOffset] of [
    ['earliest', 0],
    ['latest', 10],
    [{ shift: -3 }, 7],
    [{ shift: 100 }, 10],
    [{ timestamp: 1 }, 0],
    [[{ ...at, nextOffset: 5 }], 5],
  ] as const) {
    const planned = await admin.resetOffsets('billing', { to, dryRun: true })
    expect(planned).toMatchObject([{ ...at, nextOffset }])
    expect(await admin.resetOffsets('billing', { to })).toMatchObject([{ ...at, nextOffset }])
  }
  expect(await admin.lag('billing')).toMatchObject([{ committed: 5, lag: 5 }])
  const beyond = admin.resetOffsets('billing', { to: [{ ...at, nextOffset: 11 }] })
  await expect(beyond).rejects.toMatchObject({ name: 'OFFSET_OUT_OF_RANGE' })
  await using next = stage.member()
  expect(await take(next, 1)).toEqual(['5'])
})

test('admin: a group that never was is set up, offsets and groups are deleted, a member is removed', async () => {
  await stage.produce('one', numbers(0, 10))
  const admin = client.admin()
  expect(await admin.resetOffsets('fresh', { topics: ['orders'], to: 'latest' })).toHaveLength(3)
  await admin.deleteOffsets('fresh', [{ topic: 'orders', partition: 1 }])
  expect((await admin.lag('fresh')).map(({ partition }) => partition)).toEqual([0, 2])
  const reader = stage.member()
  const reading = reader.run(() => undefined)
  await stage.pass(5000)
  await expect(admin.deleteGroup('billing')).rejects.toMatchObject({ name: 'NON_EMPTY_GROUP' })
  const [first] = (await admin.describeGroup('billing')).members
  const lost: Partitions[] = []
  reader.on('lost', (partitions) => lost.push(partitions))
  await admin.removeMember('billing', first?.memberId ?? '')
  await stage.pass(10_000)
  expect(lost).toEqual([[{ topic: 'one', partition: 0 }]])
  expect(reader.health().state).toBe('stable')
  await reader.close()
  await reading
  await admin.deleteGroup('billing')
  await admin.deleteGroup('fresh')
  expect(await admin.listGroups()).toEqual([])
})
