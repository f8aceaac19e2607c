// The clocks of one node, which outlive its processes. They may be wrong: the wall clock jumps, and all
// time of the node runs a little fast or slow.
// Enters: virtual time. Leaves: what the node believes.
import { assert } from '@minikafka/platform'
import { type SignedDuration, signedMs } from './duration.ts'
import type { Ground } from './ground.ts'

/** More than any quartz; NTP itself never slews faster. */
const DRIFT_PPM_MAX = 500
/** A timer of a drifting clock is a nanosecond late rather than, by rounding, a little early. */
const ROUNDING_MS = 1e-6

/** The power over the clocks of one node. */
export type ClockFaults = {
  wallMs(): number
  monotonicMs(): number
  /** Moves the wall clock, by `'1h'` or `'-1h'`, as somebody who sets it; the monotonic clock knows nothing of it. */
  jump(by: SignedDuration): void
  /** From now on all time of the node runs fast (up to 500 millionths) or slow (down to -500). */
  drift(partsPerMillion: number): void
  /** The wall clock is right again, by a jump, and nothing drifts. */
  heal(): void
}

export class NodeClock implements ClockFaults {
  readonly #ground: Ground
  #jumpedMs = 0
  #rate = 1
  /** When the rate last changed, in virtual time and in the node's own. */
  #changed = { atMs: 0, ownMs: 0 }

  constructor(ground: Ground) {
    this.#ground = ground
  }

  /** Integer milliseconds since 1970. */
  wallMs(): number {
    return Math.floor(this.#ground.startWallMs + this.#jumpedMs + this.monotonicMs())
  }

  monotonicMs(): number {
    const { nowMs } = this.#ground.scheduler
    if (this.#rate === 1 && this.#changed.atMs === 0) return nowMs
    return this.#changed.ownMs + (nowMs - this.#changed.atMs) * this.#rate
  }

  /** How much virtual time passes while that much passes here. */
  virtualMs(ownMs: number): number {
    return this.#rate === 1 ? ownMs : ownMs / this.#rate + ROUNDING_MS
  }

  jump(by: SignedDuration): void {
    this.#jumpedMs += signedMs(by)
  }

  drift(partsPerMillion: number): void {
    assert(Math.abs(partsPerMillion) <= DRIFT_PPM_MAX, 'a clock drifts by 500 ppm at most')
    this.#changed = { atMs: this.#ground.scheduler.nowMs, ownMs: this.monotonicMs() }
    this.#rate = 1 + partsPerMillion / 1e6
  }

  heal(): void {
    this.drift(0)
    this.#jumpedMs = this.#ground.scheduler.nowMs - this.monotonicMs()
  }
}
