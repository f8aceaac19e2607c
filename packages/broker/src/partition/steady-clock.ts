// Whether the wall clock can be believed (trap T21). Enters: both clocks. Leaves: the time, or nothing where somebody set it.
import type { Env } from '@minikafka/platform'

/** The wall clock moved so much more or less than time did: that is no drift. */
const JUMP_MS = 60_000

export class SteadyClock {
  readonly #clock: Env['clock']
  /** Wall clock minus monotonic clock at the last look. */
  #skewMs: number

  constructor(clock: Env['clock']) {
    this.#clock = clock
    this.#skewMs = this.#look()
  }

  /** undefined: it was set since the last call, so that ages mean nothing for one check. */
  wallMs(): number | undefined {
    const before = this.#skewMs
    this.#skewMs = this.#look()
    return Math.abs(this.#skewMs - before) > JUMP_MS ? undefined : this.#clock.wallMs()
  }

  #look(): number {
    return this.#clock.wallMs() - this.#clock.monotonicMs()
  }
}
