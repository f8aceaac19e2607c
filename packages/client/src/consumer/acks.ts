// Which records in hand their reader has finished early: of now, and of the time before it was sent elsewhere or its
// partition went, whose records somebody may still work on.
// Enters: offsets. Leaves: whether one is finished.

type Past = {
  readonly readGeneration: number
  /** What was handed out last. */
  readonly lastOffset: number | undefined
  readonly offsets: Set<number>
}

export class Acks {
  readonly #offsets = new Set<number>()
  #past: Past | undefined

  add(offset: number): void {
    this.#offsets.add(offset)
  }

  has(offset: number): boolean {
    return this.#offsets.has(offset)
  }

  delete(offset: number): void {
    this.#offsets.delete(offset)
  }

  clear(): void {
    if (this.#offsets.size > 0) this.#offsets.clear()
  }

  // --- past ----------------------------------------------------------------------------------

  /** What is in hand is past from now on. */
  pass(readGeneration: number, lastOffset: number | undefined): void {
    this.#past = { readGeneration, lastOffset, offsets: new Set(this.#offsets) }
  }

  /** False: it is of another time. */
  addPast(offset: number, readGeneration: number): boolean {
    if (this.#past?.readGeneration !== readGeneration) return false
    this.#past.offsets.add(offset)
    return true
  }

  hasPast(offset: number, readGeneration: number): boolean {
    return this.#past?.readGeneration === readGeneration && this.#past.offsets.has(offset)
  }

  /** The record that was handed out last in that time is finished. */
  isLastDone(readGeneration: number): boolean {
    const lastOffset = this.#past?.lastOffset
    return lastOffset !== undefined && this.hasPast(lastOffset, readGeneration)
  }
}
