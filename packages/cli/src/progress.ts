// Progress of work over half a second: a bar or a counter on stderr, if that is a terminal and not -q.
import type { Session } from './session.ts'

const SHOW_AFTER_MS = 500
const REDRAW_EVERY_MS = 100

export type Progress = { add(count: number): void; stop(): void }

export function progressOf(session: Session, what: string, total?: number): Progress {
  const { clock, program } = session.env
  if (session.quiet || !program.stderr.isTTY) return { add: () => {}, stop: () => {} }
  const beganMs = clock.monotonicMs()
  let count = 0
  let nextMs = beganMs + SHOW_AFTER_MS
  let drawn: { update(count: number): void; stop(): void } | undefined
  let stopped = false
  const draw = async () => {
    const { default: progress } = await import('cli-progress')
    if (stopped || drawn) return
    const format =
      total === undefined
        ? `${what} {value} records, {duration_formatted}`
        : `${what} {bar} {percentage} %  {value} of {total}, {eta_formatted} left`
    const bar = new progress.SingleBar(
      { format, stream: program.stderr.stream, clearOnComplete: true, hideCursor: true },
      progress.Presets.shades_classic,
    )
    bar.start(total ?? 0, count)
    drawn = bar
  }
  return {
    add(more) {
      count += more
      const nowMs = clock.monotonicMs()
      if (nowMs < nextMs) return
      nextMs = nowMs + REDRAW_EVERY_MS
      if (drawn) drawn.update(count)
      else void draw()
    },
    stop() {
      stopped = true
      drawn?.stop()
    },
  }
}
