// Retried calls of an admin: what a broker that restarts or moves answers is tried again until the deadline.
import {
  type ApiName,
  type Apis,
  isMinikafkaError,
  type RequestOf,
  type ResponseOf,
} from '@minikafka/protocol'
import { type Core, Deadline, type Target } from '../core/index.ts'
import type { Wait } from '../words.ts'

export class Requests {
  readonly #core: Core

  constructor(core: Core) {
    this.#core = core
  }

  get core(): Core {
    return this.#core
  }

  deadline(wait: Wait | undefined, what: string): Deadline {
    return new Deadline(this.#core.env.clock, wait, this.#core.settings.requestTimeoutMs, what)
  }

  call<A extends ApiName>(
    api: A,
    request: RequestOf<Apis[A]>,
    to: Target,
    deadline: Deadline,
  ): Promise<ResponseOf<Apis[A]>> {
    return this.retry(deadline, () =>
      this.#core.call(api, request, {
        to,
        timeoutMs: Math.max(1, deadline.leftMs),
        signal: deadline.signal,
      }),
    )
  }

  /** Runs `work` until it succeeds, fails for good, or the deadline passes; the last error is then the cause. */
  async retry<T>(deadline: Deadline, work: () => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures++) {
      this.#core.throwIfClosed()
      try {
        return await deadline.hold(work())
      } catch (error) {
        if (
          !isMinikafkaError(error) ||
          !error.retriable ||
          error.name === 'UNKNOWN_TOPIC_OR_PARTITION'
        )
          throw error
        deadline.check(error)
        await deadline.sleep(this.#core.backoffMs(failures))
        deadline.check(error)
      }
    }
  }
}
