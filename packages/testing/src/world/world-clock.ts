// The clock a test holds: the Clock port, and the power to move it.
import type { Clock, Timer } from '@minikafka/platform'
import { type Duration, durationMs } from './duration.ts'
import type { Event } from './event-heap.ts'
import type { Ground } from './ground.ts'
import { NodeClock } from './node-clock.ts'
import { SimClock } from './sim-clock.ts'

export class WorldClock implements Clock {
  readonly #ground: Ground
  readonly #clock: SimClock

  constructor(ground: Ground) {
    this.#ground = ground
    this.#clock = new SimClock(ground.scheduler, new NodeClock(ground), undefined)
  }

  wallMs(): number {
    return this.#clock.wallMs()
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs()
  }

  timer(delayMs: number, callback: () => void): Timer {
    return this.#clock.timer(delayMs, callback)
  }

  soon(callback: () => void): void {
    this.#clock.soon(callback)
  }

  /**
   * Lets that much time pass; resolves when all that was due until then has run.
   *
   * On a held clock brokers and clients nap through more than 16 minutes: but for the first minute, the last one, and
   * those around each timer of this clock. What is due during a nap, a 32nd of the whole at most, fires once, at its end,
   * in order, as after a real machine was suspended. Whoever wants each of their timers on time advances by minutes.
   */
  advance(duration: Duration): Promise<void> {
    return this.#ground.scheduler.advance(durationMs(duration))
  }

  /** What waits, for how long and, on a held clock, who asked for it. For people. */
  pending(): string[] {
    const { nowMs } = this.#ground.scheduler
    return this.#ground.scheduler.pending().map((event) => describe(event, nowMs))
  }
}

function ownerName(owner: Event['owner']): string {
  if (owner === undefined) return 'the test'
  return owner.paused ? `${owner.node}, paused` : owner.node
}

function describe({ atMs, owner, label, origin }: Event, nowMs: number): string {
  const where = origin === undefined ? undefined : callerOf(origin)
  const words = [`in ${Math.round((atMs - nowMs) * 1000) / 1000} ms`, ownerName(owner), label]
  return (where === undefined ? words : [...words, where]).join('  ')
}

/** Frames of a stack that do not say who waits. */
const PLUMBING =
  /\/testing\/(?:src|dist)\/world\/(?!.*\.test\.)|\/platform\/(?:src|dist)\/|node:internal|<anonymous>$/

function callerOf(origin: Error): string | undefined {
  const frames = (origin.stack ?? '').split('\n').slice(1)
  return frames.find((frame) => !PLUMBING.test(frame))?.trim()
}
