// minikafka topic stats: what is in a topic, and how fast it grows. Offsets and sizes come from the brokers; keys, nulls
// and times are in the records, and only --scan reads those.
import { parseDuration } from '../grammar/duration.ts'
import { drawProgress } from '../progress.ts'
import { reachBroker } from '../reach.ts'
import type { Session } from '../session.ts'
import { sleep } from '../sleep.ts'
import { bytesText, type Column, printFacts, printRows } from '../table.ts'
import { RecordSurvey, type SurveyResult } from './record-survey.ts'

export type StatsOptions = { interval?: string; scan?: boolean }

const INTERVAL = '2s'

export type PartitionStats = {
  readonly partition: number
  readonly startOffset: number
  readonly endOffset: number
  readonly records: number
  /** Of all copies together; -1: no broker says. */
  readonly sizeBytes: number
  readonly segments: number
  readonly recordsPerSecond: number
  readonly bytesPerSecond: number
}

export async function topicStats(
  session: Session,
  topic: string,
  { interval = INTERVAL, scan = false }: StatsOptions,
): Promise<void> {
  const intervalMs = Math.max(1, parseDuration(interval))
  await reachBroker(session)
  const before = await session.ask(look(session, topic))
  await measured(session, intervalMs)
  const after = await session.ask(look(session, topic))
  const partitions = [...after.partitions].map(([partition, now]) =>
    statsOf(partition, now, before, after),
  )
  const survey = scan ? await new RecordSurvey().read(session, topic) : undefined
  await print(session, topic, partitions, survey)
}

/** While rates are measured nothing else is seen to happen. */
async function measured(session: Session, intervalMs: number): Promise<void> {
  const { clock } = session.env
  const beganMs = clock.monotonicMs()
  const stopDrawing = drawProgress(session, {
    what: 'measuring',
    total: intervalMs,
    done: () => Math.round(clock.monotonicMs() - beganMs),
  })
  await sleep(session.env, intervalMs, session.signal).finally(stopDrawing)
}

// --- two looks -----------------------------------------------------------------------------------

type Sight = {
  startOffset: number
  endOffset: number
  sizeBytes: number
  segments: number
}
type Look = { readonly atMs: number; readonly partitions: ReadonlyMap<number, Sight> }

/** Errors: of a topic that is not there. */
async function look(session: Session, topic: string): Promise<Look> {
  const { admin, wait, env } = session
  const [starts, ends, directories] = await Promise.all([
    admin.offsets(topic, 'earliest', wait),
    admin.offsets(topic, 'latest', wait),
    admin.logDirs(undefined, wait),
  ])
  const atMs = env.clock.monotonicMs()
  const partitions = new Map<number, Sight>()
  for (const { partition, offset } of starts)
    partitions.set(partition, {
      startOffset: offset,
      endOffset: offset,
      sizeBytes: -1,
      segments: -1,
    })
  for (const { partition, offset } of ends) {
    const sight = partitions.get(partition)
    if (sight !== undefined) sight.endOffset = offset
  }
  const copies = directories
    .flatMap(({ topics }) => topics)
    .filter(({ name }) => name === topic)
    .flatMap((one) => one.partitions)
  for (const { partition, sizeBytes, segmentCount } of copies) {
    const sight = partitions.get(partition)
    if (sight === undefined || sizeBytes < 0) continue
    sight.sizeBytes = Math.max(0, sight.sizeBytes) + sizeBytes
    sight.segments = Math.max(0, sight.segments) + segmentCount
  }
  return { atMs, partitions }
}

function statsOf(partition: number, now: Sight, before: Look, after: Look): PartitionStats {
  const then = before.partitions.get(partition) ?? now
  const perSecond = 1000 / Math.max(1, after.atMs - before.atMs)
  const rate = (grown: number) => Math.round(Math.max(0, grown) * perSecond)
  return {
    partition,
    ...now,
    records: now.endOffset - now.startOffset,
    recordsPerSecond: rate(now.endOffset - then.endOffset),
    // Retention takes away meanwhile: what is left of the growth is a lower bound.
    bytesPerSecond: rate(now.sizeBytes - then.sizeBytes),
  }
}

// --- output --------------------------------------------------------------------------------------

async function print(
  session: Session,
  topic: string,
  partitions: readonly PartitionStats[],
  survey: SurveyResult | undefined,
): Promise<void> {
  const sum = (of: (one: PartitionStats) => number) =>
    partitions.reduce((total, one) => total + Math.max(0, of(one)), 0)
  const total = {
    records: sum(({ records }) => records),
    sizeBytes: sum(({ sizeBytes }) => sizeBytes),
    recordsPerSecond: sum(({ recordsPerSecond }) => recordsPerSecond),
    bytesPerSecond: sum(({ bytesPerSecond }) => bytesPerSecond),
  }
  const facts = {
    topic,
    records: total.records.toLocaleString('en'),
    size: bytesText(total.sizeBytes),
    'grows by': `${total.recordsPerSecond.toLocaleString('en')} records/s, ${bytesText(total.bytesPerSecond)}/s`,
    ...(survey === undefined ? {} : survey.facts),
  }
  const { facts: _, ...scanned } = survey ?? { facts: {} }
  await printFacts(session, facts, { topic, ...total, ...scanned, partitions })
  if (session.wantsJson) return
  await session.print('\n')
  await printRows(session, partitions, COLUMNS, (row) => row)
}

const COLUMNS: readonly Column<PartitionStats>[] = [
  { title: 'PARTITION', of: ({ partition }) => String(partition), right: true },
  { title: 'START', of: ({ startOffset }) => String(startOffset), right: true },
  { title: 'END', of: ({ endOffset }) => String(endOffset), right: true },
  { title: 'RECORDS', of: ({ records }) => String(records), right: true },
  { title: 'SIZE', of: ({ sizeBytes }) => bytesText(sizeBytes), right: true },
  { title: 'RECORDS/S', of: (one) => String(one.recordsPerSecond), right: true },
  { title: 'BYTES/S', of: (one) => bytesText(one.bytesPerSecond), right: true },
  {
    title: 'SEGMENTS',
    of: ({ segments }) => (segments < 0 ? '-' : String(segments)),
    right: true,
    wide: true,
  },
]
