// OffsetCommit: where a group goes on.
//
// Versions   0.
// Behaviour  Durable when answered; each position succeeds or fails by itself, those that are kept are written as one.
// Notes      A commit that arrives while members come or go waits for that, so that none counts under an old membership.
import type { Apis, RequestOf, ResponseOf } from '@minikafka/protocol'
import type { Context } from './context.ts'

type Request = RequestOf<Apis['offsetCommit']>
type Response = ResponseOf<Apis['offsetCommit']>

export async function offsetCommit(request: Request, context: Context): Promise<Response> {
  const { groups } = context.rooms
  return groups.ask(request.groupId, { kind: 'commit', body: request }, context)
}
