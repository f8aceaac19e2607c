// What a flush waits for: everything that was begun before it, and nothing that came later.
import type { MinikafkaError } from '@minikafka/protocol'

/** Batches and waiting records between two flushes. */
export class Cohort {
  #unsettled = 0
  #closed = false
  #before: Cohort | undefined
  #resolve: () => void = () => {}
  /** Everything in it and in those before it is settled. */
  readonly done: Promise<void>
  /** The first push among them that failed. */
  failure: MinikafkaError | undefined
  /** Its flush gave up waiting: the next one reports its failure. */
  abandoned = false

  constructor(before?: Cohort) {
    this.#before = before
    this.done = new Promise((resolve) => {
      this.#resolve = resolve
    })
    void before?.done.then(() => {
      if (before.abandoned) this.failure ??= before.failure
      this.#before = undefined
      this.#check()
    })
  }

  begin(): void {
    this.#unsettled++
  }

  settle(): void {
    this.#unsettled--
    this.#check()
  }

  /** A flush begins: nothing more joins. */
  close(): void {
    this.#closed = true
    this.#check()
  }

  #check(): void {
    if (this.#closed && this.#unsettled === 0 && this.#before === undefined) this.#resolve()
  }
}
