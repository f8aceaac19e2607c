// The counts of one run, and when it ends. Enters: what became of each record. Leaves: rates over the time that counts.
import type { Clock } from '../../session.ts'
import { Latencies } from './latencies.ts'
import type { BenchPlan } from './plan.ts'

export class Run {
  readonly latencies = new Latencies()
  /** Aborts when the run is over: time, number of records, or a signal of the user. */
  readonly ended: AbortSignal
  /** Sent or wanted, of the whole run. */
  started = 0
  /** Done, of the whole run. */
  finished = 0
  failed = 0
  firstError: unknown
  readonly #clock: Clock
  readonly #plan: BenchPlan
  readonly #end = new AbortController()
  readonly #timers: { cancel(): void }[] = []
  #measuredSinceMs: number
  #measuredUntilMs: number
  #measured = 0
  #measuredBytes = 0

  constructor(clock: Clock, plan: BenchPlan, interrupted: AbortSignal) {
    this.#clock = clock
    this.#plan = plan
    this.ended = AbortSignal.any([this.#end.signal, interrupted])
    this.#measuredSinceMs = clock.monotonicMs()
    this.#measuredUntilMs = this.#measuredSinceMs
    const { warmupMs, durationMs } = plan
    if (warmupMs > 0) this.#timers.push(clock.timer(warmupMs, () => this.#measureFromNow()))
    if (Number.isFinite(durationMs))
      this.#timers.push(clock.timer(warmupMs + durationMs, () => this.end()))
  }

  get isOver(): boolean {
    return this.ended.aborted || this.started >= this.#plan.recordsMax
  }

  end(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#end.abort()
  }

  /** One more is done, `ms` after it began. */
  done(bytes: number, ms: number | undefined): void {
    this.finished++
    this.#measured++
    this.#measuredBytes += bytes
    this.#measuredUntilMs = this.#clock.monotonicMs()
    if (ms !== undefined) this.latencies.record(ms)
  }

  lost(error: unknown): void {
    this.finished++
    this.failed++
    this.firstError ??= error
  }

  /** Of what came after the warm-up; of a run that was shorter than that, of all. */
  totals() {
    const seconds = Math.max(0, this.#measuredUntilMs - this.#measuredSinceMs) / 1000
    const per = (count: number) => (seconds === 0 ? 0 : count / seconds)
    return {
      records: this.#measured,
      bytes: this.#measuredBytes,
      seconds: Math.round(seconds * 1000) / 1000,
      recordsPerSecond: Math.round(per(this.#measured)),
      mbPerSecond: Math.round(per(this.#measuredBytes) / 10_000) / 100,
      failed: this.failed,
    }
  }

  #measureFromNow(): void {
    this.latencies.clear()
    this.#measured = 0
    this.#measuredBytes = 0
    this.#measuredSinceMs = this.#clock.monotonicMs()
    this.#measuredUntilMs = this.#measuredSinceMs
  }
}
