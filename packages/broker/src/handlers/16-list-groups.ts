// ListGroups: the groups that this broker looks after.
//
// Versions   0.
// Behaviour  While a partition of groups is being loaded the list would lack some: then it is refused as a whole.
import type { Apis, RequestOf, ResponseOf } from '@minikafka/protocol'
import type { Context } from './context.ts'

type Request = RequestOf<Apis['listGroups']>
type Response = ResponseOf<Apis['listGroups']>

export async function listGroups({ states }: Request, { rooms }: Context): Promise<Response> {
  const groups = rooms.groups.machines().flatMap((machine) => machine.list(states))
  return { groups: groups.sort((a, b) => (a.groupId < b.groupId ? -1 : 1)) }
}
