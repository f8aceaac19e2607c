// minikafka rtt: an empty request and its answer, again and again. Leaves: a line for each, a summary on stderr.
import { textOf } from '../../endings.ts'
import { EXIT, Failure, Interrupted } from '../../failures.ts'
import { parseDuration } from '../../grammar/duration.ts'
import { positive } from '../../grammar/number.ts'
import { reachBroker } from '../../reach.ts'
import type { Session } from '../../session.ts'
import { sleep } from '../../sleep.ts'

export type RttOptions = { count?: string; interval?: string }

const INTERVAL = '1s'

export async function rtt(session: Session, options: RttOptions): Promise<void> {
  const { count, interval = INTERVAL } = options
  const countMax = count === undefined ? Number.POSITIVE_INFINITY : positive('-n', count)
  const intervalMs = parseDuration(interval)
  await reachBroker(session)
  const trips: number[] = []
  let lost = 0
  let isStopped = false
  for (let seq = 1; seq <= countMax && !isStopped; seq++) {
    const ms = await roundTrip(session, seq)
    if (ms === 'interrupted') break
    if (ms === undefined) lost++
    else trips.push(ms)
    if (seq < countMax) isStopped = await stoppedWithin(session, intervalMs)
  }
  await summarize(session, trips, lost)
  const asked = trips.length + lost
  if (Number.isFinite(countMax) && asked < countMax)
    throw new Failure(`stopped before the end: ${asked} of ${countMax}`)
  if (lost > 0) throw new Failure(`${lost} of ${asked} were not answered`, EXIT.failed)
}

/** undefined: it was not answered. */
async function roundTrip(
  session: Session,
  seq: number,
): Promise<number | undefined | 'interrupted'> {
  const { client, wait, wantsJson } = session
  try {
    const { brokerId, roundTripMs } = await session.ask(client.ping(wait))
    const ms = Math.round(roundTripMs * 1000) / 1000
    await session.print(
      wantsJson
        ? `${JSON.stringify({ seq, brokerId, roundTripMs: ms })}\n`
        : `broker ${brokerId}: seq=${seq} time=${ms.toFixed(3)} ms\n`,
    )
    return ms
  } catch (error) {
    if (error instanceof Interrupted) return 'interrupted'
    const words = textOf(error)
    await session.print(
      wantsJson ? `${JSON.stringify({ seq, error: words })}\n` : `no answer: seq=${seq} ${words}\n`,
    )
    return undefined
  }
}

async function stoppedWithin(session: Session, delayMs: number): Promise<boolean> {
  try {
    await sleep(session.env, delayMs, session.signal)
    return false
  } catch (error) {
    if (error instanceof Interrupted) return true
    throw error
  }
}

async function summarize(session: Session, trips: readonly number[], lost: number): Promise<void> {
  if (trips.length === 0) return
  const sorted = [...trips].sort((a, b) => a - b)
  const mean = trips.reduce((sum, ms) => sum + ms, 0) / trips.length
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
  const figures = [sorted[0] ?? 0, median, mean, sorted.at(-1) ?? 0]
  const text = figures.map((ms) => ms.toFixed(3)).join('/')
  await session.say(`${trips.length} answered, ${lost} lost, min/median/mean/max = ${text} ms`)
}
