// DeleteTopics. Source: Kafka DeleteTopicsRequest.json, KIP-516.
import { defineApi, int32, list, nullable, string, struct, uuid } from '../define.ts'

const topic = struct({
  name: nullable(string('By name; null = by id.')),
  topicId: nullable(uuid('By id; null = by name.')),
})

const result = struct({
  errorCode: int32('0 when deleted.'),
  errorMessage: nullable(string('What is wrong and what to do.')),
  name: nullable(string('Its name, where known.')),
  topicId: nullable(uuid('Its id, where known.')),
})

export const deleteTopics = defineApi({
  name: 'DeleteTopics',
  key: 20,
  versions: [0, 0],
  audience: 'client',
  acl: { operation: 'DELETE', resource: 'TOPIC' },
  about: 'Delete topics with all their records. The name is free again when this is answered.',
  request: {
    topics: list('Each topic once.', topic, { countMax: 1000 }),
    timeoutMs: int32('How long to wait for it.'),
  },
  response: { results: list('In the order of the request.', result, { countMax: 1000 }) },
  errors: [
    'UNKNOWN_TOPIC_OR_PARTITION',
    'UNKNOWN_TOPIC_ID',
    'TOPIC_AUTHORIZATION_FAILED',
    'REQUEST_TIMED_OUT',
  ],
})
