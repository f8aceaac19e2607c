// OffsetFetch: where a group stands. Source: Kafka OffsetFetchRequest.json, KIP-447, KIP-848; REPLICATION 2.13.5.
import {
  bool,
  defineApi,
  int32,
  list,
  nullable,
  offset,
  string,
  struct,
  time,
  uuid,
} from '../define.ts'

const wanted = struct({
  topicId: uuid('Topic id.'),
  partition: int32('Partition number.'),
})

const result = struct({
  errorCode: int32('0, also where nothing is committed.'),
  errorMessage: nullable(string('What is wrong and what to do.')),
  topicId: uuid('Topic id.'),
  partition: int32('Partition number.'),
  offset: offset('The next offset to read; -1 = nothing is committed.'),
  leaderEpoch: int32('Leader epoch that was committed with it; -1 = unknown.'),
  metadata: nullable(string('Words of the committer.')),
  commitTimestamp: time(
    'When it was committed, milliseconds since 1970; -1 = nothing is committed.',
  ),
})

export const offsetFetch = defineApi({
  name: 'OffsetFetch',
  key: 9,
  versions: [0, 0],
  audience: 'client',
  acl: { operation: 'DESCRIBE', resource: 'GROUP' },
  about:
    'The committed positions of a group. Of a group that does not exist: nothing is committed.',
  request: {
    groupId: string('Group.', { bytesMax: 1024 }),
    memberId: nullable(string('The member that asks; null without one.', { bytesMax: 255 })),
    memberEpoch: int32('Its member epoch; -1 without a member.'),
    requireStable: bool('Refuse what a transaction is still changing.'),
    partitions: nullable(
      list('Each partition once; null = every one with a position.', wanted, { countMax: 10_000 }),
    ),
  },
  response: {
    results: list('In the order of the request; of all: by topic id and number.', result, {
      countMax: 100_000,
    }),
  },
  errors: [
    'INVALID_REQUEST',
    'INVALID_GROUP_ID',
    'NOT_COORDINATOR',
    'COORDINATOR_LOAD_IN_PROGRESS',
    'COORDINATOR_NOT_AVAILABLE',
    'UNKNOWN_MEMBER_ID',
    'STALE_MEMBER_EPOCH',
    'POLICY_VIOLATION',
  ],
})
