// What happens to a record that cannot be decoded, or whose handler threw: one written policy decides (CLIENT 3, 13 and 14).
import type { MinikafkaError } from '@minikafka/protocol'
import type { Core } from '../core/index.ts'
import { openProducer, type Producer } from '../producer/index.ts'
import type { FetchedRecord } from './record.ts'
import type { ConsumerSettings } from './settings.ts'
import type { ConsumerRecord, Outcome } from './types.ts'

export type Verdict = Outcome | { readonly retryAfterMs: number }

export class Policy {
  readonly #core: Core
  readonly #settings: ConsumerSettings
  #producer: Producer | undefined

  constructor(core: Core, settings: ConsumerSettings) {
    this.#core = core
    this.#settings = settings
  }

  /** `attempt` counts from 1. `record` undefined: not even its bytes can be read; it is skipped or stops the reader. */
  decide(error: MinikafkaError, record: FetchedRecord | undefined, attempt: number): Verdict {
    const { onError } = this.#settings
    if (typeof onError === 'string') return onError
    if (typeof onError === 'object') {
      return attempt <= onError.retries
        ? { retryAfterMs: this.#core.backoffMs(attempt) }
        : onError.then
    }
    const seen = (record ?? {
      topic: error.topic,
      offset: error.offset,
      key: null,
      value: null,
    }) as ConsumerRecord<string>
    return onError((error.cause as Error | undefined) ?? error, seen, attempt)
  }

  /** The record unchanged, plus where it failed and why. Resolves when the dead-letter topic has it (CLIENT 3, 15). */
  async deadLetter(record: FetchedRecord, error: MinikafkaError, attempts: number): Promise<void> {
    const { deadLetter } = this.#settings
    if (deadLetter === undefined) throw error
    this.#producer ??= openProducer(this.#core, undefined)
    await this.#producer.send(deadLetter, {
      key: record.key as Buffer | null,
      value: record.value as Buffer | null,
      timestamp: record.timestamp,
      headers: [
        ...record.headers,
        ['minikafka.dlq.topic', record.topic],
        ['minikafka.dlq.partition', String(record.partition)],
        ['minikafka.dlq.offset', String(record.offset)],
        ['minikafka.dlq.error', `${error.name}: ${error.message}`],
        ['minikafka.dlq.attempts', String(attempts)],
      ],
    })
  }

  async close(timeoutMs: number): Promise<void> {
    await this.#producer?.close({ timeoutMs })
  }
}
