// DeleteTopics.
//
// Versions   0.
// Behaviour  By name or by id. The name is free and the topic is served no more when this is answered; files go later.
import type { TopicRef } from '@minikafka/cluster'
import type { RequestOf, ResponseOf } from '@minikafka/protocol'
import { type Apis, MinikafkaError } from '@minikafka/protocol'
import type { Context } from './context.ts'
import { eachItem } from './each-item.ts'

type Request = RequestOf<Apis['deleteTopics']>
type Response = ResponseOf<Apis['deleteTopics']>
type Wanted = Request['topics'][number]
type Names = { name: string | null; topicId: string | null }

export async function deleteTopics(request: Request, { rooms }: Context): Promise<Response> {
  const results = await eachItem<Wanted, Names>(
    request.topics,
    async (wanted) => {
      const { name, topicId, rev } = await rooms.controller.deleteTopic(refOf(wanted))
      await rooms.reached(rev)
      return { name, topicId }
    },
    ({ name, topicId }) => ({ name, topicId }),
  )
  return { results }
}

function refOf({ name, topicId }: Wanted): TopicRef {
  if (name !== null) return { name }
  if (topicId !== null) return { topicId }
  throw new MinikafkaError('INVALID_REQUEST', { message: 'a topic is named by its name or its id' })
}
