// Progress of work over half a second: a bar or a counter on stderr, if that is a terminal and not -q.
// Enters: how much there is, and a function that says how much is done. Leaves: drawings, wiped away at the end.
import type { Session } from './session.ts'

const SHOW_AFTER_MS = 500
const REDRAW_EVERY_MS = 100

export type Work = {
  /** `produced` */
  readonly what: string
  /** Records, bytes, milliseconds, of all of it; undefined: nobody knows. */
  readonly total?: number | undefined
  /** How many of them are done. */
  readonly done: () => number
  /** What is counted besides; without a total: what `done` counts. Default: nothing, as of time that passes. */
  readonly unit?: string
  /** How many of that there are; default: `done`. */
  readonly count?: () => number
}

/** Draws from now on; returns what wipes it away for good. */
export function drawProgress(session: Session, work: Work): () => void {
  const { clock, program } = session.env
  if (session.quiet || !program.stderr.isTTY) return () => {}
  const beganMs = clock.monotonicMs()
  let bar: Bar | undefined
  let stopped = false
  const draw = async () => {
    bar ??= await openBar(session, work)
    if (stopped) return bar.stop()
    const { done, count = done } = work
    bar.update(done(), wordsOf(count(), clock.monotonicMs() - beganMs))
    timer = clock.timer(REDRAW_EVERY_MS, () => void draw())
  }
  let timer = clock.timer(SHOW_AFTER_MS, () => void draw())
  return () => {
    stopped = true
    timer.cancel()
    bar?.stop()
  }
}

type Bar = { update(done: number, words: object): void; stop(): void }

async function openBar({ env }: Session, { what, total, unit }: Work): Promise<Bar> {
  const { default: progress } = await import('cli-progress')
  const counts = unit === undefined ? '' : `{count} ${unit}  {rate}/s  `
  const format =
    total === undefined
      ? `${what} ${counts}{duration_formatted}`
      : `${what} {bar} {percentage} %  ${counts}{eta_formatted} left`
  const bar = new progress.SingleBar(
    // Signals are ours: what is in hand is finished, with its bar.
    {
      format,
      stream: env.program.stderr.stream,
      clearOnComplete: true,
      gracefulExit: false,
      barsize: 20,
      linewrap: true,
    },
    progress.Presets.shades_classic,
  )
  bar.start(total ?? 0, 0, wordsOf(0, 0))
  return bar
}

function wordsOf(count: number, elapsedMs: number): { count: string; rate: string } {
  const perSecond = elapsedMs <= 0 ? 0 : Math.round((count / elapsedMs) * 1000)
  return { count: count.toLocaleString('en'), rate: perSecond.toLocaleString('en') }
}
