// Who reads a consumer, one mode at a time, and what is in hand: of that mode, or what poll() gave last.
// Enters: modes that begin. Leaves: what counts as finished, and what a close has to wait for.
import { MinikafkaError } from '@minikafka/protocol'
import type { Bell } from './bell.ts'
import type { Feed } from './feed.ts'
import type { Mode, ModeParts } from './mode.ts'
import { Polled } from './polled.ts'

export type ReadingParts = Pick<ModeParts, 'open' | 'finished' | 'commit'> & {
  readonly bell: Bell
  /** Aborts when the consumer closes. */
  readonly signal: AbortSignal
}

export class Reading {
  readonly polled = new Polled()
  readonly #parts: ReadingParts
  #mode: Mode | undefined
  #isStopped = false
  #finished = 0

  constructor(parts: ReadingParts) {
    this.#parts = parts
  }

  /** Records that are finished, of all modes so far. */
  get finished(): number {
    return this.#finished
  }

  /** Errors: BUSY; CLOSED. */
  enter<M extends Mode>(open: () => M): M {
    this.#parts.signal.throwIfAborted()
    if (this.#mode !== undefined) {
      const message = `the consumer is being read by ${this.#mode.name}; end that first`
      throw new MinikafkaError('BUSY', { message })
    }
    // To ask for more is to be done with what poll() has given.
    this.settlePolled()
    const mode = open()
    this.#mode = mode
    return mode
  }

  modeParts(): ModeParts {
    const { bell, commit } = this.#parts
    return {
      stopped: () => this.#isStopped,
      open: (signal) => this.#openUnlessStopped(signal),
      ended: () => {
        this.#mode = undefined
        bell.ring()
      },
      finished: (count) => this.#count(count),
      commit,
    }
  }

  /** What poll() gave last is finished. */
  settlePolled(): void {
    this.#count(this.polled.settle())
  }

  #count(finished: number): void {
    this.#finished += finished
    this.#parts.finished(finished)
  }

  /** Nothing more is handed out, for good. */
  stop(): void {
    this.#isStopped = true
    this.halt()
    this.#parts.bell.ring()
  }

  /** Look again before anything more is handed out. */
  halt(): void {
    this.#mode?.halt()
  }

  holds(feed: Feed): boolean {
    return this.#mode?.holds(feed) === true || this.polled.holds(feed)
  }

  /** Until the mode has nothing in hand but what the handlers `except` have. */
  async finishing(except: ReadonlySet<unknown>): Promise<void> {
    while (this.#mode?.isUnfinished(except)) await this.#parts.bell.wait()
  }

  /** For a mode, which ends when the consumer is stopped meanwhile, whether there is a broker or not. */
  async #openUnlessStopped(signal: AbortSignal | undefined): Promise<void> {
    const { bell, open } = this.#parts
    let outcome: { readonly error?: unknown } | undefined
    const settle = (how: { readonly error?: unknown }) => {
      outcome = how
      bell.ring()
    }
    open(signal).then(
      () => settle({}),
      (error: unknown) => settle({ error }),
    )
    while (outcome === undefined && !this.#isStopped) await bell.wait()
    if (outcome?.error !== undefined && !this.#isStopped) throw outcome.error
  }
}
