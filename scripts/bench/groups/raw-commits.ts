// OffsetCommits as they are on the wire, without a consumer: as many in flight as asked for.
import { nodeEnv } from '@minikafka/platform'
import { resolveClientOptions } from '../../../packages/client/src/core/client-options.ts'
import { Core } from '../../../packages/client/src/core/core.ts'
import { Deadline } from '../../../packages/client/src/core/index.ts'
import {
  fetchAllCommitted,
  outsider,
  sendCommit,
} from '../../../packages/client/src/group/index.ts'

const TIMEOUT_MS = 30_000

export class RawCommits implements Disposable {
  readonly #core: Core

  constructor(port: number) {
    const env = nodeEnv()
    const settings = resolveClientOptions({ brokers: `127.0.0.1:${port}`, clientId: 'bench' })
    this.#core = new Core(env, settings, env.logger.child({}, { level: 'silent' }))
  }

  async topicId(topic: string): Promise<string> {
    const wait = { timeoutMs: TIMEOUT_MS, create: false }
    return (await this.#core.metadata.topic(topic, wait)).topicId
  }

  /** One position for each of the first `count` partitions. */
  async commit(groupId: string, topicId: string, count: number, offset: number): Promise<void> {
    const positions = Array.from({ length: count }, (_, partition) => {
      return { topicId, partition, offset, leaderEpoch: -1, metadata: null }
    })
    const wait = { timeoutMs: TIMEOUT_MS }
    const refused = await sendCommit(this.#core, outsider(groupId), positions, wait)
    for (const error of refused.values()) throw error
  }

  /** How many positions the group has; waits while the group is loaded. */
  async countOf(groupId: string): Promise<number> {
    for (;;) {
      const deadline = new Deadline(this.#core.env.clock, undefined, TIMEOUT_MS, 'bench')
      try {
        return (await fetchAllCommitted(this.#core, groupId, deadline)).length
      } catch (error) {
        if ((error as { retriable?: boolean }).retriable !== true) throw error
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
  }

  [Symbol.dispose](): void {
    this.#core.close()
  }
}
