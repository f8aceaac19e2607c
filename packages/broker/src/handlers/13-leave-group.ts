// LeaveGroup: an operator removes members.
//
// Versions   0.
// Behaviour  Each member by itself; what they had is free when it is answered.
import type { Apis, RequestOf, ResponseOf } from '@minikafka/protocol'
import type { Context } from './context.ts'

type Request = RequestOf<Apis['leaveGroup']>
type Response = ResponseOf<Apis['leaveGroup']>

export async function leaveGroup(request: Request, context: Context): Promise<Response> {
  const { groups } = context.rooms
  return groups.ask(request.groupId, { kind: 'leave', body: request }, context)
}
