// Deadlines over several steps: one budget of time and one signal for all of them.
import { type Clock, sleep, withDeadline } from '@minikafka/platform'
import { MinikafkaError } from '@minikafka/protocol'
import type { Wait } from '../words.ts'

export const CLOSE_TIMEOUT_MS = 30_000

export class Deadline {
  readonly signal: AbortSignal | undefined
  readonly #clock: Clock
  readonly #endMs: number
  readonly #timeoutMs: number
  readonly #what: string

  /**
   * Shape   `what` completes "... took longer than N ms", e.g. 'flush'. `defaultMs` undefined: only for what is
   *         bounded by itself.
   */
  constructor(clock: Clock, wait: Wait | undefined, defaultMs: number | undefined, what: string) {
    this.#clock = clock
    this.#timeoutMs = wait?.timeoutMs ?? defaultMs ?? Number.POSITIVE_INFINITY
    this.#endMs = clock.monotonicMs() + this.#timeoutMs
    this.#what = what
    this.signal = wait?.signal
  }

  /** Milliseconds left, never negative; Infinity where nothing bounds it. */
  get leftMs(): number {
    return Math.max(0, this.#endMs - this.#clock.monotonicMs())
  }

  get over(): boolean {
    return this.leftMs === 0
  }

  /** Throws `signal.reason` or TIMED_OUT where the wait has ended. */
  check(cause?: unknown): void {
    this.signal?.throwIfAborted()
    if (this.over) throw this.error(cause)
  }

  error(cause?: unknown): MinikafkaError {
    const message = `${this.#what} took longer than ${this.#timeoutMs} ms`
    return new MinikafkaError('TIMED_OUT', { message }, cause === undefined ? {} : { cause })
  }

  /** Settles as `work` does, or with this deadline's error. The work itself goes on. */
  hold<T>(work: Promise<T>): Promise<T> {
    if (this.#timeoutMs === Number.POSITIVE_INFINITY && this.signal === undefined) return work
    const timeoutMs = this.#timeoutMs === Number.POSITIVE_INFINITY ? undefined : this.leftMs
    const wait = { timeoutMs, signal: this.signal }
    return withDeadline(this.#clock, work, wait, () => this.error())
  }

  /** Sleeps, at most until the deadline; then `check` says what is the matter. */
  async sleep(delayMs: number): Promise<void> {
    await sleep(this.#clock, Math.min(delayMs, this.leftMs), this.signal)
  }
}
