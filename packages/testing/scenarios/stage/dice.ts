// Dice with words: what a swarm draws. Each part of a plan has its own, so that leaving one out does not shift the others.
import { Generator } from '../../src/world/generator.ts'

export class Dice {
  readonly #generator: Generator

  constructor(seed: number, name: string) {
    this.#generator = new Generator(seed, name)
  }

  chance(probability: number): boolean {
    return this.#generator.chance(probability)
  }

  below(bound: number): number {
    return this.#generator.below(bound)
  }

  /** A whole number, both ends included. */
  between(least: number, most: number): number {
    return least + this.#generator.below(most - least + 1)
  }

  /** As `between`, with each order of magnitude as likely as the next. */
  scale(least: number, most: number): number {
    return Math.round(least * (most / least) ** this.#generator.next())
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.#generator.below(choices.length)] as T
  }

  /** Each of them or not. */
  some<T>(choices: readonly T[], probability: number): T[] {
    return choices.filter(() => this.#generator.chance(probability))
  }

  /** Times between events that come by themselves, in ms. */
  waitMs(meanMs: number): number {
    return Math.min(meanMs * 5, -Math.log(1 - this.#generator.next()) * meanMs)
  }
}
