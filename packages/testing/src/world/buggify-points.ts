// The rare branches of the code under test (BUGGIFY): which of them this run takes at all, and how often it did.
import { Generator } from './generator.ts'

export type BuggifyPoint = {
  readonly name: string
  /** Whether this run takes it at all. */
  readonly alive: boolean
  readonly askedCount: number
  readonly takenCount: number
}

/** In each run a point is alive or not: a rare branch is taken often or never (FoundationDB). */
const ALIVE_PROBABILITY = 0.25

export class BuggifyPoints {
  readonly #seed: number
  readonly #enabled: boolean
  readonly #points = new Map<string, { alive: boolean; askedCount: number; takenCount: number }>()

  constructor(seed: number, enabled: boolean) {
    this.#seed = seed
    this.#enabled = enabled
  }

  /** Of all processes of the world; the dice are those of the one that asks. */
  isTaken(name: string, probability: number, dice: Generator): boolean {
    if (!this.#enabled) return false
    let point = this.#points.get(name)
    if (point === undefined) {
      const alive = new Generator(this.#seed, `buggify ${name}`).chance(ALIVE_PROBABILITY)
      point = { alive, askedCount: 0, takenCount: 0 }
      this.#points.set(name, point)
    }
    point.askedCount++
    if (!point.alive || !dice.chance(probability)) return false
    point.takenCount++
    return true
  }

  /** Those that were reached, by name. */
  list(): BuggifyPoint[] {
    const points = [...this.#points].map(([name, point]) => ({ name, ...point }))
    return points.sort((a, b) => (a.name < b.name ? -1 : 1))
  }
}
