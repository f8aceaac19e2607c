// DescribeCluster: the cluster and its brokers.
//
// Versions   0.
import type { Apis, RequestOf, ResponseOf } from '@minikafka/protocol'
import type { Context } from './context.ts'

type Request = RequestOf<Apis['describeCluster']>
type Response = ResponseOf<Apis['describeCluster']>

export async function describeCluster(
  _request: Request,
  { rooms, listener }: Context,
): Promise<Response> {
  const { state } = rooms
  return {
    clusterId: state.clusterId,
    controllerId: state.controllerId,
    topicCount: state.topicCount,
    partitionCount: state.partitionCount,
    brokers: state.brokers().map(({ brokerId, brokerEpoch, rack, status, version }) => ({
      nodeId: brokerId,
      brokerEpoch,
      ...rooms.endpoint(brokerId, listener),
      rack: rack ?? null,
      status,
      version,
    })),
  }
}
