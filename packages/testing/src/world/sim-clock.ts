// The clock of one process: what its node believes about the virtual time of the scheduler.
import type { Clock, Timer } from '@minikafka/platform'
import type { Event } from './event-heap.ts'
import type { NodeClock } from './node-clock.ts'
import type { Process } from './process.ts'
import type { Scheduler } from './scheduler.ts'

export class SimClock implements Clock {
  readonly #scheduler: Scheduler
  readonly #clock: NodeClock
  readonly #owner: Process | undefined

  /** Without a process it is the test's own clock. */
  constructor(scheduler: Scheduler, clock: NodeClock, owner: Process | undefined) {
    this.#scheduler = scheduler
    this.#clock = clock
    this.#owner = owner
  }

  wallMs(): number {
    return this.#clock.wallMs()
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs()
  }

  timer(delayMs: number, callback: () => void): Timer {
    return new SimTimer(this.#scheduler, this.#clock, this.#owner, delayMs, callback)
  }

  soon(callback: () => void): void {
    this.#scheduler.schedule(this.#owner, 'io', 'soon', 0, callback)
  }
}

class SimTimer implements Timer {
  readonly #scheduler: Scheduler
  readonly #clock: NodeClock
  readonly #owner: Process | undefined
  readonly #callback: () => void
  readonly #dueMs: number
  #event: Event

  constructor(
    scheduler: Scheduler,
    clock: NodeClock,
    owner: Process | undefined,
    delayMs: number,
    callback: () => void,
  ) {
    this.#scheduler = scheduler
    this.#clock = clock
    this.#owner = owner
    this.#callback = callback
    this.#dueMs = clock.monotonicMs() + delayMs
    this.#event = this.#wait(Math.max(0, delayMs))
  }

  cancel(): void {
    this.#scheduler.cancel(this.#event)
  }

  #wait(delayMs: number): Event {
    const virtualMs = this.#clock.virtualMs(delayMs)
    return this.#scheduler.schedule(this.#owner, 'timer', 'timer', virtualMs, () => this.#fire())
  }

  /** A clock that began to run slow since then is not there yet. */
  #fire(): void {
    const leftMs = this.#dueMs - this.#clock.monotonicMs()
    if (leftMs > 0) this.#event = this.#wait(leftMs)
    else this.#callback()
  }
}
