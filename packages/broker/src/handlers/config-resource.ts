// The two kinds of things that have settings, and how a request names them.
import { MinikafkaError } from '@minikafka/protocol'
import type { Rooms } from '../rooms.ts'

export const TOPIC = 2
export const BROKER = 4

/** A broker is named by its id, the whole cluster by the empty name, as in Kafka. */
export function brokerOf(resourceName: string, { nodeId }: Rooms): number | 'cluster' {
  if (resourceName === '') return 'cluster'
  if (resourceName === String(nodeId)) return nodeId
  throw new MinikafkaError('INVALID_REQUEST', {
    message: `this is broker ${nodeId}; ask broker ${JSON.stringify(resourceName.slice(0, 80))} itself`,
  })
}

export function unknownKind(resourceType: number): MinikafkaError {
  return new MinikafkaError('INVALID_REQUEST', {
    message: `resource type ${resourceType}: expected ${TOPIC} (topic) or ${BROKER} (broker)`,
  })
}
