// The clock of one process: virtual time of the scheduler, started at its own moment.
import type { Clock, Timer } from '@minikafka/platform'
import { type Ground, wallMs } from './ground.ts'
import type { Process } from './process.ts'

export class SimClock implements Clock {
  readonly #ground: Ground
  readonly #owner: Process | undefined

  /** Without a process it is the test's own clock. */
  constructor(ground: Ground, owner: Process | undefined) {
    this.#ground = ground
    this.#owner = owner
  }

  wallMs(): number {
    return wallMs(this.#ground)
  }

  monotonicMs(): number {
    return this.#ground.scheduler.nowMs
  }

  timer(delayMs: number, callback: () => void): Timer {
    const { scheduler } = this.#ground
    const event = scheduler.schedule(this.#owner, 'timer', 'timer', Math.max(0, delayMs), callback)
    return { cancel: () => scheduler.cancel(event) }
  }

  soon(callback: () => void): void {
    this.#ground.scheduler.schedule(this.#owner, 'io', 'soon', 0, callback)
  }
}
