// DeleteGroups: a group with all its positions. Source: Kafka DeleteGroupsRequest.json, KIP-229.
import { defineApi, int32, list, nullable, string, struct } from '../define.ts'

const result = struct({
  errorCode: int32('0 when it is gone, durably.'),
  errorMessage: nullable(string('What is wrong and what to do.')),
  groupId: string('As asked for.'),
})

export const deleteGroups = defineApi({
  name: 'DeleteGroups',
  key: 42,
  versions: [0, 0],
  audience: 'client',
  acl: { operation: 'DELETE', resource: 'GROUP' },
  about: 'Delete groups without members, and where they stood.',
  request: { groupIds: list('Groups.', string('Group.', { bytesMax: 1024 }), { countMax: 1000 }) },
  response: { results: list('In the order of the request.', result, { countMax: 1000 }) },
  errors: [
    'INVALID_GROUP_ID',
    'NOT_COORDINATOR',
    'COORDINATOR_LOAD_IN_PROGRESS',
    'COORDINATOR_NOT_AVAILABLE',
    'REQUEST_TIMED_OUT',
    'GROUP_ID_NOT_FOUND',
    'NON_EMPTY_GROUP',
    'STORAGE_FULL',
    'THROTTLING_QUOTA_EXCEEDED',
  ],
})
