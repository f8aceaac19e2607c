// What to say to a reader whose offset is not in the log (any more): what is lost, and what can be done.
import { MinikafkaError } from '@minikafka/protocol'
import type { Feed } from './feed.ts'

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
