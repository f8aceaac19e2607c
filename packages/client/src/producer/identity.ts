// Who the producer is, so that a retry is recognized: producer id and epoch. Source: KIP-98, KIP-360.
import { sleep } from '@minikafka/platform'
import { errorName, isMinikafkaError, MinikafkaError } from '@minikafka/protocol'
import { type Core, knownError } from '../core/index.ts'

export type ProducerEpoch = { readonly producerId: number; readonly epoch: number }

const NONE: ProducerEpoch = { producerId: -1, epoch: -1 }

export class Identity {
  readonly #core: Core
  readonly #changed: () => void
  readonly #refused: (error: MinikafkaError) => void
  readonly #signal: AbortSignal
  #current = NONE
  #asking = false
  /** Monotonic: since when the present one is asked for; and why it has not come yet. */
  #askedMs = 0
  #failure: MinikafkaError | undefined

  /** `changed`: there is a new one. `refused`: there is none to be had, and asking again will not help. */
  constructor(
    core: Core,
    signal: AbortSignal,
    listeners: { changed(): void; refused(error: MinikafkaError): void },
  ) {
    this.#core = core
    this.#signal = signal
    this.#changed = listeners.changed
    this.#refused = listeners.refused
  }

  /** The present one; undefined: it is being asked for, and `changed` will be called. */
  now(): ProducerEpoch | undefined {
    if (this.#current !== NONE) return this.#current
    this.#ask(NONE)
    return undefined
  }

  /** One that is newer than `former`. Where there is none it is asked for: one epoch higher. */
  after(former: ProducerEpoch): ProducerEpoch | undefined {
    if (this.#current !== former) return this.now()
    this.#ask(former)
    return undefined
  }

  /** Why there is none yet, while it is being asked for. */
  trouble(): MinikafkaError | undefined {
    if (!this.#asking) return undefined
    const forMs = Math.round(this.#core.env.clock.monotonicMs() - this.#askedMs)
    const cause = this.#failure
    const why = cause === undefined ? 'no answer yet' : cause.message
    const message = `a producer id was asked for ${forMs} ms ago: ${why}`
    const fields = { message, outcome: 'not-written' } as const
    return new MinikafkaError('TIMED_OUT', fields, cause === undefined ? {} : { cause })
  }

  #ask(former: ProducerEpoch): void {
    if (this.#asking) return
    this.#asking = true
    this.#askedMs = this.#core.env.clock.monotonicMs()
    this.#failure = undefined
    void this.#askUntilAnswered(former).then(
      (epoch) => {
        this.#asking = false
        this.#current = epoch
        this.#changed()
      },
      (error: unknown) => {
        this.#asking = false
        if (this.#signal.aborted) return
        this.#refused(knownError(error, 'asking for a producer id'))
      },
    )
  }

  async #askUntilAnswered(former: ProducerEpoch): Promise<ProducerEpoch> {
    let from = former
    for (let failures = 1; ; failures++) {
      try {
        return await this.#askOnce(from)
      } catch (error) {
        if (!isMinikafkaError(error)) throw error
        // The broker does not know this id any more, or not at this epoch: a new id will do.
        if (from !== NONE && !error.retriable) from = NONE
        else if (!error.retriable) throw error
        this.#signal.throwIfAborted()
        this.#failure = error
        this.#core.logger.warn({ err: error }, 'no producer id yet')
        await sleep(this.#core.env.clock, this.#core.backoffMs(failures), this.#signal)
      }
    }
  }

  async #askOnce({ producerId, epoch: producerEpoch }: ProducerEpoch): Promise<ProducerEpoch> {
    const request = { transactionalId: null, transactionTimeoutMs: -1, producerId, producerEpoch }
    const answer = await this.#core.call('initProducerId', request, {
      to: 'any',
      signal: this.#signal,
    })
    if (answer.errorCode !== 0) {
      const message = answer.errorMessage ?? undefined
      throw new MinikafkaError(errorName(answer.errorCode), { message, outcome: 'not-written' })
    }
    const next = { producerId: answer.producerId, epoch: answer.producerEpoch }
    const isNewer = next.producerId !== producerId || next.epoch > producerEpoch
    if (next.producerId >= 0 && next.epoch >= 0 && isNewer) return Object.freeze(next)
    // Under an epoch that was used before, a new batch could be taken for the repetition of an old one.
    const message = `asked for a producer id, the broker gave ${next.producerId} at epoch ${next.epoch}`
    throw new MinikafkaError('PROTOCOL_VIOLATION', { message, outcome: 'not-written' })
  }
}
