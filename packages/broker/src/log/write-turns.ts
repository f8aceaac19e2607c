// How much is written within one turn of the event loop: a write blocks it, and sockets and other logs wait meanwhile.
// Enters: writers with something to write. Leaves: when each may, first come first served; small writes at once.
import type { Clock } from '@minikafka/platform'

/** The longest write there is: 0.2-0.7 ms of the loop (PERFORMANCE 4). */
const TURN_BYTES = 1024 * 1024
/** Costs less than the wait. Who writes little is not kept waiting by those who write much. */
const SMALL_BYTES_MAX = 64 * 1024

export class WriteTurns {
  readonly #clock: Clock
  /** Of this turn; a write that began within it may exceed it. */
  #bytesLeft = TURN_BYTES
  /** Bounded by the number of logs: each has one writer. */
  #waiting: { readonly bytes: number; readonly begin: () => void }[] = []
  #isRenewalDue = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Undefined: now. Else resolves when it is this writer's turn; it writes without another wait. */
  take(bytes: number): Promise<void> | undefined {
    this.#renewLater()
    const isNow = this.#bytesLeft > 0 && this.#waiting.length === 0
    if (isNow || bytes <= SMALL_BYTES_MAX) {
      this.#bytesLeft -= bytes
      return undefined
    }
    return new Promise((resolve) => this.#waiting.push({ bytes, begin: resolve }))
  }

  #renewLater(): void {
    if (this.#isRenewalDue) return
    this.#isRenewalDue = true
    this.#clock.soon(() => this.#renew())
  }

  #renew(): void {
    this.#isRenewalDue = false
    this.#bytesLeft = TURN_BYTES
    let begun = 0
    for (const { bytes, begin } of this.#waiting) {
      if (this.#bytesLeft <= 0) break
      this.#bytesLeft -= bytes
      begun++
      begin()
    }
    if (begun === 0) return
    this.#waiting = this.#waiting.slice(begun)
    this.#renewLater()
  }
}
