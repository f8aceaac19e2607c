// Points of partitions as offsets. Enters: a topic and an OffsetSpec. Leaves: an offset of each partition.

import { errorOf } from '../answers.ts'
import type { Core, Deadline, TopicInfo } from '../core/index.ts'
import type { OffsetSpec } from '../words.ts'

const LATEST = -1
const EARLIEST = -2
const READ_COMMITTED = 1

/** Asks each leader once, for all its partitions. Errors: of the first partition that has one, retriable by code. */
export async function offsetsOf(
  core: Core,
  topic: TopicInfo,
  partitions: readonly number[],
  at: OffsetSpec,
  deadline: Deadline,
  isolation = READ_COMMITTED,
): Promise<ReadonlyMap<number, number>> {
  if (typeof at === 'number') return new Map(partitions.map((partition) => [partition, at]))
  const ask = (timestamp: number) =>
    askLeaders(core, topic, partitions, timestamp, deadline, isolation)
  if (at === 'earliest') return ask(EARLIEST)
  if (at === 'latest') return ask(LATEST)
  if ('timestamp' in at) {
    const found = await ask(at.timestamp)
    if ([...found.values()].every((offset) => offset >= 0)) return found
    return combine(found, await ask(LATEST), (offset, end) => (offset < 0 ? end : offset))
  }
  return combine(await ask(EARLIEST), await ask(LATEST), (start, end) =>
    Math.max(start, end - at.last),
  )
}

function combine(
  left: ReadonlyMap<number, number>,
  right: ReadonlyMap<number, number>,
  merge: (a: number, b: number) => number,
) {
  return new Map(
    [...left].map(([partition, offset]) => [partition, merge(offset, right.get(partition) ?? 0)]),
  )
}

async function askLeaders(
  core: Core,
  topic: TopicInfo,
  partitions: readonly number[],
  timestamp: number,
  deadline: Deadline,
  isolation: number,
): Promise<ReadonlyMap<number, number>> {
  const byLeader = new Map<number, number[]>()
  for (const partition of partitions) {
    const leaderId = topic.partitions[partition]?.leaderId ?? -1
    byLeader.set(leaderId, [...(byLeader.get(leaderId) ?? []), partition])
  }
  const found = new Map<number, number>()
  for (const [leaderId, led] of byLeader) {
    const { results } = await core.call(
      'listOffsets',
      {
        isolation,
        partitions: led.map((partition) => ({
          topicId: topic.topicId,
          partition,
          leaderEpoch: -1,
          timestamp,
        })),
      },
      { to: leaderId, timeoutMs: Math.max(1, deadline.leftMs), signal: deadline.signal },
    )
    for (const result of results) {
      const error = errorOf(result, { topic: topic.name, partition: result.partition })
      if (error !== undefined) throw error
      found.set(result.partition, result.offset)
    }
  }
  return found
}
