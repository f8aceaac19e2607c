// How far behind a consumer is: in records, and in time by the first record that it has not read.
import { BatchReader, batchSizeAt } from '@minikafka/protocol'
import { offsetsOf } from '../admin/index.ts'
import type { Core, Deadline } from '../core/index.ts'
import type { Feed } from './feed.ts'
import type { ConsumerSettings } from './settings.ts'
import type { PartitionLag } from './types.ts'

export async function lagOf(
  core: Core,
  settings: ConsumerSettings,
  feeds: readonly Feed[],
  deadline: Deadline,
): Promise<PartitionLag[]> {
  const lags: PartitionLag[] = []
  for (const name of new Set(feeds.map(({ topic }) => topic))) {
    const own = feeds.filter(({ topic }) => topic === name)
    const info = await core.metadata.topic(name, { timeoutMs: deadline.leftMs })
    const ends = await offsetsOf(
      core,
      info,
      own.map(({ partition }) => partition),
      'latest',
      deadline,
      settings.isolation,
    )
    for (const feed of own) {
      const end = ends.get(feed.partition) ?? 0
      const lag = Math.max(0, end - Math.max(0, feed.position))
      const lagMs = lag === 0 ? undefined : await ageOfFirst(core, settings, feed, deadline)
      lags.push({ topic: name, partition: feed.partition, committed: undefined, end, lag, lagMs })
    }
  }
  return lags
}

/** Fetches the one batch with the first unread record; undefined where it cannot be read. */
async function ageOfFirst(
  core: Core,
  { isolation }: ConsumerSettings,
  feed: Feed,
  deadline: Deadline,
): Promise<number | undefined> {
  const leaderId = core.metadata.topicNow(feed.topic)?.partitions[feed.partition]?.leaderId ?? -1
  const fetchOffset = Math.max(0, feed.position)
  try {
    const { results } = await core.call(
      'fetch',
      {
        replicaId: -1,
        brokerEpoch: -1,
        sessionId: 0,
        sessionEpoch: -1,
        isolation,
        rack: '',
        maxWaitMs: 0,
        minBytes: 0,
        maxBytes: 1,
        partitions: [
          {
            topicId: feed.topicId,
            partition: feed.partition,
            leaderEpoch: -1,
            fetchOffset,
            lastFetchedEpoch: -1,
            durableOffset: -1,
            logStartOffset: -1,
            maxBytes: 1,
          },
        ],
      },
      { to: leaderId, timeoutMs: Math.max(1, deadline.leftMs) },
    )
    const bytes = results[0]?.records[0]
    if (bytes === undefined) return undefined
    const reader = new BatchReader(bytes.subarray(0, batchSizeAt(bytes, 0)), core.env.compress)
    reader.skipTo(fetchOffset)
    return reader.next() ? Math.max(0, core.env.clock.wallMs() - reader.timestamp) : undefined
  } catch {
    // An age is a courtesy: what cannot be read has none.
    return undefined
  }
}
