// How far behind a consumer is: behind what it has handed out, in a group behind what is committed.
import { type LagPlace, lagsAt } from '../admin/index.ts'
import type { Core, Deadline } from '../core/index.ts'
import type { NextOffset, PartitionLag } from '../words.ts'
import type { Feed } from './feed.ts'

/** Asks the brokers. `committed`: undefined without a group. Errors: of ListOffsets; TIMED_OUT. */
export async function lagOf(
  core: Core,
  isolation: number,
  feeds: readonly Feed[],
  committed: readonly NextOffset[] | undefined,
  deadline: Deadline,
): Promise<PartitionLag[]> {
  const places = feeds.map((feed): LagPlace => {
    const { topic, partition } = feed
    const position = Math.max(0, feed.position)
    const known = committed?.find((one) => one.topic === topic && one.partition === partition)
    const from = known?.nextOffset ?? position
    const timestamp = from === position ? feed.records[feed.index]?.timestamp : undefined
    return { topic, partition, committed: known?.nextOffset, from, timestamp }
  })
  return await lagsAt(core, isolation, places, deadline)
}

/** From what the fetches told, without asking anybody. */
export function lagKnown(feed: Feed, wallMs: number): PartitionLag {
  const { topic, partition, end, position } = feed
  const committed = feed.committed < 0 ? undefined : feed.committed
  const lag = Math.max(0, end - Math.max(0, committed ?? position))
  const next = feed.records[feed.index]
  const isFirst = committed === undefined || committed >= position
  const isKnown = lag > 0 && isFirst && next !== undefined
  const lagMs = isKnown ? Math.max(0, wallMs - next.timestamp) : undefined
  return { topic, partition, committed, end, lag, lagMs }
}
