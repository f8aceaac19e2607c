// DeleteGroups: groups with all their positions.
//
// Versions   0.
// Behaviour  Each group by itself, several at a time. Durable when answered.
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
          await groups.ask(groupId, { kind: 'delete', groupId }, context)
          return item
        },
        (item) => item,
      ),
    ),
  )
  return { results: results.flat() }
}
