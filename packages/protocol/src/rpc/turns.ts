// Whose requests are served when: those that have more at hand than one slice go on in the turns that follow, one slice
// each, round and round. So whoever asks for little waits for a few slices of the others, not for all that they have
// sent (SECURITY, row 69). Enters: connections with requests at hand. Leaves: a call to each when it is its turn.
import type { Clock } from '@minikafka/platform'

/** Then the sockets are looked at again: somebody else may have asked for something meanwhile. */
const TURN_MS = 2

export class Turns {
  readonly #clock: Clock
  readonly #waiting = new Set<() => void>()
  #isDue = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `serve` is called once, in a turn to come. */
  enter(serve: () => void): void {
    this.#waiting.add(serve)
    this.#later()
  }

  has(serve: () => void): boolean {
    return this.#waiting.has(serve)
  }

  leave(serve: () => void): void {
    this.#waiting.delete(serve)
  }

  #later(): void {
    if (this.#isDue) return
    this.#isDue = true
    this.#clock.soon(() => {
      this.#isDue = false
      this.#turn()
    })
  }

  #turn(): void {
    const untilMs = this.#clock.monotonicMs() + TURN_MS
    let left = this.#waiting.size
    // Whoever enters again stands at the end, and has had its slice.
    for (const serve of this.#waiting) {
      this.#waiting.delete(serve)
      serve()
      if (--left === 0 || this.#clock.monotonicMs() >= untilMs) break
    }
    if (this.#waiting.size > 0) this.#later()
  }
}
