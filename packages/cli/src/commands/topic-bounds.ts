// Where the partitions of a topic begin and end, and where a point is in each. Enters: a topic, a point. Leaves: offsets.
import type { TopicPartition } from '@minikafka/client'
import type { Point } from '../grammar/offsets.ts'
import type { Session } from '../session.ts'
import { noPartition, resolvePoint } from './consume-targets.ts'

export type Bounds = TopicPartition & {
  readonly startOffset: number
  readonly endOffset: number
  /** Of the point; it may lie beyond the bounds. */
  readonly offset: number
}

/** Errors: of a topic or a partition that is not there. */
export async function boundsOf(
  session: Session,
  topic: string,
  point: Point,
  wanted: ReadonlySet<number> | undefined,
): Promise<Bounds[]> {
  const [starts, ends, points] = await Promise.all([
    session.admin.offsets(topic, 'earliest', session.wait),
    resolvePoint(session, topic, { at: 'end' }),
    resolvePoint(session, topic, point),
  ])
  for (const partition of wanted ?? [])
    if (partition >= starts.length) throw noPartition(topic, partition, starts.length)
  return starts
    .filter(({ partition }) => wanted?.has(partition) ?? true)
    .map(({ partition, offset: startOffset }) => {
      const endOffset = ends.get(partition) ?? startOffset
      return {
        topic,
        partition,
        startOffset,
        endOffset,
        offset: points.get(partition) ?? startOffset,
      }
    })
}
