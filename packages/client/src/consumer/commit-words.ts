// What users commit: records, which are finished with that, or offsets to go on from.
import { MinikafkaError } from '@minikafka/protocol'
import { invalidOption } from '../core/index.ts'
import type { NextOffset, TopicPartition } from '../words.ts'
import type { Finished } from './commits.ts'
import type { Feed } from './feed.ts'
import type { Feeds } from './feeds.ts'
import { FetchedRecord } from './record.ts'
import type { AnyRecord } from './types.ts'

export type Commitable = AnyRecord | readonly AnyRecord[] | readonly NextOffset[]

/**
 * Per partition the highest of the records, or the offset itself.
 *
 * Errors  INVALID_OPTION; STALE_MEMBER_EPOCH where the partition is not this consumer's, or was another's meanwhile.
 */
export function finishedBy(what: Commitable, feeds: Feeds): Finished[] {
  const items: readonly (AnyRecord | NextOffset)[] = Array.isArray(what)
    ? what
    : [what as AnyRecord]
  const byFeed = new Map<Feed, number>()
  for (const item of items) {
    const isRecord = item instanceof FetchedRecord
    const feed = isRecord ? FetchedRecord.home(item) : feeds.get(item)
    const offset = isRecord ? item.offset + 1 : (item as NextOffset)?.nextOffset
    if (!Number.isSafeInteger(offset) || offset < 0) {
      const form = 'records of this consumer, or { topic, partition, nextOffset }'
      throw invalidOption(`consumer.commit: what is committed must be ${form}`)
    }
    if (feed === undefined || feeds.get(feed) !== feed) throw notHeld(item)
    byFeed.set(feed as Feed, Math.max(offset, byFeed.get(feed as Feed) ?? 0))
  }
  return [...byFeed].map(([feed, offset]) => ({ feed, offset }))
}

/** Errors: STALE_MEMBER_EPOCH where one of them went meanwhile: whoever had it since may be further. */
export function mustBeHeld(finished: readonly Finished[], feeds: Feeds): readonly Finished[] {
  const gone = finished.find(({ feed }) => feeds.get(feed) !== feed)
  if (gone !== undefined) throw notHeld(gone.feed)
  return finished
}

export function notHeld({ topic, partition }: TopicPartition): MinikafkaError {
  const message =
    `${topic}-${partition} is not assigned to this consumer (any more): nothing of it can be committed here; ` +
    'whoever has it now reads these records again'
  return new MinikafkaError('STALE_MEMBER_EPOCH', { topic, partition, message })
}
