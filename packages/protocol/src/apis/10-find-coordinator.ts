// FindCoordinator: which broker looks after a group. Source: Kafka FindCoordinatorRequest.json, KIP-699; REPLICATION 2.13.
import { defineApi, int8, int32, list, nullable, string, struct } from '../define.ts'

const result = struct({
  errorCode: int32('0, or why there is no coordinator now.'),
  errorMessage: nullable(string('What is wrong and what to do.')),
  key: string('As asked for.'),
  nodeId: int32('Broker id of the coordinator; -1 on error.'),
  host: string('Where clients of this listener reach it; empty = the host that was dialled.'),
  port: int32('Port; 0 = the port that was dialled.'),
})

export const findCoordinator = defineApi({
  name: 'FindCoordinator',
  key: 10,
  versions: [0, 0],
  audience: 'client',
  acl: { operation: 'DESCRIBE', resource: 'GROUP' },
  about:
    'The coordinator of a group: the leader of partition (murmur2(group) & 0x7fffffff) mod 50 of ' +
    '__consumer_offsets. The topic is created when the first group is asked for.',
  request: {
    keyType: int8('0 = group.'),
    keys: list('Group ids.', string('Group.', { bytesMax: 1024 }), { countMax: 1000 }),
  },
  response: { results: list('In the order of the request.', result, { countMax: 1000 }) },
  errors: ['INVALID_REQUEST', 'INVALID_GROUP_ID', 'COORDINATOR_NOT_AVAILABLE'],
})
