// Work that may be shared: whoever asks while it runs is served by the next run. Group commit for whole files.
// Enters: requests at any time. Leaves: one run at a time, each begun after everything it answers for was asked.

type Waiting = {
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export class Coalesced {
  readonly #work: () => Promise<void>
  #running: Promise<void> | undefined
  #waiting: Waiting | undefined

  constructor(work: () => Promise<void>) {
    this.#work = work
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  /** Settles as a run does that began after this call. */
  run(): Promise<void> {
    if (this.#running === undefined) return this.#start()
    this.#waiting ??= waiting()
    return this.#waiting.promise
  }

  /** Resolves when nothing runs, however it ended. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running.catch(() => undefined)
  }

  #start(): Promise<void> {
    const run = this.#runOnce()
    this.#running = run
    return run
  }

  async #runOnce(): Promise<void> {
    try {
      // At least one turn, so that #start has noted the run before it ends.
      await this.#work()
    } finally {
      this.#running = undefined
      this.#startNext()
    }
  }

  /** In the same turn as the end of the last run, so that no other run slips in between. */
  #startNext(): void {
    const next = this.#waiting
    if (next === undefined) return
    this.#waiting = undefined
    this.#start().then(next.resolve, next.reject)
  }
}

function waiting(): Waiting {
  let resolve: () => void = () => undefined
  let reject: (error: unknown) => void = () => undefined
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}
