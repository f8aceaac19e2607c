// Watches over the history: each holds no more than the next revision it wants, so a slow reader costs nothing.
import { assert } from '@minikafka/platform'
import type { WatchItem } from '../meta-store.ts'
import { eventsOf, type History } from './history.ts'

type Ending = { readonly error?: Error }
type Pending = { resolve(result: IteratorResult<WatchItem>): void; reject(error: Error): void }

export class Watchers {
  readonly #history: History
  readonly #live = new Set<Watcher>()
  /** Newest revision that may be shown: what is not durable is not seen. */
  #shownRev: number
  #ending: Ending | undefined

  constructor(history: History, shownRev: number) {
    this.#history = history
    this.#shownRev = shownRev
  }

  watch(prefix: string, fromRev: number): AsyncIterable<WatchItem> {
    return { [Symbol.asyncIterator]: () => this.#begin(prefix, fromRev) }
  }

  show(rev: number): void {
    this.#shownRev = rev
    for (const watcher of this.#live) watcher.wake()
  }

  /** With an error the iterators throw it, without one they are done. */
  end(error?: Error): void {
    this.#ending = error === undefined ? {} : { error }
    for (const watcher of this.#live) watcher.wake()
  }

  #begin(prefix: string, fromRev: number): AsyncIterator<WatchItem> {
    const watcher: Watcher = new Watcher(
      { prefix, fromRev },
      (next) => this.#take(prefix, next),
      () => this.#ending,
      () => this.#live.delete(watcher),
    )
    this.#live.add(watcher)
    return watcher
  }

  /** The first item for `prefix` at or after revision `next`, and the revision to ask for after it. */
  #take(prefix: string, next: number): { item?: WatchItem; next: number } {
    const { compacted } = this.#history
    if (next <= compacted) return { item: { compacted }, next }
    for (let rev = next; rev <= this.#shownRev; rev++) {
      const events = eventsOf(this.#history.get(rev), prefix)
      if (events.length > 0) return { item: { rev, events }, next: rev + 1 }
    }
    return { next: Math.max(next, this.#shownRev + 1) }
  }
}

class Watcher implements AsyncIterator<WatchItem> {
  readonly #take: (next: number) => { item?: WatchItem; next: number }
  readonly #ending: () => Ending | undefined
  readonly #gone: () => void
  #next: number
  #closed = false
  #pending: Pending | undefined

  constructor(
    want: { prefix: string; fromRev: number },
    take: (next: number) => { item?: WatchItem; next: number },
    ending: () => Ending | undefined,
    gone: () => void,
  ) {
    this.#next = want.fromRev
    this.#take = take
    this.#ending = ending
    this.#gone = gone
  }

  next(): Promise<IteratorResult<WatchItem>> {
    assert(this.#pending === undefined, 'a watch is asked for one item at a time')
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject }
      this.wake()
    })
  }

  async return(): Promise<IteratorResult<WatchItem>> {
    this.#close()
    this.#pending?.resolve({ done: true, value: undefined })
    this.#pending = undefined
    return { done: true, value: undefined }
  }

  wake(): void {
    const pending = this.#pending
    if (pending === undefined) return
    const settled = this.#settle(pending)
    if (settled) this.#pending = undefined
  }

  #settle(pending: Pending): boolean {
    if (this.#closed) {
      pending.resolve({ done: true, value: undefined })
      return true
    }
    const { item, next } = this.#take(this.#next)
    this.#next = next
    if (item !== undefined) {
      if ('compacted' in item) this.#close()
      pending.resolve({ done: false, value: item })
      return true
    }
    const ending = this.#ending()
    if (ending === undefined) return false
    this.#close()
    if (ending.error) pending.reject(ending.error)
    else pending.resolve({ done: true, value: undefined })
    return true
  }

  #close(): void {
    this.#closed = true
    this.#gone()
  }
}
