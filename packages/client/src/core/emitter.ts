// Typed events. A listener that throws is logged, never let through: the SDK does not take the process down.
import type { Logger } from '@minikafka/platform'
import type { Emitter } from '../words.ts'

export class Events<E> implements Emitter<E> {
  readonly #listeners = new Map<keyof E, Set<(data: never) => void>>()
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  on<K extends keyof E>(event: K, listener: (data: E[K]) => void): () => void {
    const own = (data: E[K]) => listener(data)
    const known = this.#listeners.get(event) ?? new Set()
    this.#listeners.set(event, known.add(own))
    return () => known.delete(own)
  }

  /** Calls the listeners now, in the order they came. Returns false where there is none. */
  emit<K extends keyof E>(event: K, data: E[K]): boolean {
    const known = this.#listeners.get(event)
    if (known === undefined || known.size === 0) return false
    for (const listener of [...known]) {
      try {
        ;(listener as (data: E[K]) => void)(data)
      } catch (error) {
        this.#logger.error({ err: error, event }, 'listener threw')
      }
    }
    return true
  }

  clear(): void {
    this.#listeners.clear()
  }
}
