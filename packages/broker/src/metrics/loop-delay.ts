// How late the event loop is: everything that this process does waits for it. Enters: a clock. Leaves: a histogram.
import type { Clock, Timer } from '@minikafka/platform'
import { Durations } from '../durations.ts'
import type { PageText } from './page-text.ts'

/** Ten looks a second see a stall of 100 ms surely, and cost nothing that can be measured. */
const LOOK_MS = 100
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

export class LoopDelay {
  readonly #clock: Clock
  readonly #delays = new Durations(SECONDS)
  #timer: Timer

  constructor(clock: Clock) {
    this.#clock = clock
    this.#timer = this.#sleep()
  }

  stop(): void {
    this.#timer.cancel()
  }

  write(page: PageText): void {
    page.histogram(
      'minikafka_event_loop_delay_seconds',
      'How much later than asked for a timer fired, looked at ten times a second.',
      [['', this.#delays]],
    )
  }

  #sleep(): Timer {
    const dueMs = this.#clock.monotonicMs() + LOOK_MS
    return this.#clock.timer(LOOK_MS, () => {
      this.#delays.add(Math.max(0, this.#clock.monotonicMs() - dueMs))
      this.#timer = this.#sleep()
    })
  }
}
