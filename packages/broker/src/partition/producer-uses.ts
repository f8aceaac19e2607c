// All producers that the broker remembers, over all partitions, in order of their last use (REPLICATION 2.10 "Expiry").
// Enters: uses. Leaves: room for one more, made by forgetting those that were silent longest.

/** One producer in one partition. */
export type ProducerUse = {
  readonly owner: { forget(producerId: number): void }
  readonly producerId: number
  /** Monotonic. */
  lastUsedMs: number
}

export class ProducerUses {
  readonly #countMax: () => number
  /** Silent longest first, but for those that were restored since `settle`. */
  #uses = new Set<ProducerUse>()
  /** Touched last: a replay, and a producer alone, move nothing. */
  #newest: ProducerUse | undefined

  /** `countMax`: max.producer.ids. */
  constructor(countMax: () => number) {
    this.#countMax = countMax
  }

  get count(): number {
    return this.#uses.size
  }

  /** It is the newest now, whether it was here or not. What is recorded is never refused, and takes no other's place. */
  touch(use: ProducerUse, nowMs: number): void {
    use.lastUsedMs = nowMs
    if (use === this.#newest) return
    this.#uses.delete(use)
    this.#uses.add(use)
    this.#newest = use
  }

  /** As a snapshot tells: `settle` finds its place. */
  restore(use: ProducerUse): void {
    this.#uses.add(use)
    this.#newest = undefined
    this.bound()
  }

  remove(use: ProducerUse): void {
    this.#uses.delete(use)
    if (use === this.#newest) this.#newest = undefined
  }

  /** Room for one more; those that were last used before `usedBeforeMs` make it. */
  room(usedBeforeMs: number): boolean {
    for (const use of this.#uses) {
      if (this.#uses.size < this.#countMax() || use.lastUsedMs >= usedBeforeMs) break
      use.owner.forget(use.producerId)
    }
    return this.#uses.size < this.#countMax()
  }

  /** Forgets all that were last used before `usedBeforeMs`. */
  expire(usedBeforeMs: number): void {
    for (const use of this.#uses) {
      if (use.lastUsedMs >= usedBeforeMs) break
      use.owner.forget(use.producerId)
    }
  }

  /**
   * After logs were opened: puts what was restored in order and forgets the oldest above the maximum, however recent.
   * The last run had no more than that; the others are in the logs, and were forgotten once before.
   */
  settle(): void {
    const ordered = [...this.#uses].sort((one, other) => one.lastUsedMs - other.lastUsedMs)
    this.#uses = new Set(ordered)
    this.#newest = undefined
    for (const use of ordered.slice(0, Math.max(0, ordered.length - this.#countMax())))
      use.owner.forget(use.producerId)
  }

  /** A log that is replayed has many that are long forgotten: memory is bounded while it is read, too. */
  bound(): void {
    if (this.#uses.size > 2 * this.#countMax()) this.settle()
  }
}
