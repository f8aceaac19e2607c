// The dice of the fuzzers: one seed, one target, one index, one input.
import { Generator } from '../src/world/generator.ts'

export class Dice {
  readonly #generator: Generator

  constructor(seed: number, name: string) {
    this.#generator = new Generator(seed, name)
  }

  uint32(): number {
    return this.#generator.uint32()
  }

  /** Uniform in [0, bound); 0 for a bound of 0. */
  below(bound: number): number {
    return this.#generator.below(bound)
  }

  chance(probability: number): boolean {
    return this.#generator.chance(probability)
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  bytes(size: number): Buffer {
    const bytes = Buffer.alloc(size)
    this.#generator.fill(bytes)
    return bytes
  }

  /** Mostly small, at times large: 1, 2, 3 … `max`. */
  small(max: number): number {
    let value = 1
    while (value < max && this.chance(0.5)) value++
    return value
  }
}

/** Dice that depend on the bytes alone: a kept input is cut into the same pieces each time. */
export function diceOf(bytes: Uint8Array, name: string): Dice {
  let hash = bytes.length
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return new Dice(hash >>> 0, name)
}
