// Where consume begins and ends in each partition. Enters: points as typed. Leaves: offsets, or a way to begin that the SDK knows.
import type { OffsetSpec, TopicPartition } from '@minikafka/client'
import { EXIT, Failure } from '../failures.ts'
import type { Point } from '../grammar/offsets.ts'
import type { Session } from '../session.ts'
import type { ConsumePlan } from './consume-options.ts'

export type Target = TopicPartition & {
  /** Where to begin; the log reaches so far already. */
  readonly start: number
  /** Records below are passed by: the point wanted may lie beyond the end. */
  readonly from: number
  /** Infinity: follow. */
  readonly end: number
}

type Range = Pick<ConsumePlan, 'range' | 'untilEnd' | 'partitions'>

/** Errors: of a topic, a pattern or a partition that is not there. */
export async function topicsOf(session: Session, plan: ConsumePlan): Promise<readonly string[]> {
  const { patterns, topics } = plan
  if (patterns === undefined) return topics
  const all = await session.admin.listTopics({}, session.wait)
  const names = all.map(({ name }) => name)
  const found = names.filter((name) => patterns.some((one) => one.test(name)))
  if (found.length === 0) throw new Failure(`no topic matches ${topics.join(', ')}`, EXIT.notFound)
  return found
}

export async function targetsOf(
  session: Session,
  topics: readonly string[],
  range: Range,
): Promise<readonly Target[]> {
  const found = await Promise.all(topics.map((topic) => targetsOfTopic(session, topic, range)))
  return found.flat()
}

async function targetsOfTopic(
  session: Session,
  topic: string,
  { range, untilEnd, partitions }: Range,
): Promise<Target[]> {
  const resolve = (point: Point) => resolvePoint(session, topic, point)
  const [starts, latest, from, to] = await Promise.all([
    resolve({ at: 'start' }),
    resolve({ at: 'end' }),
    resolve(range.from),
    range.to === undefined ? undefined : resolve(range.to),
  ])
  const wanted = [...(partitions ?? starts.keys())]
  return wanted.map((partition) => {
    const start = starts.get(partition)
    if (start === undefined) throw noPartition(topic, partition, starts.size)
    const last = latest.get(partition) ?? start
    const first = Math.max(start, from.get(partition) ?? start)
    const end = to === undefined ? Number.POSITIVE_INFINITY : (to.get(partition) ?? 0)
    return {
      topic,
      partition,
      start: Math.min(first, last),
      from: first,
      end: untilEnd ? Math.min(end, last) : end,
    }
  })
}

/** An offset of each partition, wherever the log begins and ends. */
export async function resolvePoint(
  session: Session,
  topic: string,
  point: Point,
): Promise<Map<number, number>> {
  const at = async (where: OffsetSpec) => {
    const offsets = await session.admin.offsets(topic, where, session.wait)
    return new Map(offsets.map(({ partition, offset }) => [partition, offset]))
  }
  const spec = specOf(point)
  if (spec !== undefined) return at(spec)
  const starts = await at('earliest')
  const { offset } = point as { offset?: number }
  const { count = 0 } = point as { count?: number }
  return new Map([...starts].map(([partition, start]) => [partition, offset ?? start + count]))
}

/** The point as the SDK names it; undefined: it must be worked out. */
export function specOf(point: Point): Exclude<OffsetSpec, number> | undefined {
  switch (point.at) {
    case 'start':
      return 'earliest'
    case 'end':
      return 'latest'
    case 'before-end':
      return { last: point.count }
    case 'time':
      return { timestamp: point.timestampMs }
    default:
      return undefined
  }
}

export function noPartition(topic: string, partition: number, count: number): Failure {
  const there = count === 1 ? 'partition 0 only' : `partitions 0 to ${count - 1}`
  return new Failure(`-p ${partition}: ${topic} has ${there}`, EXIT.notFound)
}
