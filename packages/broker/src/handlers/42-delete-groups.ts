// DeleteGroups: groups with all their positions.
//
// Versions   0.
// Behaviour  Each group by itself, several at a time. Durable when answered. One with very many positions goes in
//            several steps: where one of them fails the group is still there, and can be deleted again.
import type { Apis, RequestOf, ResponseOf } from '@minikafka/protocol'
import type { Context } from './context.ts'
import { eachItem } from './each-item.ts'

type Request = RequestOf<Apis['deleteGroups']>
type Response = ResponseOf<Apis['deleteGroups']>

export async function deleteGroups({ groupIds }: Request, context: Context): Promise<Response> {
  const { groups } = context.rooms
  const results = await Promise.all(
    groupIds.map((groupId) =>
      eachItem(
        [{ groupId }],
        async (item) => {
          for (let isDone = false; !isDone; )
            ({ isDone } = await groups.ask(groupId, { kind: 'delete', groupId }, context))
          return item
        },
        (item) => item,
      ),
    ),
  )
  return { results: results.flat() }
}
