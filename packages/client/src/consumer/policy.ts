// What happens to a record that cannot be decoded, or whose handler threw: one written policy decides (CLIENT 3, 13
// and 14).
import { MinikafkaError } from '@minikafka/protocol'
import type { Core } from '../core/index.ts'
import { openProducer, type Producer } from '../producer/index.ts'
import { FetchedRecord } from './record.ts'
import type { ConsumerSettings } from './settings.ts'
import type { ConsumerRecord, Outcome } from './types.ts'

export type Verdict = Outcome | { readonly retryAfterMs: number }

/** A failure: of decoding, or of a handler. */
export type Failed = {
  readonly error: MinikafkaError
  /** undefined: not even its bytes can be read; it can be passed by or stop the reader. */
  readonly record: FetchedRecord | undefined
  /** From 1. */
  readonly attempt: number
}

export class Policy {
  readonly #core: Core
  readonly #settings: ConsumerSettings
  #producer: Producer | undefined

  constructor(core: Core, settings: ConsumerSettings) {
    this.#core = core
    this.#settings = settings
  }

  /** Errors: what a policy that is a function throws. */
  decide(failed: Failed): Verdict {
    const { onError } = this.#settings
    const verdict = typeof onError === 'function' ? this.#ask(onError, failed) : onError
    if (typeof verdict !== 'object') return this.#possible(verdict, failed)
    if ('retryAfterMs' in verdict) return verdict
    if (failed.attempt > verdict.retries) return this.#possible(verdict.then, failed)
    return { retryAfterMs: this.#core.backoffMs(failed.attempt) }
  }

  #ask<R>(
    onError: (error: Error, record: ConsumerRecord<string>, attempt: number) => R,
    { error, record, attempt }: Failed,
  ): R {
    // The user's own error, where it was the user's handler that threw.
    const isHandler = error.name === 'HANDLER_FAILED' && error.cause instanceof Error
    const shown = record === undefined ? placeOf(error) : FetchedRecord.raw(record)
    const seen = shown as unknown as ConsumerRecord<string>
    const verdict = onError(isHandler ? (error.cause as Error) : error, seen, attempt)
    if (isVerdict(verdict)) return verdict
    const message = "onError answered neither 'stop', 'skip', 'dead-letter' nor { retryAfterMs }"
    throw new MinikafkaError('INVALID_OPTION', { message, path: 'onError' }, { cause: error })
  }

  /** What has no bytes cannot become a dead letter. */
  #possible(outcome: Outcome, { record }: Failed): Outcome {
    return outcome === 'dead-letter' && record === undefined ? 'stop' : outcome
  }

  /** The record unchanged, plus where it failed and why. Resolves when the dead-letter topic has it (CLIENT 3, 15). */
  async deadLetter({ record, error, attempt }: Failed): Promise<void> {
    const { deadLetter, group } = this.#settings
    if (deadLetter === undefined || record === undefined) throw error
    this.#producer ??= openProducer(this.#core, undefined)
    const { key, value, timestamp, headers, topic, partition, offset } = FetchedRecord.raw(record)
    const shown =
      error.name === 'HANDLER_FAILED' && error.cause instanceof Error ? error.cause : error
    await this.#producer.send(deadLetter, {
      key: key as Buffer | null,
      value: value as Buffer | null,
      timestamp,
      headers: [
        ...headers,
        ['minikafka.dlq.topic', topic],
        ['minikafka.dlq.partition', String(partition)],
        ['minikafka.dlq.offset', String(offset)],
        ...(group === undefined ? [] : [['minikafka.dlq.group', group.id] as const]),
        ['minikafka.dlq.error', `${shown.name}: ${shown.message}`],
        ['minikafka.dlq.attempts', String(attempt)],
      ],
    })
  }

  async close(timeoutMs: number): Promise<void> {
    await this.#producer?.close({ timeoutMs })
  }
}

function isVerdict(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) {
    return 'retryAfterMs' in value && Number(value.retryAfterMs) >= 0
  }
  return value === 'stop' || value === 'skip' || value === 'dead-letter'
}

/** Where a batch stands that cannot be read: as much of a record as there is. */
function placeOf({ topic, partition, offset }: MinikafkaError): object {
  return { topic, partition, offset, timestamp: -1, key: null, value: null, headers: [] }
}
