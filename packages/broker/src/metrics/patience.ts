// Work that a page is made of and may hang: a disk that does not answer, a look at very many positions. Enters: the work.
// Leaves: a wait for it that ends. There is never a second piece of it under way.
import { type Clock, sleep } from '@minikafka/platform'

/** A page is asked for every few seconds, and whoever asks gives up after ten. */
const WAIT_MS = 1_000

export class Patience {
  readonly #clock: Clock
  readonly #work: () => Promise<void>
  #underWay: Promise<void> | undefined

  constructor(clock: Clock, work: () => Promise<void>) {
    this.#clock = clock
    this.#work = work
  }

  /** Begins it unless it is under way; resolves when it is done, or after a second: then it goes on. Errors: the work's. */
  async wait(): Promise<void> {
    this.#underWay ??= this.#work().finally(() => {
      this.#underWay = undefined
    })
    const over = new AbortController()
    const waited = sleep(this.#clock, WAIT_MS, over.signal).catch(() => undefined)
    try {
      await Promise.race([this.#underWay, waited])
    } finally {
      over.abort()
    }
  }
}
