// What to say to a reader whose offset is not in the log (any more), or cannot be read: what is lost, and what can be
// done.
import { type Apis, MinikafkaError, type ResponseOf } from '@minikafka/protocol'
import type { Feed } from './feed.ts'

type Range = ResponseOf<Apis['fetch']>['results'][number]['unreadable']

const CURE = 'seek to where it shall go on, or set onOutOfRange'

export function outOfRange(
  feed: Feed,
  logStartOffset: number,
  logEndOffset: number,
): MinikafkaError {
  const { topic, partition, fetchOffset: offset } = feed
  const lostRecords = Math.max(0, logStartOffset - offset)
  const what =
    lostRecords > 0
      ? `${lostRecords} records were deleted before they were read; the log begins at ${logStartOffset}`
      : `the log ends at ${logEndOffset}, before the offset wanted`
  const message = `${feed.key} offset ${offset}: ${what}; ${CURE}`
  const details = { logStartOffset, logEndOffset, lostRecords }
  return new MinikafkaError('OFFSET_OUT_OF_RANGE', { topic, partition, offset, details, message })
}

/** A leader that lost records was elected: what was read behind `endOffset` is not in the log. */
export function diverged(feed: Feed, endOffset: number): MinikafkaError {
  const { topic, partition, position: offset } = feed
  const what = `the log was cut at ${endOffset}, and this reader had come to ${offset}`
  const message = `${feed.key}: ${what}; ${CURE}`
  const details = { logEndOffset: endOffset }
  return new MinikafkaError('OFFSET_OUT_OF_RANGE', { topic, partition, offset, details, message })
}

/** A range that does not hold the offset asked for says nothing about it. */
export function isWithin({ fetchOffset }: Feed, range: Range): range is NonNullable<Range> {
  return range !== null && range.fromOffset <= fetchOffset && fetchOffset < range.nextOffset
}

/** Damage on the broker, or a hole that a repair left. `words` of the broker, which name its file. */
export function unreadable(
  feed: Feed,
  { nextOffset }: NonNullable<Range>,
  words: string | null,
): MinikafkaError {
  const { topic, partition, fetchOffset: offset } = feed
  const what = words ?? 'the broker cannot read its log'
  const cure = `seek to ${nextOffset}, or let onError skip, to go on behind it`
  const message = `${feed.key} offset ${offset}: ${what}; ${cure}`
  const details = { fromOffset: offset, nextOffset }
  return new MinikafkaError('KAFKA_STORAGE_ERROR', { topic, partition, offset, details, message })
}
