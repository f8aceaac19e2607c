// minikafka bench produce | consume | e2e | latency. Enters: options as typed. Leaves: figures on stdout.
import { textOf } from '../../endings.ts'
import { Failure } from '../../failures.ts'
import { drawProgress } from '../../progress.ts'
import { reachBroker } from '../../reach.ts'
import type { Session } from '../../session.ts'
import { sleep } from '../../sleep.ts'
import { watchFetches } from './fetch-times.ts'
import { type BenchTopic, withTopic } from './own-topic.ts'
import { type BenchKind, type BenchOptions, type BenchPlan, planOf } from './plan.ts'
import { type Part, type Records, read, shareOf } from './reading.ts'
import { report } from './report.ts'
import { Run } from './run.ts'
import { type Sending, send } from './sending.ts'

const LOOK_EVERY_MS = 50

export async function bench(
  session: Session,
  kind: BenchKind,
  topic: string | undefined,
  options: BenchOptions,
): Promise<void> {
  const plan = await planOf(session, kind, topic, options)
  await reachBroker(session)
  await withTopic(session, plan, async (place) => {
    const run = await WORK[kind](session, plan, place)
    run.end()
    await report(session, plan, place, run)
    judge(session, plan, run)
  })
}

const WORK: Readonly<
  Record<BenchKind, (session: Session, plan: BenchPlan, topic: BenchTopic) => Promise<Run>>
> = { produce: sendAll, latency: sendAll, consume: consumeAll, e2e: endToEnd }

function judge(session: Session, { recordsMax }: BenchPlan, run: Run): void {
  if (run.failed > 0)
    throw new Failure(`${run.failed} records failed, the first one: ${textOf(run.firstError)}`)
  if (session.signal.aborted && Number.isFinite(recordsMax) && run.finished < recordsMax)
    throw new Failure(`stopped before the end: ${run.finished} of ${recordsMax} records`)
}

// --- produce, latency ----------------------------------------------------------------------------

async function sendAll(session: Session, plan: BenchPlan, topic: BenchTopic): Promise<Run> {
  const run = new Run(session.env.clock, plan, session.signal)
  const { name, partitions } = topic
  await drawn(session, plan, run, () => sendFrom(session, { plan, run, topic: name, partitions }))
  return run
}

/** All clients at once. */
async function sendFrom(session: Session, sending: Sending): Promise<void> {
  const clients = Array.from({ length: sending.plan.clients }, () => session.another())
  await Promise.all(
    clients.map((client, index) => {
      const producer = client.producer(sending.plan.producer)
      return send(session, producer, sending, index)
    }),
  )
}

// --- consume -------------------------------------------------------------------------------------

async function consumeAll(session: Session, plan: BenchPlan, topic: BenchTopic): Promise<Run> {
  if (topic.isOwn) await fill(session, plan, topic)
  const { parts, ends } = await bounds(session, topic.name)
  const total = ends.reduce((sum, end, at) => sum + end - (parts[at]?.start ?? 0), 0)
  const recordsMax = Math.min(plan.recordsMax, total)
  const run = new Run(session.env.clock, { ...plan, recordsMax }, session.signal)
  const stopWatching = watchFetches(session.env.clock, (ms) => run.latencies.record(ms))
  await drawn(session, { ...plan, recordsMax }, run, async () => {
    const reading = Array.from({ length: plan.clients }, (_, index) =>
      readAll(session, run, shareOf(parts, index, plan.clients), ends),
    )
    await Promise.all(reading)
  })
  stopWatching()
  return run
}

async function fill(session: Session, plan: BenchPlan, topic: BenchTopic): Promise<void> {
  const filling = { ...plan, kind: 'produce', clients: 1, rate: 0, producer: {} } as const
  const plain = { ...filling, warmupMs: 0, durationMs: Number.POSITIVE_INFINITY }
  const run = await sendAll(session, plain, topic)
  run.end()
  judge(session, plan, run)
}

async function readAll(session: Session, run: Run, parts: Part[], ends: readonly number[]) {
  const unread = new Set(
    parts.filter(({ partition, start }) => start < (ends[partition] ?? 0)).map((p) => p.partition),
  )
  const wanted = parts.filter(({ partition }) => unread.has(partition))
  await read(session, wanted, run.ended, (partition, records) => {
    run.started += records.length
    for (const { value } of records) run.done(value?.length ?? 0, undefined)
    if ((records.at(-1)?.offset ?? -1) + 1 >= (ends[partition] ?? 0)) unread.delete(partition)
    return unread.size > 0 && !run.isOver
  })
}

/** Where each partition begins and ends now. */
async function bounds(session: Session, topic: string) {
  const [starts, ends] = await session.ask(
    Promise.all([
      session.admin.offsets(topic, 'earliest', session.wait),
      session.admin.offsets(topic, 'latest', session.wait),
    ]),
  )
  return {
    parts: starts.map(({ partition, offset }) => ({ topic, partition, start: offset })),
    ends: ends.map(({ offset }) => offset),
  }
}

// --- e2e -----------------------------------------------------------------------------------------

async function endToEnd(session: Session, plan: BenchPlan, topic: BenchTopic): Promise<Run> {
  const { clock, random } = session.env
  const { parts, ends } = await bounds(session, topic.name)
  const fromNow = parts.map((part, at) => ({ ...part, start: ends[at] ?? 0 }))
  const run = new Run(clock, plan, session.signal)
  // Of this run, whatever else is in the topic.
  const header = `bench-${random.uuid().slice(0, 8)}`
  const readingEnds = new AbortController()
  let acknowledged = 0
  const take = (_: number, records: Records) => {
    const nowMs = clock.monotonicMs()
    for (const { headers, value } of records) {
      const due = headers.get(header)
      if (due) run.done(value?.length ?? 0, nowMs - due.readDoubleBE(0))
    }
    return true
  }
  const reading = Promise.all(
    Array.from({ length: plan.clients }, (_, index) =>
      read(session, shareOf(fromNow, index, plan.clients), readingEnds.signal, take),
    ),
  )
  await drawn(session, plan, run, async () => {
    const sending = sendFrom(session, {
      ...{ plan, run, topic: topic.name, partitions: topic.partitions },
      headers: (dueMs) => [[header, doubleOf(dueMs)]],
      acknowledged: () => void acknowledged++,
    })
    await Promise.race([sending, reading])
    await arrived(session, run, () => acknowledged)
  })
  readingEnds.abort()
  await reading
  return run
}

function doubleOf(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeDoubleBE(value)
  return bytes
}

/** Waits for what is acknowledged and not yet read; what does not come is lost. */
async function arrived(session: Session, run: Run, acknowledged: () => number): Promise<void> {
  const { clock } = session.env
  const endMs = clock.monotonicMs() + session.timeoutMs
  const missing = () => acknowledged() + run.failed - run.finished
  while (missing() > 0 && clock.monotonicMs() < endMs)
    await sleep(session.env, LOOK_EVERY_MS, new AbortController().signal)
  for (let i = missing(); i > 0; i--)
    run.lost(new Failure(`was acknowledged, but not read within ${session.timeout}`))
}

// --- progress ------------------------------------------------------------------------------------

async function drawn(session: Session, plan: BenchPlan, run: Run, work: () => Promise<void>) {
  const { clock } = session.env
  const { kind, recordsMax, warmupMs, durationMs } = plan
  const beganMs = clock.monotonicMs()
  const records = () => run.finished
  const isCounted = Number.isFinite(recordsMax)
  const stopDrawing = drawProgress(session, {
    what: kind === 'consume' ? 'consumed' : 'produced',
    total: isCounted ? recordsMax : Math.round(warmupMs + durationMs),
    done: isCounted ? records : () => Math.round(clock.monotonicMs() - beganMs),
    unit: 'records',
    count: records,
  })
  try {
    await work()
  } finally {
    stopDrawing()
  }
}
