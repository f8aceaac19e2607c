// Calling the user back when partitions come and go: awaited, bounded, and never the end of anything else.
import { MinikafkaError } from '@minikafka/protocol'
import type { Deadline } from '../core/index.ts'
import type { Partitions } from '../words.ts'
import type { Hook } from './types.ts'

export type HookName = 'onAssigned' | 'onRevoked' | 'onLost'

export type HooksParts = {
  readonly hooks: Readonly<Record<HookName, Hook | undefined>>
  readonly calls: Pick<Parameters<Hook>[1], 'commit' | 'seek'>
  /** Runs `work` so that a close() called inside it knows who calls. */
  readonly inside: (token: unknown, work: () => Promise<void>) => Promise<void>
  readonly report: (error: MinikafkaError) => void
}

export class Hooks {
  readonly #parts: HooksParts
  #calling: unknown

  constructor(parts: HooksParts) {
    this.#parts = parts
  }

  report(error: MinikafkaError): void {
    this.#parts.report(error)
  }

  /** The hook at work is one of those that wait for close(). */
  isCalling(closers: ReadonlySet<unknown>): boolean {
    return closers.has(this.#calling)
  }

  /** Never rejects: what a hook throws is reported. One that takes too long goes on, and is not waited for. */
  async call(name: HookName, partitions: Partitions, deadline: Deadline): Promise<void> {
    const hook = this.#parts.hooks[name]
    if (hook === undefined || partitions.length === 0) return
    const over = new AbortController()
    const context = { ...this.#parts.calls, signal: over.signal }
    const token = {}
    this.#calling = token
    try {
      const calling = async () => void (await hook(partitions, context))
      await deadline.hold(this.#parts.inside(token, calling))
    } catch (error) {
      over.abort(error)
      if (!deadline.signal?.aborted) this.#parts.report(hookFailed(name, error))
    }
    this.#calling = undefined
  }
}

function hookFailed(name: HookName, cause: unknown): MinikafkaError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new MinikafkaError('HANDLER_FAILED', { message: `${name} failed: ${why}` }, { cause })
}
