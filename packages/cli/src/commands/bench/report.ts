// What a bench says at its end. Enters: the run. Leaves: facts or JSON on stdout, the histogram in its file.
import { textOf } from '../../endings.ts'
import { saveFile } from '../../save-file.ts'
import type { Session } from '../../session.ts'
import { printFacts } from '../../table.ts'
import type { BenchTopic } from './own-topic.ts'
import type { BenchPlan } from './plan.ts'
import type { Run } from './run.ts'

const LATENCY_OF = {
  produce: 'acknowledgement',
  consume: 'fetch',
  e2e: 'end to end',
  latency: 'acknowledgement',
} as const

export async function report(
  session: Session,
  plan: BenchPlan,
  topic: BenchTopic,
  run: Run,
): Promise<void> {
  const totals = run.totals()
  const percentiles = run.latencies.percentiles()
  const { kind, clients, rate } = plan
  const latency = LATENCY_OF[kind]
  const json = {
    ...{ bench: kind, topic: topic.name, partitions: topic.partitions, clients },
    ...(rate > 0 ? { rate } : {}),
    ...totals,
    latencyOf: latency,
    latencyMs: percentiles ?? null,
    ...(run.firstError === undefined ? {} : { error: textOf(run.firstError) }),
  }
  const ms = (value: number) => `${value.toFixed(value < 10 ? 3 : 1)} ms`
  const waits = rate > 0 ? 'waiting counts' : undefined
  await printFacts(
    session,
    {
      bench: `${kind}, ${count(clients, 'client')}, ${count(topic.partitions, 'partition')}`,
      records: `${totals.records.toLocaleString('en')} in ${totals.seconds.toFixed(1)} s${lostText(totals.failed)}`,
      'records/s': `${totals.recordsPerSecond.toLocaleString('en')}${rate > 0 ? ` of ${rate.toLocaleString('en')} wanted` : ''}`,
      'MB/s': totals.mbPerSecond.toFixed(2),
      latency: [latency, waits].filter(Boolean).join(', '),
      ...(percentiles === undefined
        ? {}
        : {
            '  p50': ms(percentiles.p50),
            '  p90': ms(percentiles.p90),
            '  p99': ms(percentiles.p99),
            '  p99.9': ms(percentiles.p999),
            '  max': ms(percentiles.max),
          }),
    },
    json,
  )
  await saveHistogram(session, plan, run)
}

async function saveHistogram({ env }: Session, { histogram }: BenchPlan, { latencies }: Run) {
  if (histogram === undefined) return
  await saveFile(env, histogram, latencies.distribution())
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

function lostText(failed: number): string {
  return failed === 0 ? '' : `, ${failed.toLocaleString('en')} failed`
}
