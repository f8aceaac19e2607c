// A reading mode, as the consumer sees it: one at a time, and close() waits for what it has in hand.
import type { Feed } from './feed.ts'
import type { CommitRecords } from './handed-batch.ts'

export type Mode = {
  /** For the error of whoever wants to read at the same time. */
  readonly name: string
  /** A pause, a stop: look again before anything more is handed out. */
  halt(): void
  /** Something is handed out and not finished; what the handlers `except` have in hand does not count. */
  isUnfinished(except: ReadonlySet<unknown>): boolean
  /** The same for one partition, which is to be given up. */
  holds(feed: Feed): boolean
}

/** What a reading mode may do with the consumer. */
export type ModeParts = {
  readonly stopped: () => boolean
  /** Begins to read. Errors: what makes that impossible. */
  readonly open: (signal: AbortSignal | undefined) => Promise<void>
  /** It is over: another mode may begin. */
  readonly ended: () => void
  readonly finished: (count: number) => void
  readonly commit: CommitRecords
}

export const DONE: { readonly done: true; readonly value: undefined } = {
  done: true,
  value: undefined,
}

/** One call after the other, where callers do not wait for the one before. */
export class InOrder {
  #last: Promise<unknown> | undefined

  run<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last
    const next = before === undefined ? work() : before.then(work, work)
    this.#last = next
    const clear = () => {
      if (this.#last === next) this.#last = undefined
    }
    next.then(clear, clear)
    return next
  }
}
