// ConsumerGroupDescribe: who is in a group, who has what, and why.
//
// Versions   0.
// Behaviour  Each group by itself; one that does not exist is Dead, with GROUP_ID_NOT_FOUND.
import type { Apis, RequestOf, ResponseOf } from '@minikafka/protocol'
import type { Context } from './context.ts'
import { eachItem } from './each-item.ts'

type Request = RequestOf<Apis['consumerGroupDescribe']>
type Response = ResponseOf<Apis['consumerGroupDescribe']>
type Group = Omit<Response['groups'][number], 'errorCode' | 'errorMessage'>

export async function consumerGroupDescribe(
  { groupIds }: Request,
  { rooms }: Context,
): Promise<Response> {
  const { groups } = rooms
  const described = await eachItem<string, Group>(
    groupIds,
    (groupId) => groups.machineOf(groupId).describe(groupId, groups.nowMs()),
    unknown,
  )
  return { groups: described }
}

function unknown(groupId: string): Group {
  return {
    groupId,
    state: 'Dead',
    groupEpoch: -1,
    targetEpoch: -1,
    assignor: '',
    members: [],
    rebalances: [],
    rebalancesSinceMs: -1,
  }
}
