// OffsetDelete: forgets where a group stood.
//
// Versions   0.
// Behaviour  Each position by itself; those of topics that a member subscribes to stay. Durable when answered.
import type { Apis, RequestOf, ResponseOf } from '@minikafka/protocol'
import type { Context } from './context.ts'

type Request = RequestOf<Apis['offsetDelete']>
type Response = ResponseOf<Apis['offsetDelete']>

export async function offsetDelete(request: Request, context: Context): Promise<Response> {
  const { groups } = context.rooms
  return groups.ask(request.groupId, { kind: 'deleteOffsets', body: request }, context)
}
