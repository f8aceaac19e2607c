// A clock that stands still until a test moves it on: a twin of Node's where only time is to be held.
import type { Clock, Timer } from '../env.ts'

type Waiting = { readonly dueMs: number; readonly callback: () => void }

export class HeldClock implements Clock {
  readonly #startMs: number
  #nowMs = 0
  readonly #waiting = new Set<Waiting>()

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#startMs = startMs
  }

  get timerCount(): number {
    return this.#waiting.size
  }

  wallMs(): number {
    return this.#startMs + Math.floor(this.#nowMs)
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  timer(delayMs: number, callback: () => void): Timer {
    const waiting = { dueMs: this.#nowMs + Math.max(0, delayMs), callback }
    this.#waiting.add(waiting)
    return { cancel: () => void this.#waiting.delete(waiting) }
  }

  soon(callback: () => void): void {
    setImmediate(callback)
  }

  /** Each timer on the way is called at its own time; what it set in motion gets a turn of the event loop. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    for (;;) {
      const [next] = [...this.#waiting].sort((left, right) => left.dueMs - right.dueMs)
      if (next === undefined || next.dueMs > endMs) break
      this.#waiting.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      next.callback()
      await new Promise((resolve) => setImmediate(resolve))
    }
    this.#nowMs = endMs
  }
}
