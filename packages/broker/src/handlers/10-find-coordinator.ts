// FindCoordinator: which broker looks after a group.
//
// Versions   0.
// Behaviour  The first one to ask makes __consumer_offsets, whoever asks meanwhile waits for it. Where it cannot be
//            made, each key says why.
import type { RequestOf, ResponseOf } from '@minikafka/protocol'
import {
  type Apis,
  type ErrorName,
  errorCode,
  isMinikafkaError,
  MinikafkaError,
} from '@minikafka/protocol'
import type { Context } from './context.ts'

type Request = RequestOf<Apis['findCoordinator']>
type Response = ResponseOf<Apis['findCoordinator']>
type Result = Response['results'][number]

const GROUP = 0

export async function findCoordinator(
  { keyType, keys }: Request,
  context: Context,
): Promise<Response> {
  if (keyType !== GROUP) {
    throw new MinikafkaError('INVALID_REQUEST', {
      message: `keyType ${keyType}: expected 0 (group)`,
    })
  }
  const why = keys.some((key) => key !== '') ? await makeTopic(context) : undefined
  return {
    results: keys.map((key) =>
      why === undefined || key === ''
        ? find(key, context)
        : failed(key, 'COORDINATOR_NOT_AVAILABLE', why),
    ),
  }
}

async function makeTopic({ rooms }: Context): Promise<string | undefined> {
  try {
    await rooms.offsetsTopic.make()
    return undefined
  } catch (error) {
    if (!isMinikafkaError(error)) throw error
    return `__consumer_offsets could not be made: ${error.message}`
  }
}

function find(key: string, { rooms, listener }: Context): Result {
  if (key === '') return failed(key, 'INVALID_GROUP_ID', 'the group id is empty')
  const { offsetsTopic } = rooms
  const partition = offsetsTopic.partitionOf(key)
  const nodeId = partition === undefined ? -1 : offsetsTopic.leaderOf(partition)
  if (nodeId < 0) {
    const where = partition === undefined ? '' : `-${partition}`
    return failed(
      key,
      'COORDINATOR_NOT_AVAILABLE',
      `nobody leads __consumer_offsets${where} right now`,
    )
  }
  return { errorCode: 0, errorMessage: null, key, nodeId, ...rooms.endpoint(nodeId, listener) }
}

function failed(key: string, error: ErrorName, errorMessage: string): Result {
  return { errorCode: errorCode(error), errorMessage, key, nodeId: -1, host: '', port: 0 }
}
