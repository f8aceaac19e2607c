// One fetch that is outstanding at a broker. Enters: that nobody wants its answer any more. Leaves: whether that is so.
import { MinikafkaError } from '@minikafka/protocol'

export class FetchInFlight {
  isAbandoned = false
  #controller: AbortController | undefined

  /** Ends what it takes to get the request out; made only where that takes time, for it costs more than the request. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  /** Its answer, or its failure, is for nobody. */
  abandon(): void {
    this.isAbandoned = true
    this.#controller?.abort(new MinikafkaError('CLOSED'))
  }
}
