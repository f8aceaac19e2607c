// Which partitions there were when a subscription began: `start` is for these, later ones begin at their earliest
// offset, for nothing in them was missed (CLIENT 2.4).
import { sleep } from '@minikafka/platform'
import type { Core } from '../core/index.ts'
import { topicName } from '../topic/index.ts'
import type { Subscription } from './settings.ts'
import { topicInfo } from './topic-wait.ts'

/** Partition counts by topic id. */
export type Present = ReadonlyMap<string, number>

/** Waits for a broker as long as it takes. Errors: of a topic that is not there; `signal.reason`. */
export async function presentNow(
  core: Core,
  { topics }: Subscription,
  signal: AbortSignal,
): Promise<Present> {
  if (topics === undefined) return await allTopics(core, signal)
  const infos = topics.map((topic) => topicInfo(core, topicName(topic), signal))
  return new Map((await Promise.all(infos)).map((info) => [info.topicId, info.partitions.length]))
}

/** Only the broker knows what a pattern matches. */
async function allTopics(core: Core, signal: AbortSignal): Promise<Present> {
  const request = { names: null, topicIds: null, allowAutoTopicCreation: false }
  for (let failures = 1; ; failures++) {
    try {
      const { topics } = await core.call('metadata', request, { to: 'any', signal })
      return new Map(topics.map(({ topicId, partitions }) => [topicId ?? '', partitions.length]))
    } catch (error) {
      signal.throwIfAborted()
      core.logger.debug({ err: error }, 'which topics there are is asked again')
    }
    await sleep(core.env.clock, core.backoffMs(failures), signal)
  }
}
