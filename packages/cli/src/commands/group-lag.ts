// minikafka group lag: how far behind a group is; a check for those who watch over it.
import type { PartitionLag } from '@minikafka/client'
import { Failure, Interrupted } from '../failures.ts'
import { parseDuration } from '../grammar/duration.ts'
import { persist, reachBroker } from '../reach.ts'
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
  const show = async (lags: readonly PartitionLag[]) => {
    await printRows(session, lags, lagColumns(), (lag) => lag)
    check(group, lags, bound)
  }
  const look = () => session.ask(session.admin.lag(group, session.wait))
  if (options.watch) return watch(session, intervalMs, look, show)
  await show(await look())
}

/** Until it is stopped, or `show` has seen enough. */
async function watch(
  session: Session,
  intervalMs: number,
  look: () => Promise<PartitionLag[]>,
  show: (lags: readonly PartitionLag[]) => Promise<void>,
): Promise<void> {
  try {
    for (;;) {
      await show(await persist(session, look))
      if (!session.wantsJson) await session.print('\n')
      await sleep(session.env, intervalMs, session.signal)
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
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
