// A topic that a consumer wants: waited for as long as no broker can be reached, not where it does not exist.
import { isMinikafkaError } from '@minikafka/protocol'
import type { Core, TopicInfo } from '../core/index.ts'

/** Waits for a broker for ever (CLIENT 3, 20). Errors: of a topic that is not there; `signal.reason`. */
export async function topicInfo(core: Core, name: string, signal: AbortSignal): Promise<TopicInfo> {
  for (;;) {
    try {
      return await core.metadata.topic(name, { signal })
    } catch (error) {
      if (signal.aborted || !isMinikafkaError(error) || error.name !== 'TIMED_OUT') throw error
    }
  }
}
