// How a consumer is doing, read off its feeds.
import type { TopicPartition } from '../words.ts'
import type { Feed } from './feed.ts'
import type { ConsumerHealth } from './types.ts'
import { reasonOf, type Watch } from './watch.ts'

export function healthOf(
  feeds: readonly Feed[],
  watch: Watch,
  now: { readonly nowMs: number; readonly isClosed: boolean },
): ConsumerHealth {
  const partitions = feeds.map((feed) => {
    const waitingFor = reasonOf(feed)
    const { position: nextOffset, end } = feed
    const lastProgressMsAgo = now.nowMs - watch.progressMs(feed)
    const health = { ...placeOf(feed), nextOffset, end, lastProgressMsAgo }
    return waitingFor === undefined ? health : { ...health, waitingFor }
  })
  const isReading = feeds.length > 0 && feeds.every(({ start }) => start === undefined)
  const state = now.isClosed ? 'left' : isReading ? 'stable' : 'joining'
  return { state, lastHeartbeatMsAgo: 0, partitions }
}

export function statsOf(feeds: readonly Feed[], finished: number): Record<string, number> {
  let prefetchedBytes = 0
  let lagRecords = 0
  for (const { bufferedBytes, end, position } of feeds) {
    prefetchedBytes += bufferedBytes
    lagRecords += Math.max(0, end - Math.max(0, position))
  }
  return { prefetchedBytes, finished, committed: 0, rebalances: 0, lagRecords }
}

export function placeOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition }
}
