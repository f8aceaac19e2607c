// When each group wants to be asked again, with one timer for all of them.
// Enters: a time per group, which moves with every heartbeat. Leaves: the groups whose time has come.
import type { Clock, Timer } from '@minikafka/platform'
import type { GroupClock } from './group-clock.ts'

/** Deadlines are soft: those of many groups are looked at together. */
const APART_MS = 20

export class WakeUps {
  readonly #clock: Clock
  readonly #time: GroupClock
  readonly #due: (groupId: string) => void
  readonly #atMs = new Map<string, number>()
  #timer: Timer | undefined
  /** Infinity: no timer is set. Invariant: not above any time in the map, but for `APART_MS`. */
  #timerAtMs = Number.POSITIVE_INFINITY

  constructor(clock: Clock, time: GroupClock, due: (groupId: string) => void) {
    this.#clock = clock
    this.#time = time
    this.#due = due
  }

  /** undefined: it need not be asked. The timer is left where it is when a time moves back: it looks again then. */
  set(groupId: string, atMs: number | undefined): void {
    if (atMs === undefined) {
      this.#atMs.delete(groupId)
      return
    }
    this.#atMs.set(groupId, atMs)
    if (atMs < this.#timerAtMs) this.#arm(atMs)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timerAtMs = Number.POSITIVE_INFINITY
    this.#atMs.clear()
  }

  #arm(atMs: number): void {
    this.#timer?.cancel()
    const delayMs = Math.max(APART_MS, atMs - this.#time.nowMs())
    this.#timerAtMs = atMs
    this.#timer = this.#clock.timer(delayMs, () => this.#ring())
  }

  #ring(): void {
    this.#timerAtMs = Number.POSITIVE_INFINITY
    const nowMs = this.#time.nowMs()
    const due: string[] = []
    let nextMs = Number.POSITIVE_INFINITY
    for (const [groupId, atMs] of this.#atMs) {
      if (atMs <= nowMs) due.push(groupId)
      else if (atMs < nextMs) nextMs = atMs
    }
    for (const groupId of due) this.#atMs.delete(groupId)
    if (nextMs < this.#timerAtMs) this.#arm(nextMs)
    for (const groupId of due) this.#due(groupId)
  }
}
