// OffsetDelete: forgets where a group stood. Source: Kafka OffsetDeleteRequest.json, KIP-496.
import { defineApi, int32, list, nullable, string, struct, uuid } from '../define.ts'

const place = struct({
  topicId: uuid('Topic id.'),
  partition: int32('Partition number.'),
})

const result = struct({
  errorCode: int32('0 when nothing is committed there any more, durably.'),
  errorMessage: nullable(string('What is wrong and what to do.')),
  topicId: uuid('Topic id.'),
  partition: int32('Partition number.'),
})

export const offsetDelete = defineApi({
  name: 'OffsetDelete',
  key: 47,
  versions: [0, 0],
  audience: 'client',
  acl: { operation: 'DELETE', resource: 'GROUP' },
  about: 'Delete committed positions of topics that no member of the group subscribes to.',
  request: {
    groupId: string('Group.', { bytesMax: 1024 }),
    partitions: list('Each partition once.', place, { countMax: 10_000 }),
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
    'GROUP_SUBSCRIBED_TO_TOPIC',
    'INVALID_COMMIT_OFFSET_SIZE',
    'STORAGE_FULL',
    'THROTTLING_QUOTA_EXCEEDED',
  ],
})
