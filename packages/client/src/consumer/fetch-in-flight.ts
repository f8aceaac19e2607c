// One fetch that is outstanding at a broker. Enters: that nobody wants its answer any more. Leaves: whether that is so.
import { MinikafkaError } from '@minikafka/protocol'

export class FetchInFlight {
  isAbandoned = false
  #controller: AbortController | undefined
  #abandonCall: ((reason: unknown) => void) | undefined

  /** Ends what it takes to get the request out. Made only where that takes time, for it costs more than the request. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  /** For a call that goes out at once. */
  readonly canAbandon = (abandonCall: (reason: unknown) => void): void => {
    this.#abandonCall = abandonCall
  }

  /** It fails now, and its answer is for nobody when it comes. */
  abandon(): void {
    const reason = new MinikafkaError('CLOSED')
    this.isAbandoned = true
    this.#controller?.abort(reason)
    this.#abandonCall?.(reason)
  }
}
