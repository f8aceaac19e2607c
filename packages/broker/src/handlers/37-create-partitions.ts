// CreatePartitions.
//
// Versions   0.
// Behaviour  `total` is the new number in all. Answered when the new partitions are led and open here.
import type { Apis, RequestOf, ResponseOf } from '@minikafka/protocol'
import type { Context } from './context.ts'
import { eachItem } from './each-item.ts'

type Request = RequestOf<Apis['createPartitions']>
type Response = ResponseOf<Apis['createPartitions']>

export async function createPartitions(request: Request, { rooms }: Context): Promise<Response> {
  const { topics, validateOnly } = request
  const results = await eachItem(
    topics,
    async ({ name, total }) => {
      const { rev } = await rooms.controller.createPartitions(name, total, { validateOnly })
      if (!validateOnly) await rooms.reached(rev)
      return { name }
    },
    ({ name }) => ({ name }),
  )
  return { results }
}
