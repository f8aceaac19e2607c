// What happened in a run, for a person: virtual time, who, what. Bounded: old lines give way.
import type { Clock } from '@minikafka/platform'

const LINES_MAX = 4000

export class Timeline {
  readonly #clock: Clock
  #lines: string[] = []
  /** Things that happened, by name. */
  readonly counts = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get nowMs(): number {
    return this.#clock.monotonicMs()
  }

  add(who: string, what: string): void {
    const second = (this.nowMs / 1000).toFixed(4).padStart(9)
    this.#lines.push(`${second} s  ${who.padEnd(9)} ${what}`)
    if (this.#lines.length >= 2 * LINES_MAX) this.#lines = this.#lines.slice(-LINES_MAX)
  }

  count(name: string, by = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + by)
  }

  countOf(name: string): number {
    return this.counts.get(name) ?? 0
  }

  lines(): readonly string[] {
    return this.#lines.slice(-LINES_MAX)
  }
}
