// ConsumerGroupHeartbeat: the one call by which a member joins, stays, hands over and leaves.
//
// Versions   0.
// Behaviour  Answered at once where nothing changes; otherwise when the change is durable. One of a connection that was
//            closed while it waited is dropped: the member has spoken on another one since.
import type { Apis, RequestOf, ResponseOf } from '@minikafka/protocol'
import type { Context } from './context.ts'

type Request = RequestOf<Apis['consumerGroupHeartbeat']>
type Response = ResponseOf<Apis['consumerGroupHeartbeat']>

export async function consumerGroupHeartbeat(
  request: Request,
  context: Context,
): Promise<Response> {
  const { rooms, clientId, clientHost } = context
  const asked = { kind: 'heartbeat', body: request, clientId, clientHost } as const
  return rooms.groups.ask(request.groupId, asked, context)
}
