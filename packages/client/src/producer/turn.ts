// One turn of the event loop, as the producer sees it: the clocks are read once in it, and at its end it sends.
import type { Clock } from '@minikafka/platform'

export class Turn {
  readonly #clock: Clock
  /** Made once: a closure in `begin` would cost every record its context, also where nothing begins. */
  readonly #end: () => void
  #running = false
  /** Of this turn: wall clock for timestamps, monotonic for ages. Only between `begin` and its end. */
  wallMs = 0
  monotonicMs = 0

  /** `ended` is called in a microtask after the code that began the turn. */
  constructor(clock: Clock, ended: () => void) {
    this.#clock = clock
    this.#end = () => {
      this.#running = false
      ended()
    }
  }

  begin(): void {
    if (this.#running) return
    this.#running = true
    this.wallMs = this.#clock.wallMs()
    this.monotonicMs = this.#clock.monotonicMs()
    queueMicrotask(this.#end)
  }
}
