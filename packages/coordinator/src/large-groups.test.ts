// Groups with very many positions: no decision outgrows a batch of __consumer_offsets, no answer its list.
import { expect, test } from 'vitest'
import { MiniHost } from '../test/world.ts'
import { encodeGroupRecord, type GroupRecord } from './index.ts'

const BATCH_BYTES_MAX = 8 * 1024 * 1024

function hostWith(groupId: string, count: number): { host: MiniHost; topicId: string } {
  const host = new MiniHost()
  const { topicId } = host.topics.put('orders', count)
  const value = { offset: 1, leaderEpoch: -1, metadata: null, commitTimestamp: 0 }
  for (let partition = 0; partition < count; partition++)
    host.groups.replay(partition, { type: 'Offset', groupId, topicId, partition, value })
  return { host, topicId }
}

function bytesOf(records: readonly GroupRecord[]): number {
  return records.reduce((sum, record) => sum + encodeGroupRecord(record).key.length + 32, 0)
}

test('a group with very many positions and a long name is deleted in steps that each fit into a batch', () => {
  const groupId = '€'.repeat(341)
  const { host } = hostWith(groupId, 20_000)
  let steps = 0
  for (let isDone = false; !isDone; steps++) {
    const { records, response } = host.ask({ kind: 'delete', groupId })
    expect(bytesOf(records)).toBeLessThan(BATCH_BYTES_MAX)
    isDone = response.isDone
  }
  expect(steps).toBeGreaterThan(1)
  expect(host.groups.groupIds()).toEqual([])
})

test('what expires of such a group fits into a batch, and the rest goes with the next check', () => {
  const groupId = 'g'.repeat(1_024)
  const { host } = hostWith(groupId, 20_000)
  host.nowMs = host.settings.offsetsRetentionMs
  const { records } = host.ask({ kind: 'expire', groupId })
  expect(records.length).toBeGreaterThan(0)
  expect(bytesOf(records)).toBeLessThan(BATCH_BYTES_MAX)
  while (host.groups.groupCount > 0) host.ask({ kind: 'expire', groupId })
})

test('more positions than an answer may list are refused, and words say what to ask for', () => {
  const { host, topicId } = hostWith('big', 100_001)
  const asked = { groupId: 'big', memberId: null, memberEpoch: -1, requireStable: false }
  expect(() => host.groups.fetchOffsets({ ...asked, partitions: null })).toThrow(
    /big has 100001 positions.*name the partitions/,
  )
  const partitions = [{ topicId, partition: 100_000 }]
  expect(host.groups.fetchOffsets({ ...asked, partitions }).results).toMatchObject([{ offset: 1 }])
})
