// One timer for many deadlines: it keeps the earliest; who is called looks at all of them, and asks again.
import type { Clock, Timer } from '@minikafka/platform'

export class Alarm {
  readonly #clock: Clock
  readonly #ring: () => void
  #timer: Timer | undefined
  #atMs = Number.POSITIVE_INFINITY

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock
    this.#ring = ring
  }

  /** Rings at `atMs` (monotonic), or earlier. */
  at(atMs: number): void {
    if (atMs >= this.#atMs) return
    this.#timer?.cancel()
    this.#atMs = atMs
    this.#timer = this.#clock.timer(Math.max(0, atMs - this.#clock.monotonicMs()), () => {
      this.#timer = undefined
      this.#atMs = Number.POSITIVE_INFINITY
      this.#ring()
    })
  }

  /** The same, counted from now. */
  in(delayMs: number): void {
    this.at(this.#clock.monotonicMs() + delayMs)
  }

  cancel(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#atMs = Number.POSITIVE_INFINITY
  }
}
