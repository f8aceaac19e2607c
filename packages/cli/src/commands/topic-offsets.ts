// minikafka topic offsets: where partitions begin and end, and where a time is in them.
import { type Point, parsePoint, parseTime } from '../grammar/offsets.ts'
import { reachBroker } from '../reach.ts'
import type { Session } from '../session.ts'
import { type Column, printRows } from '../table.ts'
import { UsageError } from '../usage-error.ts'
import { partitionsOf } from './consume-options.ts'
import { type Bounds, boundsOf } from './topic-bounds.ts'

export type OffsetsOptions = { at?: string; partitions?: string }

export async function topicOffsets(
  session: Session,
  topic: string,
  { at, partitions }: OffsetsOptions,
): Promise<void> {
  const point = at === undefined ? undefined : pointOf(at, session.env.clock.wallMs())
  const wanted = partitionsOf(partitions)
  await reachBroker(session)
  const bounds = await session.ask(boundsOf(session, topic, point ?? { at: 'start' }, wanted))
  const columns = point === undefined ? COLUMNS : [...COLUMNS, atColumn(at ?? '')]
  await printRows(session, bounds, columns, ({ offset, ...row }) =>
    point === undefined ? row : { ...row, offset },
  )
}

/** A point, or a time without its @. */
function pointOf(at: string, nowMs: number): Point {
  const isTime = /^\d{10}(\d{3})?$|^\d{4}-|^\d{8}T|^-\d+(\.\d+)?[a-z]/.test(at)
  const point: Point = isTime
    ? { at: 'time', timestampMs: parseTime(at, nowMs) }
    : parsePoint(at, nowMs)
  if (point.at === 'committed')
    throw new UsageError('--at committed: only a group commits offsets; see minikafka group lag')
  return point
}

function atColumn(at: string): Column<Bounds> {
  return { title: `AT ${at}`, of: ({ offset }) => String(offset), right: true }
}

const COLUMNS: readonly Column<Bounds>[] = [
  { title: 'PARTITION', of: ({ partition }) => String(partition), right: true },
  { title: 'START', of: ({ startOffset }) => String(startOffset), right: true },
  { title: 'END', of: ({ endOffset }) => String(endOffset), right: true },
  {
    title: 'RECORDS',
    of: ({ startOffset, endOffset }) => String(endOffset - startOffset),
    right: true,
  },
]
