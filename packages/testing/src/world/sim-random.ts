// The dice of one process, forked from the world's seed by name.
import type { Random } from '@minikafka/platform'
import { Generator } from './generator.ts'

/** In each run a point is alive or not at all: a rare branch is taken often or never (FoundationDB). */
const ALIVE_PROBABILITY = 0.25

export class SimRandom implements Random {
  readonly #seed: number
  readonly #dice: Generator
  readonly #buggify: boolean
  readonly #alive = new Map<string, boolean>()

  constructor(seed: number, name: string, buggify: boolean) {
    this.#seed = seed
    this.#dice = new Generator(seed, `random ${name}`)
    this.#buggify = buggify
  }

  next(): number {
    return this.#dice.next()
  }

  below(bound: number): number {
    return this.#dice.below(bound)
  }

  bytes(size: number): Buffer {
    const bytes = Buffer.alloc(size)
    this.#dice.fill(bytes)
    return bytes
  }

  uuid(): string {
    const bytes = this.bytes(16)
    bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40
    bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
    const hex = bytes.toString('hex')
    return [8, 12, 16, 20, 32]
      .map((end, index, ends) => hex.slice(index === 0 ? 0 : ends[index - 1], end))
      .join('-')
  }

  buggify(point: string, probability: number): boolean {
    if (!this.#buggify) return false
    let alive = this.#alive.get(point)
    if (alive === undefined) {
      alive = new Generator(this.#seed, `buggify ${point}`).chance(ALIVE_PROBABILITY)
      this.#alive.set(point, alive)
    }
    return alive && this.#dice.chance(probability)
  }
}
