// Lets so many in at once; the others wait in line. Enters: work. Leaves: its result.

export class Gate {
  readonly #countMax: number
  #count = 0
  readonly #waiting: (() => void)[] = []

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#count === this.#countMax) {
      // Whoever leaves hands its place on, so the count stays.
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else {
      this.#count++
    }
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#count--
      else next()
    }
  }
}
