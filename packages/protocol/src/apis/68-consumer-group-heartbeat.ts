// ConsumerGroupHeartbeat: the one call by which a member joins, stays, hands over and leaves.
// Source: Kafka ConsumerGroupHeartbeatRequest.json, KIP-848, KIP-1082; REPLICATION 2.13.3.
import { defineApi, int32, list, nullable, object, string, struct, uuid } from '../define.ts'

const held = struct({
  topicId: uuid('Topic id.'),
  partitions: list('Its partitions.', int32('Partition number.'), { countMax: 10_000 }),
})

const assignment = struct({
  partitions: list('By topic.', held, { countMax: 10_000 }),
})

export const consumerGroupHeartbeat = defineApi({
  name: 'ConsumerGroupHeartbeat',
  key: 68,
  versions: [0, 0],
  audience: 'client',
  acl: { operation: 'READ', resource: 'GROUP' },
  about:
    'Join with epoch 0 and everything said; stay with the epoch of the last answer; leave with -1 (a static ' +
    'member that comes back: -2). The answer says what may be used now: a partition is in it only after the ' +
    'member before gave it up or was fenced.',
  request: {
    groupId: string('Group.', { bytesMax: 1024 }),
    memberId: string('A UUID that the client makes once and keeps (KIP-1082).', { bytesMax: 255 }),
    memberEpoch: int32(
      '0 join, above 0 the epoch of the member, -1 leave, -2 leave and come back.',
    ),
    instanceId: nullable(
      string('Of a static member, in every request; else null.', { bytesMax: 255 }),
    ),
    rackId: nullable(string('Its rack; null = unchanged.', { bytesMax: 255 })),
    rebalanceTimeoutMs: int32('How long giving up a partition may take; -1 = unchanged.'),
    subscribedTopicNames: nullable(
      list('Topics subscribed to by name; null = unchanged.', string('Name.', { bytesMax: 249 }), {
        countMax: 10_000,
      }),
    ),
    subscribedTopicRegex: nullable(
      string('RE2 expression for the whole name; null = unchanged, empty = none.', {
        bytesMax: 1024,
      }),
    ),
    serverAssignor: nullable(
      string('range, roundrobin or sticky (also: uniform); null = unchanged.', { bytesMax: 64 }),
    ),
    topicPartitions: nullable(
      list('All that the member may still be working on; null = unchanged.', held, {
        countMax: 10_000,
      }),
    ),
  },
  response: {
    memberId: string('As asked for.'),
    memberEpoch: int32('The epoch to use from now on; -1 and -2 come back.'),
    heartbeatIntervalMs: int32('When the next one is due.'),
    sessionTimeoutMs: int32('Silent for so long, the member is out.'),
    assignment: nullable(object('What may be used now; null = unchanged.', assignment)),
  },
  errors: [
    'INVALID_REQUEST',
    'INVALID_GROUP_ID',
    'NOT_COORDINATOR',
    'COORDINATOR_LOAD_IN_PROGRESS',
    'COORDINATOR_NOT_AVAILABLE',
    'REQUEST_TIMED_OUT',
    'UNKNOWN_MEMBER_ID',
    'FENCED_MEMBER_EPOCH',
    'UNSUPPORTED_ASSIGNOR',
    'UNRELEASED_INSTANCE_ID',
    'FENCED_INSTANCE_ID',
    'GROUP_MAX_SIZE_REACHED',
    'INVALID_REGULAR_EXPRESSION',
    'STORAGE_FULL',
    'THROTTLING_QUOTA_EXCEEDED',
  ],
})
