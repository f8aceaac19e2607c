// How long things took, counted in buckets: a histogram of Prometheus. Enters: milliseconds. Leaves: counts and their sum.
// It is added to with every request: one array of numbers, in which nothing is ever allocated.

/** In seconds, ascending; what is above the last bound counts only in `count`. */
export type Bounds = readonly number[]

export class Durations {
  readonly bounds: Bounds
  readonly #boundsMs: Float64Array
  /** One for each bound, one for what is above them all, and the sum in milliseconds. */
  readonly #numbers: Float64Array

  constructor(bounds: Bounds) {
    this.bounds = bounds
    this.#boundsMs = Float64Array.from([...bounds.map((s) => s * 1000), Number.POSITIVE_INFINITY])
    this.#numbers = new Float64Array(bounds.length + 2)
  }

  add(durationMs: number): void {
    const bounds = this.#boundsMs
    let bucket = 0
    // The last bound is infinite.
    while (durationMs > (bounds[bucket] as number)) bucket++
    const numbers = this.#numbers
    numbers[bucket] = (numbers[bucket] as number) + 1
    const sum = bounds.length
    numbers[sum] = (numbers[sum] as number) + durationMs
  }

  get count(): number {
    return this.#numbers.subarray(0, -1).reduce((all, count) => all + count, 0)
  }

  get sumSeconds(): number {
    return (this.#numbers.at(-1) as number) / 1000
  }

  /** For each bound how many took no longer, in their order. */
  get cumulative(): number[] {
    let count = 0
    return this.bounds.map((_, bucket) => {
      count += this.#numbers[bucket] as number
      return count
    })
  }
}
