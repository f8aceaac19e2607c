// How far behind places of partitions are: in records, and in time by the first record that was not read.
import { BatchReader, batchSizeAt, readBatchHeader } from '@minikafka/protocol'
import type { Core, Deadline, TopicInfo } from '../core/index.ts'
import type { PartitionLag, TopicPartition } from '../words.ts'
import { offsetsOf } from './offsets.ts'

export type LagPlace = TopicPartition & {
  readonly committed: number | undefined
  /** The first record that counts as unread. */
  readonly from: number
  /** Of that record, where it is known; else it is fetched for that. */
  readonly timestamp?: number | undefined
}

/** Asks the brokers. Errors: of ListOffsets; TIMED_OUT. */
export async function lagsAt(
  core: Core,
  isolation: number,
  places: readonly LagPlace[],
  deadline: Deadline,
): Promise<PartitionLag[]> {
  const names = [...new Set(places.map(({ topic }) => topic))]
  const lags = names.map((name) => {
    const own = places.filter(({ topic }) => topic === name)
    return lagsOfTopic(core, isolation, own, deadline)
  })
  return (await Promise.all(lags)).flat()
}

async function lagsOfTopic(
  core: Core,
  isolation: number,
  places: readonly LagPlace[],
  deadline: Deadline,
): Promise<PartitionLag[]> {
  const name = places[0]?.topic ?? ''
  const wait = { timeoutMs: Math.max(1, deadline.leftMs), create: false }
  const info = await core.metadata.topic(name, wait)
  const partitions = places.map(({ partition }) => partition)
  const ends = await offsetsOf(core, { topic: info, partitions, isolation }, 'latest', deadline)
  return await Promise.all(
    places.map(async (place) => {
      const { topic, partition, committed, from } = place
      const end = ends.get(partition) ?? 0
      const lag = Math.max(0, end - from)
      const lagMs = lag === 0 ? undefined : await ageAt(core, isolation, info, place, deadline)
      return { topic, partition, committed, end, lag, lagMs }
    }),
  )
}

/** Of the first unread record; undefined where it cannot be read. */
async function ageAt(
  core: Core,
  isolation: number,
  info: TopicInfo,
  place: LagPlace,
  deadline: Deadline,
): Promise<number | undefined> {
  try {
    const timestamp = place.timestamp ?? (await timestampAt(core, isolation, info, place, deadline))
    return timestamp === undefined ? undefined : Math.max(0, core.env.clock.wallMs() - timestamp)
  } catch (error) {
    core.logger.debug({ err: error }, 'the age of the first unread record is not known')
    return undefined
  }
}

/** Fetches the one batch that holds the first unread record. */
async function timestampAt(
  core: Core,
  isolation: number,
  { topicId, partitions: known }: TopicInfo,
  { partition, from: fetchOffset }: LagPlace,
  deadline: Deadline,
): Promise<number | undefined> {
  const to = known[partition]?.leaderId ?? -1
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
