// Keeping to a rate. What was missed while something else took its time is not made up for.
import type { Env } from '@minikafka/client'
import { sleep } from './sleep.ts'

/** Shorter waits than a timer can keep are gathered. */
const WAIT_MS_MIN = 1

export class Pace {
  readonly #env: Env
  readonly #everyMs: number
  #dueMs: number

  constructor(env: Env, everyMs: number) {
    this.#env = env
    this.#everyMs = everyMs
    this.#dueMs = env.clock.monotonicMs()
  }

  /** Before each record: undefined where it may go at once. Rejects with the reason of `signal`. */
  turn(signal: AbortSignal): undefined | Promise<void> {
    if (this.#everyMs === 0) return undefined
    const nowMs = this.#env.clock.monotonicMs()
    const waitMs = this.#dueMs - nowMs
    this.#dueMs = Math.max(this.#dueMs, nowMs - this.#everyMs) + this.#everyMs
    return waitMs < WAIT_MS_MIN ? undefined : sleep(this.#env, waitMs, signal)
  }
}
