// minikafka cluster health: what is ill, once, again and again, or until nothing is.
import type { ClusterHealth, HealthCheck } from '@minikafka/client'
import { textOf } from '../endings.ts'
import { EXIT, Failure, Interrupted } from '../failures.ts'
import { parseDuration } from '../grammar/duration.ts'
import { persist, reachBroker } from '../reach.ts'
import type { Session } from '../session.ts'
import { sleep } from '../sleep.ts'
import { type Column, printRows } from '../table.ts'
import { UsageError } from '../usage-error.ts'

export type HealthOptions = { watch?: boolean; exitWhenHealthy?: boolean; interval?: string }

const INTERVAL = '2s'

export async function clusterHealth(session: Session, options: HealthOptions): Promise<void> {
  const intervalMs = parseDuration(options.interval ?? INTERVAL)
  const isRepeated = options.watch || options.exitWhenHealthy
  if (options.interval !== undefined && !isRepeated)
    throw new UsageError('--interval is for --watch and --exit-when-healthy')
  if (options.exitWhenHealthy) return untilHealthy(session, options, intervalMs)
  await reachBroker(session)
  if (options.watch) return watch(session, intervalMs)
  const health = await session.ask(session.admin.health(session.wait))
  await print(session, health)
  if (!health.healthy) throw new Failure(illText(health))
}

/** Until it is stopped: what is ill is shown, and ends nothing. */
async function watch(session: Session, intervalMs: number): Promise<void> {
  try {
    for (;;) {
      const look = () => session.ask(session.admin.health(session.wait))
      await print(session, await persist(session, look))
      await sleep(session.env, intervalMs, session.signal)
      if (!session.wantsJson) await session.print('\n')
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
  }
}

/** A broker that does not answer yet is waited for. With --timeout all of it ends then. */
async function untilHealthy(
  session: Session,
  { watch: shows }: HealthOptions,
  intervalMs: number,
): Promise<void> {
  const { env, hasTimeout, timeoutMs, timeout } = session
  const endMs = hasTimeout ? env.clock.monotonicMs() + timeoutMs : Number.POSITIVE_INFINITY
  let trouble = ''
  for (;;) {
    const leftMs = endMs - env.clock.monotonicMs()
    const waitMs = Math.max(1, Math.ceil(Math.min(timeoutMs, leftMs)))
    const look = session.admin.health({ timeoutMs: waitMs }).catch((error: Error) => error)
    const health = await session.ask(look)
    const isKnown = !(health instanceof Error)
    if (isKnown && (shows || health.healthy)) await print(session, health)
    if (isKnown && health.healthy) return
    const now = isKnown ? illText(health) : textOf(health)
    // What has not changed is not said again.
    if (now !== trouble) await session.say(`waiting: ${now}`)
    trouble = now
    if (endMs - env.clock.monotonicMs() <= intervalMs)
      throw new Failure(`${trouble} (waited ${timeout})`, EXIT.timedOut)
    await sleep(env, intervalMs, session.signal)
  }
}

function illText({ checks }: ClusterHealth): string {
  const ill = checks.filter(({ state }) => state === 'ill')
  return `not healthy: ${ill.map(({ name, about }) => `${name}: ${about}`).join('; ')}`
}

async function print(session: Session, health: ClusterHealth): Promise<void> {
  if (session.output === 'json') return session.print(`${JSON.stringify(health, null, 2)}\n`)
  if (session.output === 'jsonl') return session.print(`${JSON.stringify(health)}\n`)
  await printRows(session, health.checks, COLUMNS, (check) => check)
}

const COLUMNS: readonly Column<HealthCheck>[] = [
  { title: 'CHECK', of: ({ name }) => name },
  { title: 'STATE', of: ({ state }) => state },
  { title: 'ABOUT', of: ({ about }) => about, fit: 'wrap' },
]
