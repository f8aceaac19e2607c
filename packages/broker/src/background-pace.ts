// How fast work in the background goes: as much later as its bound asks for, and later still while others need the loop.
// Enters: bytes about to be read or written. Leaves: the moment for them.
import { type Env, sleep } from '@minikafka/platform'
import type { MemoryBudget } from './memory-budget.ts'

/** With the memory budget used up nobody needs more buffers. */
const FULL_MS = 1_000
/** A timer that fires so much too late says that the loop is busy: the pause doubles, up to `slowerMax` times. */
const LATE_MS = 50

export class BackgroundPace {
  readonly #env: Env
  readonly #memory: MemoryBudget
  readonly #how: { readonly bytesPerSecond: () => number; readonly slowerMax: number }
  #slower = 1

  constructor(
    env: Env,
    memory: MemoryBudget,
    how: { readonly bytesPerSecond: () => number; readonly slowerMax: number },
  ) {
    this.#env = env
    this.#memory = memory
    this.#how = how
  }

  /** Rejects with the signal's reason. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#env
    const { bytesPerSecond, slowerMax } = this.#how
    const pauseMs = (bytes / bytesPerSecond()) * 1000 * this.#slower
    const beganMs = clock.monotonicMs()
    await sleep(clock, pauseMs, signal)
    const isLate = clock.monotonicMs() - beganMs - pauseMs > LATE_MS
    this.#slower = isLate ? Math.min(slowerMax, this.#slower * 2) : Math.max(1, this.#slower / 2)
    while (this.#memory.full) await sleep(clock, FULL_MS, signal)
  }
}
