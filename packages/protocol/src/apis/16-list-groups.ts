// ListGroups: the groups that this broker looks after. Source: Kafka ListGroupsRequest.json, KIP-518, KIP-848.
import { defineApi, list, string, struct } from '../define.ts'

const group = struct({
  groupId: string('Group.'),
  type: string('consumer.'),
  state: string('Empty, Assigning, Reconciling or Stable.'),
})

export const listGroups = defineApi({
  name: 'ListGroups',
  key: 16,
  versions: [0, 0],
  audience: 'client',
  acl: { operation: 'DESCRIBE', resource: 'GROUP' },
  about: 'The groups whose coordinator is this broker; ask every broker for all of them.',
  request: {
    states: list('Only those in one of these states; empty = all.', string('State.'), {
      countMax: 10,
    }),
  },
  response: { groups: list('In name order.', group, { countMax: 1_000_000 }) },
  errors: ['COORDINATOR_LOAD_IN_PROGRESS', 'INVALID_REQUEST', 'COORDINATOR_NOT_AVAILABLE'],
})
