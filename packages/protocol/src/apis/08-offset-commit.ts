// OffsetCommit: where a group goes on. Source: Kafka OffsetCommitRequest.json, KIP-211, KIP-848, KIP-1251; REPLICATION 2.13.5.
import { defineApi, int32, list, nullable, offset, string, struct, uuid } from '../define.ts'

const position = struct({
  topicId: uuid('Topic id.'),
  partition: int32('Partition number.'),
  offset: offset('The next offset to read; 0 or above.'),
  leaderEpoch: int32('Leader epoch of the last record finished; -1 = unknown.'),
  metadata: nullable(string('Words of the committer, at most 4,096 bytes.', { bytesMax: 65_536 })),
})

const result = struct({
  errorCode: int32('0 when this position is kept, durably.'),
  errorMessage: nullable(string('What is wrong and what to do.')),
  topicId: uuid('Topic id.'),
  partition: int32('Partition number.'),
})

export const offsetCommit = defineApi({
  name: 'OffsetCommit',
  key: 8,
  versions: [0, 0],
  audience: 'client',
  acl: { operation: 'READ', resource: 'GROUP' },
  about:
    'Keep the positions of a group. A member commits only what it owns, with the epoch it owns it in; without ' +
    'member (memberEpoch -1) only into a group that has no members. Durable when answered.',
  request: {
    groupId: string('Group.', { bytesMax: 1024 }),
    memberId: string('The member; empty without one.', { bytesMax: 255 }),
    memberEpoch: int32('Its member epoch; -1 without a member.'),
    instanceId: nullable(string('Of a static member; else null.', { bytesMax: 255 })),
    positions: list('Each partition once.', position, { countMax: 10_000 }),
  },
  response: { results: list('In the order of the request.', result, { countMax: 10_000 }) },
  errors: [
    'INVALID_REQUEST',
    'INVALID_GROUP_ID',
    'NOT_COORDINATOR',
    'COORDINATOR_LOAD_IN_PROGRESS',
    'COORDINATOR_NOT_AVAILABLE',
    'REQUEST_TIMED_OUT',
    'GROUP_ID_NOT_FOUND',
    'UNKNOWN_MEMBER_ID',
    'FENCED_INSTANCE_ID',
    'STALE_MEMBER_EPOCH',
    'OFFSET_METADATA_TOO_LARGE',
    'INVALID_COMMIT_OFFSET_SIZE',
    'UNKNOWN_TOPIC_ID',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'STORAGE_FULL',
    'THROTTLING_QUOTA_EXCEEDED',
  ],
})
