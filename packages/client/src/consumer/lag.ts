// How far behind a consumer is: in records, and in time by the first record that it has not read.
import { BatchReader, batchSizeAt, readBatchHeader } from '@minikafka/protocol'
import { offsetsOf } from '../admin/index.ts'
import type { Core, Deadline } from '../core/index.ts'
import type { Feed } from './feed.ts'
import type { ConsumerSettings } from './settings.ts'
import type { PartitionLag } from './types.ts'

/** Asks the brokers. Errors: of ListOffsets; TIMED_OUT. */
export async function lagOf(
  core: Core,
  settings: ConsumerSettings,
  feeds: readonly Feed[],
  deadline: Deadline,
): Promise<PartitionLag[]> {
  const names = [...new Set(feeds.map(({ topic }) => topic))]
  const lags = names.map((name) => {
    const own = feeds.filter(({ topic }) => topic === name)
    return lagOfTopic(core, settings, own, deadline)
  })
  return (await Promise.all(lags)).flat()
}

async function lagOfTopic(
  core: Core,
  settings: ConsumerSettings,
  feeds: readonly Feed[],
  deadline: Deadline,
): Promise<PartitionLag[]> {
  const name = feeds[0]?.topic ?? ''
  const topic = await core.metadata.topic(name, { timeoutMs: Math.max(1, deadline.leftMs) })
  const partitions = feeds.map(({ partition }) => partition)
  const question = { topic, partitions, isolation: settings.isolation }
  const ends = await offsetsOf(core, question, 'latest', deadline)
  return await Promise.all(
    feeds.map(async (feed) => {
      const end = ends.get(feed.partition) ?? 0
      const position = Math.max(0, feed.position)
      const lag = Math.max(0, end - position)
      const lagMs = lag === 0 ? undefined : await ageOf(core, settings, feed, deadline)
      return { topic: name, partition: feed.partition, committed: undefined, end, lag, lagMs }
    }),
  )
}

/** From what the fetches told, without asking anybody. */
export function lagKnown(feed: Feed, wallMs: number): PartitionLag {
  const { topic, partition, end, position } = feed
  const lag = Math.max(0, end - Math.max(0, position))
  const next = feed.records[feed.index]
  const lagMs = lag === 0 || next === undefined ? undefined : Math.max(0, wallMs - next.timestamp)
  return { topic, partition, committed: undefined, end, lag, lagMs }
}

/** Of the first unread record: of the one that is here, or fetched for that. undefined where it cannot be read. */
async function ageOf(
  core: Core,
  settings: ConsumerSettings,
  feed: Feed,
  deadline: Deadline,
): Promise<number | undefined> {
  const { clock } = core.env
  const next = feed.records[feed.index]
  if (next !== undefined) return Math.max(0, clock.wallMs() - next.timestamp)
  try {
    const timestamp = await timestampAt(core, settings, feed, deadline)
    return timestamp === undefined ? undefined : Math.max(0, clock.wallMs() - timestamp)
  } catch (error) {
    core.logger.debug({ err: error }, 'the age of the first unread record is not known')
    return undefined
  }
}

/** Fetches the one batch that holds the first unread record. */
async function timestampAt(
  core: Core,
  { isolation }: ConsumerSettings,
  { topic, topicId, partition, position }: Feed,
  deadline: Deadline,
): Promise<number | undefined> {
  const to = core.metadata.topicNow(topic)?.partitions[partition]?.leaderId ?? -1
  const fetchOffset = Math.max(0, position)
  const unchecked = {
    leaderEpoch: -1,
    lastFetchedEpoch: -1,
    durableOffset: -1,
    logStartOffset: -1,
    suspectOffset: -1,
  }
  const asConsumer = { replicaId: -1, brokerEpoch: -1, sessionId: 0, sessionEpoch: -1, rack: '' }
  const bounds = { isolation, maxWaitMs: 0, minBytes: 0, maxBytes: 1 }
  const partitions = [{ topicId, partition, fetchOffset, maxBytes: 1, ...unchecked }]
  const request = { ...asConsumer, ...bounds, partitions }
  const timeoutMs = Math.max(1, deadline.leftMs)
  const { results } = await core.call('fetch', request, { to, timeoutMs })
  const bytes = results[0]?.records[0]
  if (bytes === undefined) return undefined
  const batch = bytes.subarray(0, batchSizeAt(bytes, 0))
  await core.env.compress.prepare(readBatchHeader(batch).compression ?? 'none')
  const reader = new BatchReader(batch, core.env.compress)
  reader.skipTo(fetchOffset)
  return reader.next() ? reader.timestamp : undefined
}
