// Those who wait until their batch is as durable as they asked for.
// Enters: an offset to wait for, how far the log is. Leaves: what became of the batch, once.
import type { Clock, Timer } from '@minikafka/platform'
import { type Appended, ambiguous } from './appended.ts'

type Waiter = {
  /** The high watermark (acks all) or the own position (acks 1) that settles it. */
  readonly offset: number
  readonly acks: 1 | -1
  readonly success: Appended
  readonly resolve: (appended: Appended) => void
  timer: Timer | undefined
}

export class AckWaiters {
  readonly #clock: Clock
  readonly #waiters = new Set<Waiter>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `timeoutMs` Infinity: no time-out. A time-out takes nothing back: the batch may be written yet. */
  wait(acks: 1 | -1, offset: number, success: Appended, timeoutMs: number): Promise<Appended> {
    return new Promise<Appended>((resolve) => {
      const waiter: Waiter = { offset, acks, success, resolve, timer: undefined }
      this.#waiters.add(waiter)
      if (timeoutMs === Number.POSITIVE_INFINITY) return
      const message = `not acknowledged within ${timeoutMs} ms; it may be written yet`
      waiter.timer = this.#clock.timer(timeoutMs, () =>
        this.#settle(waiter, ambiguous('REQUEST_TIMED_OUT', message)),
      )
    })
  }

  /** The log got further: `reached` says how far each kind of acknowledgement can be promised. */
  advanced(reached: (acks: 1 | -1) => number): void {
    for (const waiter of this.#waiters)
      if (reached(waiter.acks) >= waiter.offset) this.#settle(waiter, waiter.success)
  }

  /** Those who wait for more than `offset` hear that their write is unknown. */
  failAbove(offset: number, outcome: Appended): void {
    for (const waiter of this.#waiters) if (waiter.offset > offset) this.#settle(waiter, outcome)
  }

  #settle(waiter: Waiter, outcome: Appended): void {
    this.#waiters.delete(waiter)
    waiter.timer?.cancel()
    waiter.resolve(outcome)
  }
}
