// What truly happened to records: what was acknowledged where, and what each group has made of each partition.
// Enters: news from producers, members and the observer. Leaves: facts, for the oracles.
import { Violation } from '../stage/violation.ts'
import { Progress } from './progress.ts'

export type Place = { readonly topic: string; readonly partition: number; readonly offset: number }

export class Ledger {
  readonly #now: () => number
  readonly #progress = new Map<string, Progress>()
  /** By partition, by offset: the record that stands there, as the first who saw it said. */
  readonly #content = new Map<string, Map<number, string>>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** What a group has made of a partition. */
  progressOf(group: string, topic: string, partition: number): Progress {
    const key = `${group} ${topic}-${partition}`
    const known = this.#progress.get(key)
    if (known !== undefined) return known
    const progress = new Progress(`${topic}-${partition} of ${group}`, this.#now)
    this.#progress.set(key, progress)
    return progress
  }

  /** A producer was told that its record is there. */
  acked(place: Place, id: string): void {
    this.#note(place, id)
  }

  /** A member was given it. Errors: Violation `I6`, `phantom`. */
  read(place: Place, id: string): void {
    this.#note(place, id)
  }

  #note({ topic, partition, offset }: Place, id: string): void {
    const key = `${topic}-${partition}`
    const content = this.#content.get(key) ?? new Map<number, string>()
    this.#content.set(key, content)
    const before = content.get(offset)
    if (before !== undefined && before !== id)
      throw new Violation('I6', `${key} @ ${offset} was ${before}, now it is ${id}`)
    content.set(offset, id)
  }
}
