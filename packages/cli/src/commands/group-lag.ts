// minikafka group lag: how far behind a group is; a check for those who watch over it.
import type { PartitionLag } from '@minikafka/client'
import { Failure, Interrupted } from '../failures.ts'
import { parseDuration } from '../grammar/duration.ts'
import { reachBroker } from '../reach.ts'
import type { Session } from '../session.ts'
import { sleep } from '../sleep.ts'
import { printRows } from '../table.ts'
import { UsageError } from '../usage-error.ts'
import { type Bound, boundOf, isBehind } from './group-bound.ts'
import { durationText, lagColumns } from './group-words.ts'

export type LagOptions = { watch?: boolean; interval?: string; max?: string }

const INTERVAL = '2s'

export async function groupLag(
  session: Session,
  group: string,
  options: LagOptions,
): Promise<void> {
  const bound = boundOf(options.max)
  const intervalMs = parseDuration(options.interval ?? INTERVAL)
  if (options.interval !== undefined && !options.watch)
    throw new UsageError('--interval is for --watch')
  await reachBroker(session)
  for (;;) {
    const lags = await session.ask(session.admin.lag(group, session.wait))
    await printRows(session, lags, lagColumns(), (lag) => lag)
    check(group, lags, bound)
    if (!options.watch) return
    if (!session.wantsJson) await session.print('\n')
    if (!(await pause(session, intervalMs))) return
  }
}

function check(group: string, lags: readonly PartitionLag[], bound: Bound | undefined): void {
  if (bound === undefined) return
  const behind = lags.filter((lag) => isBehind(lag, bound))
  const worst = behind.reduce<PartitionLag | undefined>(
    (most, one) => (most === undefined || one.lag > most.lag ? one : most),
    undefined,
  )
  if (worst === undefined) return
  const { topic, partition, lag, lagMs } = worst
  const age = lagMs === undefined ? '' : `, ${durationText(lagMs)}`
  const max = 'records' in bound ? `${bound.records} records` : durationText(bound.ms)
  throw new Failure(
    `group '${group}' is further behind than ${max} in ${behind.length} of ${lags.length} partitions; ` +
      `most in ${topic}-${partition}: ${lag} records${age}`,
  )
}

/** False: it was stopped. */
async function pause(session: Session, intervalMs: number): Promise<boolean> {
  try {
    await sleep(session.env, intervalMs, session.signal)
    return true
  } catch (error) {
    if (error instanceof Interrupted) return false
    throw error
  }
}
