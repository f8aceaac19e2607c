// Requests that wait for their answers. Enters: who waits, and until when. Leaves: each is settled exactly once.
import { assert } from '@minikafka/platform'
import type { ApiName } from '../apis/index.ts'
import type { MinikafkaError } from '../errors.ts'

/** What is known of a request in flight. */
export type PendingCall = {
  readonly api: ApiName
  readonly version: number
  /** Monotonic, as all times here. */
  readonly sentMs: number
  readonly deadlineMs: number
}

export type CallAnswer = { readonly response: unknown } | { readonly error: MinikafkaError }

export class Calls {
  /** By correlation id, in the order sent. */
  readonly #waiting = new Map<number, Waiting>()

  get count(): number {
    return this.#waiting.size
  }

  get(id: number): (PendingCall & { readonly isDropped: boolean }) | undefined {
    return this.#waiting.get(id)
  }

  /**
   * When the signal aborts, or what `canAbandon` is given is called, the promise rejects with the reason and the answer is
   * dropped when it comes.
   */
  add(
    id: number,
    call: PendingCall,
    signal: AbortSignal | undefined,
    canAbandon?: (abandon: (reason: unknown) => void) => void,
  ): Promise<unknown> {
    assert(!this.#waiting.has(id), 'a correlation id is used once at a time')
    return new Promise((resolve, reject) => {
      const waiting = new Waiting(call, signal, resolve, reject)
      this.#waiting.set(id, waiting)
      canAbandon?.((reason) => waiting.reject(reason))
    })
  }

  /** `undefined`: nobody wants to know. */
  settle(id: number, answer: CallAnswer | undefined): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    if (answer === undefined) waiting.drop()
    else if ('error' in answer) waiting.reject(answer.error)
    else waiting.resolve(answer.response)
  }

  failAll(error: MinikafkaError): void {
    for (const id of [...this.#waiting.keys()]) this.settle(id, { error })
  }

  /** Those whose deadline has passed, dropped ones included: the connection has fallen silent. */
  overdue(nowMs: number): number[] {
    return [...this.#waiting].filter(([, call]) => call.deadlineMs <= nowMs).map(([id]) => id)
  }

  earliestDeadlineMs(): number | undefined {
    let earliestMs: number | undefined
    for (const { deadlineMs } of this.#waiting.values()) {
      if (earliestMs === undefined || deadlineMs < earliestMs) earliestMs = deadlineMs
    }
    return earliestMs
  }
}

/** One request. A class: made from parts, an object for each takes longer than all the rest of it. */
class Waiting implements PendingCall {
  readonly api: ApiName
  readonly version: number
  readonly sentMs: number
  readonly deadlineMs: number
  /** The caller gave up; the answer is still to come. */
  isDropped = false
  readonly #signal: AbortSignal | undefined
  readonly #resolve: (response: unknown) => void
  readonly #reject: (error: unknown) => void
  readonly #onAbort = () => this.reject(this.#signal?.reason)

  constructor(
    { api, version, sentMs, deadlineMs }: PendingCall,
    signal: AbortSignal | undefined,
    resolve: (response: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.api = api
    this.version = version
    this.sentMs = sentMs
    this.deadlineMs = deadlineMs
    this.#signal = signal
    this.#resolve = resolve
    this.#reject = reject
    signal?.addEventListener('abort', this.#onAbort)
    if (signal?.aborted) this.#onAbort()
  }

  resolve(response: unknown): void {
    this.drop()
    this.#resolve(response)
  }

  reject(error: unknown): void {
    this.drop()
    this.#reject(error)
  }

  drop(): void {
    this.isDropped = true
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }
}
