// Dice from a seed: sfc32, small, fast and good enough for years of virtual time.
// Enters: a seed and a name. Leaves: the same numbers each time, and forks that do not disturb each other.

export class Generator {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** `name` tells generators of one seed apart: another line drawn by one does not shift the others. */
  constructor(seed: number, name: string) {
    this.#a = hashText(name, seed | 0)
    this.#b = hashText(name, Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995)
    this.#c = (seed / 2 ** 32) | 0
    for (let round = 0; round < 12; round++) this.uint32()
  }

  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** Uniform in [0, 1), 53 bits. */
  next(): number {
    return ((this.uint32() >>> 5) * 2 ** 26 + (this.uint32() >>> 6)) / 2 ** 53
  }

  /** Uniform integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.next() * bound)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  fill(bytes: Uint8Array): void {
    let word = 0
    for (let position = 0; position < bytes.length; position++) {
      word = position % 4 === 0 ? this.uint32() : word >>> 8
      bytes[position] = word
    }
  }
}

/** 32 bits of a text (FNV-1a, mixed once more at the end). */
export function hashText(text: string, start = 0): number {
  let hash = start ^ 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) ^ (hash >>> 16)
}
