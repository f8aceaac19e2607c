// CreateTopics. Source: Kafka CreateTopicsRequest.json, KIP-4, KIP-464.
import { bool, defineApi, int32, list, nullable, string, struct, uuid } from '../define.ts'

const config = struct({
  name: string('A topic setting, docs/config.md.', { bytesMax: 255 }),
  value: nullable(string('Its value as text; null = the default.')),
})

const topic = struct({
  name: string('1 to 249 of a-z A-Z 0-9 . _ -'),
  partitions: int32('How many; -1 = num.partitions of the broker.'),
  replicationFactor: int32('Copies of each partition; -1 = default.replication.factor.'),
  configs: list('Settings that differ from the defaults.', config, { countMax: 1000 }),
})

const result = struct({
  errorCode: int32('0 when created (or when it could be, with validateOnly).'),
  errorMessage: nullable(string('What is wrong and what to do.')),
  name: string('As asked for.'),
  topicId: nullable(uuid('The new id; null on error and with validateOnly.')),
  partitions: int32('How many it has; -1 on error.'),
  replicationFactor: int32('Copies of each partition; -1 on error.'),
})

export const createTopics = defineApi({
  name: 'CreateTopics',
  key: 19,
  versions: [0, 0],
  audience: 'client',
  acl: { operation: 'CREATE', resource: 'TOPIC' },
  about: 'Create topics. Answered when their partitions have leaders that accept records.',
  request: {
    topics: list('Each name once.', topic, { countMax: 1000 }),
    timeoutMs: int32('How long to wait for that.'),
    validateOnly: bool('Check everything, create nothing.'),
  },
  response: { results: list('In the order of the request.', result, { countMax: 1000 }) },
  errors: [
    'TOPIC_ALREADY_EXISTS',
    'INVALID_TOPIC_EXCEPTION',
    'INVALID_PARTITIONS',
    'INVALID_REPLICATION_FACTOR',
    'INVALID_CONFIG',
    'POLICY_VIOLATION',
    'REQUEST_TIMED_OUT',
  ],
})
