// The last revisions, change by change: what watches read, what old revisions and rollbacks are rebuilt from.
import { assert } from '@minikafka/platform'
import type { Event, KeyValue } from '../meta-store.ts'

/** What one revision did to one key; absent = there was, there is no such key. */
export type Change = {
  readonly key: string
  readonly before: KeyValue | undefined
  readonly after: KeyValue | undefined
}

export type Revision = { readonly rev: number; readonly changes: readonly Change[] }

/** Changes of keys that are kept at most, whatever the number of revisions: a bound of the memory. */
const CHANGES_MAX = 100_000
/** Stands where a revision stood, so that nothing holds on to what it changed. */
const FORGOTTEN: Revision = { rev: -1, changes: [] }

export class History {
  /** Invariant: from index `#start` on without a hole, the newest last; what stands before is forgotten. */
  readonly #revisions: Revision[] = []
  #start = 0
  #last: number
  #changeCount = 0
  readonly #revisionsMax: number

  constructor(rev: number, revisionsMax: number) {
    this.#last = rev
    this.#revisionsMax = revisionsMax
  }

  /** Newest revision. */
  get last(): number {
    return this.#last
  }

  /** What happened up to here (this one included) is no longer known. */
  get compacted(): number {
    return this.#last - (this.#revisions.length - this.#start)
  }

  add(changes: readonly Change[]): number {
    this.#last++
    this.#changeCount += changes.length
    this.#revisions.push({ rev: this.#last, changes })
    return this.#last
  }

  /** Forgets the oldest, but nothing above `durableRev`: that may have to be undone. */
  trim(durableRev: number): void {
    while (this.#isTooLong() && this.compacted < durableRev) {
      this.#changeCount -= this.#revisions[this.#start]?.changes.length ?? 0
      this.#revisions[this.#start++] = FORGOTTEN
    }
    if (this.#start <= this.#revisionsMax) return
    // Moved down at times only, so that trimming costs nothing each time.
    this.#revisions.splice(0, this.#start)
    this.#start = 0
  }

  #isTooLong(): boolean {
    const count = this.#revisions.length - this.#start
    return count > this.#revisionsMax || this.#changeCount > CHANGES_MAX
  }

  /** Takes the newest revision away. */
  pop(): Revision {
    const revision = this.#revisions.pop()
    assert(revision !== undefined && revision.rev === this.#last, 'only known revisions are undone')
    this.#last--
    this.#changeCount -= revision.changes.length
    return revision
  }

  get(rev: number): Revision {
    const revision = this.#revisions[this.#start + rev - this.compacted - 1]
    assert(
      revision !== undefined && revision.rev === rev,
      'the history holds the revision asked for',
    )
    return revision
  }

  /** Keys that later revisions changed, with what they were at `rev`. */
  since(rev: number): Map<string, KeyValue | undefined> {
    const then = new Map<string, KeyValue | undefined>()
    for (let later = this.#last; later > rev; later--) {
      for (const change of this.get(later).changes) then.set(change.key, change.before)
    }
    return then
  }
}

export function eventsOf(revision: Revision, prefix: string): Event[] {
  return revision.changes
    .filter(({ key }) => key.startsWith(prefix))
    .map(({ key, after }) =>
      after === undefined
        ? { type: 'delete', key, modRev: revision.rev }
        : { type: 'put', kv: after },
    )
}
