// Some records of sendMany failed: the error that has the results of all.
import { MinikafkaError } from '@minikafka/protocol'
import type { RecordMetadata } from './types.ts'
import type { Collector } from './waiters.ts'

export class PartialFailureError extends MinikafkaError {
  declare readonly results: PromiseSettledResult<RecordMetadata>[]

  constructor(results: PromiseSettledResult<RecordMetadata>[], cause: MinikafkaError) {
    const failed = results.filter(({ status }) => status === 'rejected').length
    const message = `${failed} of ${results.length} records failed, the first with: ${cause.message}`
    super('PARTIAL_FAILURE', { message, topic: cause.topic }, { cause })
    Object.assign(this, { results })
  }
}

/** Gathers what became of the records of one sendMany, in the order of the input. */
export class Results implements Collector {
  readonly #metadata: (RecordMetadata | undefined)[] = []
  readonly #errors = new Map<number, MinikafkaError>()
  #settled = 0
  #total = Number.POSITIVE_INFINITY
  #finish: () => void = () => {}

  fulfil(slot: number, metadata: RecordMetadata): void {
    this.#metadata[slot] = metadata
    this.#count()
  }

  reject(slot: number, error: MinikafkaError): void {
    this.#metadata[slot] = undefined
    this.#errors.set(slot, error)
    this.#count()
  }

  /** `total` records were handed over: resolves when all of them are settled. */
  all(total: number): Promise<RecordMetadata[]> {
    return new Promise((resolve, reject) => {
      this.#total = total
      this.#finish = () => {
        if (this.#errors.size === 0) resolve(this.#metadata as RecordMetadata[])
        else reject(this.#failure())
      }
      if (this.#settled === total) this.#finish()
    })
  }

  #count(): void {
    this.#settled++
    if (this.#settled === this.#total) this.#finish()
  }

  #failure(): PartialFailureError {
    const results = this.#metadata.map((value, slot): PromiseSettledResult<RecordMetadata> => {
      const reason = this.#errors.get(slot)
      if (reason !== undefined) return { status: 'rejected', reason }
      return { status: 'fulfilled', value: value as RecordMetadata }
    })
    const first = results.find((result) => result.status === 'rejected')
    return new PartialFailureError(results, first?.reason as MinikafkaError)
  }
}
