// InitProducerId: a new producer id, or a higher epoch of the one given.
//
// Versions   0.
// Behaviour  Without transactions no state is kept here: an id with its epoch is answered with the epoch one higher,
//            and partitions fence the lower one when they meet it (KIP-360). At the last epoch a new id is given.
// Notes      Transactional ids are refused until there is a transaction coordinator.
import type { RequestOf, ResponseOf } from '@minikafka/protocol'
import { type Apis, MinikafkaError } from '@minikafka/protocol'
import type { Context } from './context.ts'

type Request = RequestOf<Apis['initProducerId']>
type Response = ResponseOf<Apis['initProducerId']>

/** 32,767 is kept, so that a coordinator can always fence (REPLICATION 2.11). */
const EPOCH_MAX = 32_766

export async function initProducerId(request: Request, { rooms }: Context): Promise<Response> {
  const { transactionalId, producerId, producerEpoch } = request
  if (transactionalId !== null) {
    throw new MinikafkaError('INVALID_REQUEST', {
      message: 'this broker has no transactions yet: leave transactionalId out',
      path: '/transactionalId',
    })
  }
  if (producerId < -1 || producerEpoch < -1 || (producerId === -1) !== (producerEpoch === -1)) {
    throw new MinikafkaError('INVALID_REQUEST', {
      message: 'producerId and producerEpoch are both -1, or both the present ones',
      path: '/producerId',
    })
  }
  if (producerId >= 0 && producerEpoch < EPOCH_MAX) return answer(producerId, producerEpoch + 1)
  return answer(await rooms.producerIds.next(), 0)
}

function answer(producerId: number, producerEpoch: number): Response {
  return { errorCode: 0, errorMessage: null, producerId, producerEpoch }
}
