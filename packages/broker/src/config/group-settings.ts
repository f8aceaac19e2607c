// Settings of consumer groups, and of the topic that keeps them.
// Enters: nothing. Leaves: rows of settings.ts.
import { DAY, defineSettings, HOUR, MINUTE, MiB, SECOND } from './setting-rows.ts'

export const groupSettings = defineSettings({
  'offsets.topic.num.partitions': {
    type: 'int',
    default: 50,
    range: [1, 1_000],
    about:
      'Partitions of __consumer_offsets, which is made when the first group is asked for. Fixed from then on.',
  },
  'offsets.retention.ms': {
    type: 'duration',
    default: 7 * DAY,
    range: [HOUR, Number.MAX_SAFE_INTEGER],
    dynamic: true,
    about:
      'Positions of a group are forgotten so long after its last member left; without members, after the commit.',
  },
  'max.groups': {
    type: 'int',
    default: 100_000,
    range: [1, 10_000_000],
    dynamic: true,
    about: 'Groups that this broker looks after; more are refused with THROTTLING_QUOTA_EXCEEDED.',
  },
  'max.groups.bytes': {
    type: 'bytes',
    default: 512 * MiB,
    range: [MiB, 2 ** 50],
    dynamic: true,
    about:
      'Memory for the positions and members of groups, about; above it new ones are refused with THROTTLING_QUOTA_EXCEEDED.',
  },
  'group.max.size': {
    type: 'int',
    default: 1_000,
    range: [1, 100_000],
    dynamic: true,
    about: 'Members of one group; more are refused with GROUP_MAX_SIZE_REACHED.',
  },
  'group.consumer.session.timeout.ms': {
    type: 'duration',
    default: 15 * SECOND,
    range: [6 * SECOND, 30 * MINUTE],
    dynamic: true,
    about: 'A member that was not heard of for so long is out, and others get its partitions.',
  },
  'group.consumer.heartbeat.interval.ms': {
    type: 'duration',
    default: 3 * SECOND,
    range: [SECOND, 10 * MINUTE],
    dynamic: true,
    about:
      'How often a member is heard of; never more than a third of the session. While members come and go they are heard of each 500 ms, which tells them so.',
  },
  'group.consumer.assignment.interval.ms': {
    type: 'duration',
    default: SECOND,
    range: [0, 15 * SECOND],
    dynamic: true,
    about: 'The partitions of a group are shared out anew at most so often.',
  },
  'group.consumer.assignors': {
    type: 'text',
    default: 'sticky,range,roundrobin',
    dynamic: true,
    about:
      'Ways to share out partitions, the preferred one first: sticky (also called uniform), range, roundrobin.',
  },
  'internal.topics.readable': {
    type: 'boolean',
    default: false,
    dynamic: true,
    about:
      'Lets clients read topics that the brokers keep for themselves (__consumer_offsets), to look for a fault.',
  },
})
