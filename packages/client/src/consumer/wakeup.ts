// One timer for many: calls back at the earliest time that somebody asked for.
import type { Clock, Timer } from '@minikafka/platform'

export class Wakeup {
  readonly #clock: Clock
  readonly #callback: () => void
  #timer: { readonly timer: Timer; readonly atMs: number } | undefined

  constructor(clock: Clock, callback: () => void) {
    this.#clock = clock
    this.#callback = callback
  }

  /** Calls back no later than in `delayMs`; whoever needs another call asks again. */
  in(delayMs: number): void {
    const atMs = this.#clock.monotonicMs() + delayMs
    if (this.#timer !== undefined && this.#timer.atMs <= atMs) return
    this.cancel()
    const timer = this.#clock.timer(delayMs, () => {
      this.#timer = undefined
      this.#callback()
    })
    this.#timer = { timer, atMs }
  }

  cancel(): void {
    this.#timer?.timer.cancel()
    this.#timer = undefined
  }
}
