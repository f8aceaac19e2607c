// CreateTopics.
//
// Versions   0.
// Behaviour  Each topic by itself. Answered when its partitions are led and open here, so that the first send needs no retry.
import type { Apis, RequestOf, ResponseOf } from '@minikafka/protocol'
import type { Context } from './context.ts'
import { eachItem } from './each-item.ts'
import { newTopic } from './new-topic.ts'

type Request = RequestOf<Apis['createTopics']>
type Response = ResponseOf<Apis['createTopics']>

export async function createTopics(request: Request, { rooms }: Context): Promise<Response> {
  const { topics, validateOnly } = request
  const results = await eachItem(
    topics,
    async (wanted) => {
      const created = await rooms.controller.createTopic(newTopic(wanted, rooms), { validateOnly })
      if (!validateOnly) await rooms.reached(created.rev)
      return {
        name: wanted.name,
        topicId: validateOnly ? null : created.topicId,
        partitions: created.partitions,
        replicationFactor: created.replicationFactor,
      }
    },
    ({ name }) => ({ name, topicId: null as string | null, partitions: -1, replicationFactor: -1 }),
  )
  return { results }
}
