// The dice of one process, forked from the world's seed by name.
import type { Random } from '@minikafka/platform'
import type { BuggifyPoints } from './buggify-points.ts'
import { Generator } from './generator.ts'

export class SimRandom implements Random {
  readonly #dice: Generator
  readonly #buggify: BuggifyPoints

  constructor(seed: number, name: string, buggify: BuggifyPoints) {
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
    return this.#buggify.isTaken(point, probability, this.#dice)
  }
}
