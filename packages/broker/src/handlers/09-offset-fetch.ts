// OffsetFetch: where a group stands.
//
// Versions   0.
// Behaviour  Committed positions only: what was answered, and nothing that is still under way.
import type { Apis, RequestOf, ResponseOf } from '@minikafka/protocol'
import type { Context } from './context.ts'

type Request = RequestOf<Apis['offsetFetch']>
type Response = ResponseOf<Apis['offsetFetch']>

export async function offsetFetch(request: Request, { rooms }: Context): Promise<Response> {
  return rooms.groups.machineOf(request.groupId).fetchOffsets(request)
}
