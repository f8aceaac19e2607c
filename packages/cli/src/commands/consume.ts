// minikafka consume T…: records to stdout, from a point, to an end or for ever.
import type { Consumer, ConsumerOptions, TopicPartition } from '@minikafka/client'
import { codeOf } from '../endings.ts'
import { EXIT, Failure, Interrupted } from '../failures.ts'
import { watchLinks } from '../link-watch.ts'
import { drawProgress } from '../progress.ts'
import { reachBroker } from '../reach.ts'
import type { Session } from '../session.ts'
import {
  type ConsumeOptions,
  type ConsumePlan,
  planOf,
  type ReadRecords,
} from './consume-options.ts'
import { Places } from './consume-places.ts'
import { specOf, targetsOf, topicsOf } from './consume-targets.ts'

const POLL_RECORDS = 5_000
/** How often somebody looks whether the end was reached where the log ends in something that is no record. */
const POLL_WAIT_MS = 500
/** A topic that grows is noticed after so long. */
const METADATA_AGE_MS = 10_000

export async function consume(
  session: Session,
  topics: readonly string[],
  options: ConsumeOptions,
): Promise<void> {
  const plan = planOf(session, topics, options)
  const counts: Counts = { seen: 0, printed: 0 }
  try {
    if (plan.countMax > 0) await read(session, plan, counts)
  } catch (error) {
    // The first signal while nothing was read yet.
    if (!(error instanceof Interrupted)) throw error
  }
  const { printed } = counts
  if (session.signal.aborted && options.count !== undefined && printed < plan.countMax)
    throw new Failure(`stopped after ${printed} of ${plan.countMax} records`)
}

/** Records that came, and those among them that were wanted. */
type Counts = { seen: number; printed: number }

async function read(session: Session, plan: ConsumePlan, counts: Counts): Promise<void> {
  session.open({ metadataMaxAgeMs: METADATA_AGE_MS })
  await reachBroker(session)
  const reading = await session.ask(openReading(session, plan))
  if (reading === undefined) return
  const { consumer, places } = reading
  const stop = () => consumer.stop()
  session.signal.addEventListener('abort', stop)
  const forget = watchLinks(session, () => true)
  const stopDrawing = drawReading(session, plan, places, counts)
  const failed = failureOf(session, reading)
  const isMember = plan.group !== undefined
  let records: ReadRecords[] = []
  try {
    while (!session.signal.aborted && counts.printed < plan.countMax && !places.done) {
      failed.throwIfAborted()
      // What a member is handed is finished when it asks for more: nothing that is not printed.
      const max = isMember ? Math.min(POLL_RECORDS, plan.countMax - counts.printed) : POLL_RECORDS
      records = await consumer.poll({ max, maxWaitMs: POLL_WAIT_MS })
      await print(session, plan, places, records, counts)
      places.advance(consumer)
    }
    if (isMember) await leaveGroup(session, consumer, records)
  } finally {
    stopDrawing()
    forget()
    session.signal.removeEventListener('abort', stop)
  }
}

/** What was printed last is committed too, then others get the partitions at once. */
async function leaveGroup(
  session: Session,
  consumer: Consumer<string>,
  printed: readonly ReadRecords[],
): Promise<void> {
  if (printed.length > 0) await consumer.commit(printed, session.wait)
  await consumer.close(session.wait)
}

/** Aborts where the end cannot come any more: its topic was deleted. Who follows is told, and waits on. */
function failureOf(session: Session, { consumer, places }: Reading): AbortSignal {
  const failure = new AbortController()
  consumer.on('error', (error) => {
    if (!Number.isFinite(places.total) || codeOf(error) !== EXIT.notFound)
      return void session.say(error.message)
    failure.abort(error)
    consumer.stop()
  })
  return failure.signal
}

/** Those that are wanted, in one write. */
async function print(
  session: Session,
  plan: ConsumePlan,
  places: Places,
  records: readonly ReadRecords[],
  counts: Counts,
): Promise<void> {
  const out: Uint8Array[] = []
  for (const record of records) {
    counts.seen++
    if (!places.has(record) || !plan.wanted(record)) continue
    plan.print(record, out)
    if (++counts.printed >= plan.countMax) break
  }
  if (out.length > 0) await session.print(Buffer.concat(out))
}

// --- where to read -----------------------------------------------------------------------------

type Reading = { readonly consumer: Consumer<string>; readonly places: Places }

/** Undefined: there is nothing to read. */
async function openReading(session: Session, plan: ConsumePlan): Promise<Reading | undefined> {
  const { range, untilEnd, partitions, group } = plan
  const topics = await topicsOf(session, plan)
  if (group !== undefined) return joinGroup(session, plan, group, topics)
  const follows = range.to === undefined && !untilEnd
  const start = specOf(range.from)
  // All partitions, those that are added later too.
  if (follows && partitions === undefined && start !== undefined)
    return { consumer: openConsumer(session, plan, { topics, start }), places: new Places([]) }
  const targets = await targetsOf(session, topics, plan)
  const open = targets.filter((target) => target.from < target.end)
  if (open.length === 0) return undefined
  if (follows && partitions === undefined) {
    const consumer = openConsumer(session, plan, { topics, start: 'earliest' })
    for (const target of open) await consumer.seek(target, target.start, session.wait)
    return { consumer, places: new Places(open) }
  }
  const assign = open.map((target) => ({
    topic: target.topic,
    partition: target.partition,
    start: target.start,
  }))
  return { consumer: openConsumer(session, plan, { assign }), places: new Places(open) }
}

/** Reads as a member: what was printed is committed when the next is asked for, and at the end. */
function joinGroup(
  session: Session,
  plan: ConsumePlan,
  group: string,
  topics: readonly string[],
): Reading {
  const start = specOf(plan.range.from) ?? 'earliest'
  return { consumer: openConsumer(session, plan, { group, topics, start }), places: new Places([]) }
}

type Where =
  | {
      readonly group?: string

      readonly topics: readonly string[]
      readonly start: Exclude<ReturnType<typeof specOf>, undefined>
    }
  | { readonly assign: readonly (TopicPartition & { readonly start: number })[] }

function openConsumer(session: Session, plan: ConsumePlan, where: Where): Consumer<string> {
  const tuning = {
    isolation: plan.uncommitted ? 'read_uncommitted' : 'read_committed',
    ...session.partOptions,
  } as const
  return session.client.consumer({ ...tuning, ...where } as ConsumerOptions<string>)
}

/** Records that go to a terminal are their own progress. */
function drawReading(
  session: Session,
  { countMax }: ConsumePlan,
  { total }: Places,
  counts: Counts,
): () => void {
  if (session.env.program.stdout.isTTY) return () => {}
  return drawProgress(session, {
    what: 'consumed',
    total: finite(Math.min(countMax, total)),
    done: () => (countMax < total ? counts.printed : counts.seen),
    unit: 'records',
    count: () => counts.seen,
  })
}

function finite(count: number): number | undefined {
  return Number.isFinite(count) ? count : undefined
}
