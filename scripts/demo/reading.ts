// What a group read, held against what was produced: every record at least once, and in order for each key.
// Enters: batches, as members say them, in any order. Leaves: counts; an error where something is missing or wrong.

/** A batch of one partition: offset, key and value of each record. */
export type Line = {
  readonly partition: number
  readonly records: readonly (readonly [offset: number, key: string, value: string])[]
}

type Record = { readonly key: string; readonly value: string }

export class Reading {
  readonly #byPartition = new Map<number, Record[]>()
  #different = 0
  #twice = 0

  /** Different records so far. */
  get different(): number {
    return this.#different
  }

  /** How often a record came that had come before. */
  get twice(): number {
    return this.#twice
  }

  add({ partition, records }: Line): void {
    const known = this.#byPartition.get(partition) ?? []
    this.#byPartition.set(partition, known)
    for (const [offset, key, value] of records) {
      const before = known[offset]
      if (before === undefined) this.#different++
      else this.#twice++
      if (before !== undefined && before.value !== value)
        throw new Error(`partition ${partition}: offset ${offset} is another record now: ${value}`)
      known[offset] = { key, value }
    }
  }

  /** `expected`: for each key its values in order, over and over again. */
  check(expected: ReadonlyMap<string, readonly string[]>): void {
    const nextOf = new Map<string, number>()
    for (const [partition, records] of this.#byPartition) {
      for (let offset = 0; offset < records.length; offset++) {
        const record = records[offset]
        if (record === undefined) throw new Error(`partition ${partition}: nobody read ${offset}`)
        const { key, value } = record
        const list = expected.get(key) ?? []
        const next = nextOf.get(key) ?? 0
        if (list[next % list.length] !== value)
          throw new Error(`origin ${key}: record ${next} is out of order: ${value}`)
        nextOf.set(key, next + 1)
      }
    }
  }
}
