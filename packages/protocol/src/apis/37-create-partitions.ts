// CreatePartitions: a topic grows. Source: Kafka CreatePartitionsRequest.json, KIP-195.
import { bool, defineApi, int32, list, nullable, string, struct } from '../define.ts'

const topic = struct({
  name: string('Topic name.'),
  total: int32('How many partitions it shall have in all.'),
})

const result = struct({
  errorCode: int32('0 when the new partitions accept records.'),
  errorMessage: nullable(string('What is wrong and what to do.')),
  name: string('As asked for.'),
})

export const createPartitions = defineApi({
  name: 'CreatePartitions',
  key: 37,
  versions: [0, 0],
  audience: 'client',
  acl: { operation: 'ALTER', resource: 'TOPIC' },
  about:
    'Add partitions. Keys then meet other partitions than before; records stay where they are.',
  request: {
    topics: list('Each topic once.', topic, { countMax: 1000 }),
    timeoutMs: int32('How long to wait for it.'),
    validateOnly: bool('Check everything, change nothing.'),
  },
  response: { results: list('In the order of the request.', result, { countMax: 1000 }) },
  errors: [
    'UNKNOWN_TOPIC_OR_PARTITION',
    'INVALID_PARTITIONS',
    'POLICY_VIOLATION',
    'REQUEST_TIMED_OUT',
    'TOPIC_AUTHORIZATION_FAILED',
  ],
})
