// LeaveGroup: an operator removes members. Source: Kafka LeaveGroupRequest.json, KIP-345, KIP-800.
import { defineApi, int32, list, nullable, string, struct } from '../define.ts'

const leaving = struct({
  memberId: string('The member; empty where instanceId names it.', { bytesMax: 255 }),
  instanceId: nullable(
    string('The static member; null where memberId names it.', { bytesMax: 255 }),
  ),
  reason: nullable(string('Why, for the history of the group.', { bytesMax: 255 })),
})

const result = struct({
  errorCode: int32('0 when it is out.'),
  errorMessage: nullable(string('What is wrong and what to do.')),
  memberId: string('As asked for.'),
  instanceId: nullable(string('As asked for.')),
})

export const leaveGroup = defineApi({
  name: 'LeaveGroup',
  key: 13,
  versions: [0, 0],
  audience: 'client',
  acl: { operation: 'READ', resource: 'GROUP' },
  about:
    'Take members out of a group at once, in the name of an operator; a consumer leaves with its last ' +
    'heartbeat. One that is still alive comes back with its next one.',
  request: {
    groupId: string('Group.', { bytesMax: 1024 }),
    members: list('Who has to go.', leaving, { countMax: 1000 }),
  },
  response: { results: list('In the order of the request.', result, { countMax: 1000 }) },
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
    'STORAGE_FULL',
    'THROTTLING_QUOTA_EXCEEDED',
  ],
})
