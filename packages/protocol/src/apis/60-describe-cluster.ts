// DescribeCluster. Source: Kafka DescribeClusterRequest.json, KIP-700.
import { defineApi, int32, int64, list, nullable, string, struct } from '../define.ts'

const broker = struct({
  nodeId: int32('Broker id.'),
  brokerEpoch: int64('Epoch of its registration.'),
  host: string('Where clients of this listener reach it; empty = the host that was dialled.'),
  port: int32('Port; 0 = the port that was dialled.'),
  rack: nullable(string('Its rack.')),
  status: string('active, fenced or draining.'),
  version: string('Version of its software.'),
})

export const describeCluster = defineApi({
  name: 'DescribeCluster',
  key: 60,
  versions: [0, 0],
  audience: 'client',
  acl: { operation: 'DESCRIBE', resource: 'CLUSTER' },
  about: 'The cluster, its brokers and its controller.',
  request: {},
  response: {
    clusterId: string('The generated id of the cluster.'),
    controllerId: int32('Broker id of the controller; -1 = none.'),
    topicCount: int32('Topics, internal ones included.'),
    partitionCount: int32('Partitions, internal ones included.'),
    brokers: list('All registered brokers, by id.', broker, { countMax: 10_000 }),
  },
  errors: [],
})
