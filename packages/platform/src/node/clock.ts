// The `clock` port: the wall, the monotonic clock, timers.
import type { Clock, Timer } from '../env.ts'

/** What setTimeout can hold; above it calls back at once. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1

export const nodeClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  timer: (delayMs, callback) => new NodeTimer(delayMs, callback),
  soon(callback) {
    setImmediate(callback)
  },
}

/**
 * Resolves after one real turn of the event loop: all promises that were ready have run by then.
 * The only one outside of `clock.soon` that may name setImmediate: the simulated world turns by it.
 */
export function realTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

class NodeTimer implements Timer {
  readonly #callback: () => void
  readonly #dueMs: number
  #timeout: NodeJS.Timeout

  constructor(delayMs: number, callback: () => void) {
    this.#callback = callback
    this.#dueMs = performance.now() + delayMs
    this.#timeout = this.#wait(delayMs)
  }

  cancel(): void {
    clearTimeout(this.#timeout)
  }

  #wait(delayMs: number): NodeJS.Timeout {
    return setTimeout(() => this.#wake(), Math.min(Math.ceil(delayMs), TIMEOUT_MS_MAX))
  }

  /** libuv counts whole milliseconds from the start of the turn: it wakes up to one too early. */
  #wake(): void {
    const leftMs = this.#dueMs - performance.now()
    if (leftMs > 0) this.#timeout = this.#wait(leftMs)
    else this.#callback()
  }
}
