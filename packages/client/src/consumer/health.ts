// How a consumer is doing, read off its feeds.
import type { TopicPartition } from '../words.ts'
import type { Feed } from './feed.ts'
import type { GroupAssignment } from './group-assignment.ts'
import type { ConsumerHealth } from './types.ts'
import { reasonOf, type Watch } from './watch.ts'

export function healthOf(
  feeds: readonly Feed[],
  watch: Watch,
  now: {
    readonly nowMs: number
    readonly isClosed: boolean
    /** Undefined: nobody else says what is read. */
    readonly member: GroupAssignment | undefined
  },
): ConsumerHealth {
  const partitions = feeds.map((feed) => {
    const waitingFor = reasonOf(feed)
    const { position: nextOffset, end } = feed
    const lastProgressMsAgo = now.nowMs - watch.progressMs(feed)
    const health = { ...placeOf(feed), nextOffset, end, lastProgressMsAgo }
    return waitingFor === undefined ? health : { ...health, waitingFor }
  })
  const isReading = feeds.length > 0 && feeds.every(({ start }) => start === undefined)
  const state = now.member?.state() ?? (isReading ? 'stable' : 'joining')
  const lastHeartbeatMsAgo = now.member?.lastHeartbeatMsAgo(now.nowMs) ?? 0
  return { state: now.isClosed ? 'left' : state, lastHeartbeatMsAgo, partitions }
}

export function statsOf(
  feeds: readonly Feed[],
  finished: number,
  group: { readonly committed: number; readonly rebalances: number } | undefined,
): Record<string, number> {
  let prefetchedBytes = 0
  let lagRecords = 0
  for (const { bufferedBytes, end, position } of feeds) {
    prefetchedBytes += bufferedBytes
    lagRecords += Math.max(0, end - Math.max(0, position))
  }
  const { committed = 0, rebalances = 0 } = group ?? {}
  return { prefetchedBytes, finished, committed, rebalances, lagRecords }
}

export function placeOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition }
}
