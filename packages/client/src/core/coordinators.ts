// Which broker looks after a group: asked for when needed, kept until an answer says otherwise.
// Enters: a group and a question for its coordinator. Leaves: the answer; what heals is left to whoever asks again.
import {
  type ApiName,
  type Apis,
  type ErrorName,
  errorName,
  isMinikafkaError,
  MinikafkaError,
  type RequestOf,
  type ResponseOf,
} from '@minikafka/protocol'
import type { Lane } from './connections.ts'
import type { Core } from './core.ts'

const GROUP = 0

/** Groups whose coordinator is remembered: an admin may ask for any number of them. */
const KNOWN_MAX = 1000

/** After these it may be another broker. */
const MOVED: ReadonlySet<ErrorName> = new Set([
  'NOT_COORDINATOR',
  'COORDINATOR_NOT_AVAILABLE',
  'BROKER_UNREACHABLE',
  'NETWORK_EXCEPTION',
  'REQUEST_TIMED_OUT',
])

type AskOptions = {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  readonly lane?: Lane | undefined
}

export class Coordinators {
  readonly #core: Core
  readonly #nodeIds = new Map<string, number>()

  constructor(core: Core) {
    this.#core = core
  }

  /**
   * Asks the coordinator of `groupId`, once.
   *
   * Units   the search and the question together are bounded by `timeoutMs`.
   * Errors  as Core.call, and COORDINATOR_NOT_AVAILABLE; after one that hints at a move it is searched anew next time.
   */
  async ask<A extends ApiName>(
    api: A,
    groupId: string,
    request: RequestOf<Apis[A]>,
    options: AskOptions,
  ): Promise<ResponseOf<Apis[A]>> {
    const { clock } = this.#core.env
    const startMs = clock.monotonicMs()
    const to = this.#nodeIds.get(groupId) ?? (await this.#find(groupId, options))
    const timeoutMs = Math.max(1, options.timeoutMs - (clock.monotonicMs() - startMs))
    try {
      return await this.#core.call(api, request, { ...options, timeoutMs, to })
    } catch (error) {
      if (isMinikafkaError(error) && MOVED.has(error.name)) this.forget(groupId, to)
      throw error
    }
  }

  /** `nodeId` does not look after it any more; who was found meanwhile stays. */
  forget(groupId: string, nodeId: number): void {
    if (this.#nodeIds.get(groupId) === nodeId) this.#nodeIds.delete(groupId)
  }

  async #find(groupId: string, { timeoutMs, signal }: AskOptions): Promise<number> {
    const request = { keyType: GROUP, keys: [groupId] }
    const wait = { to: 'any', timeoutMs, signal } as const
    const { results } = await this.#core.call('findCoordinator', request, wait)
    const result = results[0]
    if (result === undefined) throw new MinikafkaError('PROTOCOL_VIOLATION')
    const { errorCode, errorMessage, nodeId } = result
    if (errorCode !== 0) {
      const message = errorMessage ?? undefined
      throw new MinikafkaError(errorName(errorCode), { message, outcome: 'not-written' })
    }
    const oldest = this.#nodeIds.keys().next().value
    if (this.#nodeIds.size >= KNOWN_MAX && oldest !== undefined) this.#nodeIds.delete(oldest)
    this.#nodeIds.set(groupId, nodeId)
    return nodeId
  }
}
