// ConsumerGroupDescribe: who is in a group, who has what, and why. Source: Kafka ConsumerGroupDescribeRequest.json, KIP-848.
import { defineApi, int32, list, nullable, string, struct, time, uuid } from '../define.ts'

const held = struct({
  topicId: uuid('Topic id.'),
  partitions: list('Its partitions.', int32('Partition number.'), { countMax: 10_000 }),
})

const member = struct({
  memberId: string('Member.'),
  instanceId: nullable(string('Of a static member; else null.')),
  rackId: nullable(string('Its rack.')),
  memberEpoch: int32('The epoch it is in; -2 = a static member that is away.'),
  state: string(
    'stable, unrevoked (has to give something up), unreleased (waits for others) or away.',
  ),
  clientId: string('Name of the client.'),
  clientHost: string('Where it is connected from.'),
  subscribedTopicNames: list('Topics subscribed to by name.', string('Name.'), {
    countMax: 10_000,
  }),
  subscribedTopicRegex: nullable(string('Expression subscribed with; null = none.')),
  assigned: list('What it may use.', held, { countMax: 10_000 }),
  revoking: list('What it has to give up first.', held, { countMax: 10_000 }),
  target: list('What it shall have.', held, { countMax: 10_000 }),
  lastHeartbeatMsAgo: int32('How long ago it was heard of.'),
  sessionLeftMs: int32('How long until it is out unless it is heard of; -1 = not running.'),
  revokeLeftMs: int32('How long it may take to give up what it has to; -1 = nothing.'),
})

const rebalance = struct({
  groupEpoch: int32('The epoch that began.'),
  atMs: time('When, milliseconds since 1970.'),
  reason: string('Why, in words.'),
})

const group = struct({
  errorCode: int32('0, or why the group is not described.'),
  errorMessage: nullable(string('What is wrong and what to do.')),
  groupId: string('As asked for.'),
  state: string('Empty, Assigning, Reconciling, Stable; Dead = there is none.'),
  groupEpoch: int32('Grows by one whenever a new assignment is needed.'),
  targetEpoch: int32('The group epoch that the targets were made for.'),
  assignor: string('Which one makes the targets.'),
  members: list('In the order of the member ids.', member, { countMax: 100_000 }),
  rebalances: list('The last 20, oldest first.', rebalance, { countMax: 100 }),
  rebalancesSinceMs: time(
    'Since when the list is whole; of what was before, the coordinator knows what it found in its log.',
  ),
})

export const consumerGroupDescribe = defineApi({
  name: 'ConsumerGroupDescribe',
  key: 69,
  versions: [0, 0],
  audience: 'client',
  acl: { operation: 'DESCRIBE', resource: 'GROUP' },
  about: 'State, members, assignments and last rebalances of groups.',
  request: { groupIds: list('Groups.', string('Group.', { bytesMax: 1024 }), { countMax: 1000 }) },
  response: { groups: list('In the order of the request.', group, { countMax: 1000 }) },
  errors: [
    'INVALID_GROUP_ID',
    'NOT_COORDINATOR',
    'COORDINATOR_LOAD_IN_PROGRESS',
    'COORDINATOR_NOT_AVAILABLE',
    'GROUP_ID_NOT_FOUND',
  ],
})
