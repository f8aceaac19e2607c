// The time that groups live by: it reads as a wall clock and runs as a monotonic one, for sessions end by durations while
// commits are dated (trap T21). Enters: both clocks. Leaves: one time; who lives by it hears when the wall clock was set.
import type { Clock } from '@minikafka/platform'

/** Drift and slewing stay below it for a long time; then the time is set anew, too, which costs a session at most. */
const SET_MS = 1_000

export class GroupClock {
  readonly #clock: Clock
  #skewMs: number
  readonly #listeners = new Set<() => void>()

  constructor(clock: Clock) {
    this.#clock = clock
    this.#skewMs = this.#look()
  }

  /** Integer milliseconds since 1970. */
  nowMs(): number {
    const skewMs = this.#look()
    if (Math.abs(skewMs - this.#skewMs) > SET_MS) {
      this.#skewMs = skewMs
      for (const listener of this.#listeners) listener()
    }
    return Math.floor(this.#clock.monotonicMs() + this.#skewMs)
  }

  /** Deadlines mean nothing any more. Returns the function that stops it. */
  onSet(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #look(): number {
    return this.#clock.wallMs() - this.#clock.monotonicMs()
  }
}
