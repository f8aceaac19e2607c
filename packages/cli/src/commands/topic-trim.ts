// minikafka topic trim: deletes the records before a point of each partition.
// Enters: a point. Leaves: where each log began and begins now, a row each.
import { confirm } from '../confirm.ts'
import { Failure } from '../failures.ts'
import { parsePoint } from '../grammar/offsets.ts'
import { drawProgress } from '../progress.ts'
import { reachBroker } from '../reach.ts'
import type { Session } from '../session.ts'
import { type Column, printRows } from '../table.ts'
import { UsageError } from '../usage-error.ts'
import { partitionsOf } from './consume-options.ts'
import { type Bounds, boundsOf } from './topic-bounds.ts'

export type TrimOptions = { before: string; partitions?: string; dryRun?: boolean }

export async function topicTrim(
  session: Session,
  topic: string,
  { before, partitions, dryRun }: TrimOptions,
): Promise<void> {
  const point = parsePoint(before, session.env.clock.wallMs())
  if (point.at === 'committed')
    throw new UsageError(
      '--before committed: only a group commits offsets; see minikafka group lag',
    )
  const wanted = partitionsOf(partitions)
  await reachBroker(session)
  const bounds = await session.ask(boundsOf(session, topic, point, wanted))
  refuseBeyond(topic, bounds)
  // Where the log begins later already, nothing changes.
  const cuts = bounds
    .map((one) => ({ ...one, records: one.offset - one.startOffset }))
    .filter(({ records }) => records > 0)
  if (cuts.length === 0) return session.say('nothing to delete')
  if (dryRun) return printRows(session, cuts, COLUMNS, (cut) => cut)
  const total = cuts.reduce((sum, { records }) => sum + records, 0)
  await confirm(session, `Delete ${recordsText(total)} of ${topic}, for good?`)
  await cutAll(session, topic, cuts)
  await printRows(session, cuts, COLUMNS, (cut) => cut)
}

type Cut = Bounds & { readonly records: number }

/** A number that is mistyped deletes nothing. */
function refuseBeyond(topic: string, bounds: readonly Bounds[]): void {
  for (const { partition, offset, endOffset } of bounds) {
    if (offset <= endOffset) continue
    throw new Failure(
      `${topic}-${partition} ends at ${endOffset}, before ${offset}; nothing was deleted (-p names partitions, --before end takes all)`,
    )
  }
}

/** One after the other: what was cut when something fails is known. */
async function cutAll(session: Session, topic: string, cuts: readonly Cut[]): Promise<void> {
  let done = 0
  let records = 0
  const stopDrawing = drawProgress(session, {
    what: 'deleted',
    total: cuts.length,
    done: () => done,
    unit: 'records',
    count: () => records,
  })
  try {
    for (const cut of cuts) {
      session.signal.throwIfAborted()
      await session.admin.deleteRecords(topic, { [cut.partition]: cut.offset }, session.wait)
      done++
      records += cut.records
    }
  } catch (error) {
    if (done > 0)
      await session.say(`${recordsText(records)} of ${done} partitions were deleted before that`)
    throw error
  } finally {
    stopDrawing()
  }
}

function recordsText(count: number): string {
  return count === 1 ? '1 record' : `${count} records`
}

const COLUMNS: readonly Column<Cut>[] = [
  { title: 'PARTITION', of: ({ partition }) => String(partition), right: true },
  { title: 'START', of: ({ startOffset }) => String(startOffset), right: true },
  { title: 'NEW START', of: ({ offset }) => String(offset), right: true },
  { title: 'DELETED', of: ({ records }) => String(records), right: true },
]
