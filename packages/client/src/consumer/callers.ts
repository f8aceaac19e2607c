// Who calls close() from within: handlers and hooks wait for the close then, and the close does not wait for them.
// Enters: the user's work, each piece with a token. Leaves: the tokens of those that called close().
import { AsyncLocalStorage } from 'node:async_hooks'

export class Callers {
  readonly #tokens = new AsyncLocalStorage<unknown>()
  readonly #closers = new Set<unknown>()
  #workCount = 0

  /** Handlers and hooks that wait for close() themselves. */
  get closers(): ReadonlySet<unknown> {
    return this.#closers
  }

  /** Close() was called, by whoever it is. */
  close(): void {
    const token = this.#tokens.getStore()
    if (token !== undefined) this.#closers.add(token)
  }

  /** A close() called inside `work` is known to be of `token`, as long as one of `during` goes on. */
  inside<R>(token: unknown, work: () => R): R {
    return this.#tokens.run(token, work)
  }

  /** The storage slows down every promise of the process as long as it is in use: it is given up after the last. */
  async during<R>(work: () => Promise<R>): Promise<R> {
    this.#workCount++
    try {
      return await work()
    } finally {
      if (--this.#workCount === 0) this.#tokens.disable()
    }
  }
}
