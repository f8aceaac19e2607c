// DeleteRecords: moves the start of a log. Source: Kafka DeleteRecordsRequest.json, KIP-107.
import { defineApi, int32, list, nullable, offset, string, struct, uuid } from '../define.ts'

const cut = struct({
  topicId: uuid('Topic id.'),
  partition: int32('Partition number.'),
  beforeOffset: offset('Records below this go; -1 = up to the high watermark.'),
})

const result = struct({
  errorCode: int32('0 when the log begins there now.'),
  errorMessage: nullable(string('What is wrong and what to do.')),
  topicId: uuid('Topic id.'),
  partition: int32('Partition number.'),
  logStartOffset: offset('Where the log begins now; -1 on error.'),
})

export const deleteRecords = defineApi({
  name: 'DeleteRecords',
  key: 21,
  versions: [0, 0],
  audience: 'client',
  acl: { operation: 'DELETE', resource: 'TOPIC' },
  about: 'Delete all records below an offset. Durable when answered.',
  request: {
    partitions: list('Each partition once.', cut, { countMax: 10_000 }),
    timeoutMs: int32('How long to wait for it.'),
  },
  response: { results: list('In the order of the request.', result, { countMax: 10_000 }) },
  errors: [
    'UNKNOWN_TOPIC_ID',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'NOT_LEADER_OR_FOLLOWER',
    'OFFSET_OUT_OF_RANGE',
    'POLICY_VIOLATION',
    'KAFKA_STORAGE_ERROR',
    'TOPIC_AUTHORIZATION_FAILED',
  ],
})
