// Long work cut into slices, with turns of the event loop between them for everybody else. Enters: a clock.
// Leaves: when a slice is over, and how long they took together.
import type { Clock } from '@minikafka/platform'

/** Nobody notices it behind a produce request of a megabyte. */
const SLICE_MS = 2
/** Steps between two looks at the clock. */
const STEPS = 64

export class Slices {
  readonly #clock: Clock
  #beganMs: number
  #endedMs = 0
  #steps = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#beganMs = clock.monotonicMs()
  }

  /** Asked before each small step. */
  get isOver(): boolean {
    return ++this.#steps % STEPS === 0 && this.#sliceMs >= SLICE_MS
  }

  /** Resolves in a later turn. */
  async next(): Promise<void> {
    this.#endedMs += this.#sliceMs
    await turn(this.#clock)
    this.#beganMs = this.#clock.monotonicMs()
  }

  /** Waits for what is no work of this process: a disk. */
  async away<T>(work: Promise<T>): Promise<T> {
    const sliceMs = this.#sliceMs
    const result = await work
    this.#beganMs = this.#clock.monotonicMs() - sliceMs
    return result
  }

  get workedMs(): number {
    return this.#endedMs + this.#sliceMs
  }

  get #sliceMs(): number {
    return this.#clock.monotonicMs() - this.#beganMs
  }
}

/** Resolves in a later turn of the loop. */
export function turn(clock: Clock): Promise<void> {
  return new Promise((resolve) => clock.soon(resolve))
}
