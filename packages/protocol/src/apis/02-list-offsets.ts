// ListOffsets: times to offsets. Source: Kafka ListOffsetsRequest.json, KIP-79, KIP-207.
import {
  defineApi,
  int8,
  int32,
  list,
  nullable,
  offset,
  string,
  struct,
  time,
  uuid,
} from '../define.ts'

const wanted = struct({
  topicId: uuid('Topic id.'),
  partition: int32('Partition number.'),
  leaderEpoch: int32('The leader epoch the asker knows; -1 = do not check.'),
  timestamp: time('Milliseconds since 1970; -1 = latest, -2 = earliest.'),
})

const result = struct({
  errorCode: int32('0 when found or when there is no such record.'),
  errorMessage: nullable(string('What is wrong and what to do.')),
  topicId: uuid('Topic id.'),
  partition: int32('Partition number.'),
  offset: offset('First offset at or after the time; -1 = no record that late.'),
  timestamp: time('Timestamp of that record; -1 for latest, earliest and none.'),
  leaderEpoch: int32('Leader epoch of that offset; -1 = unknown.'),
})

export const listOffsets = defineApi({
  name: 'ListOffsets',
  key: 2,
  versions: [0, 0],
  audience: 'client',
  acl: { operation: 'DESCRIBE', resource: 'TOPIC' },
  about:
    'The earliest, the latest, or the first offset at or after a time; never above the high watermark.',
  request: {
    isolation: int8(
      '0 = read_uncommitted, 1 = read_committed (latest is then the last stable offset).',
    ),
    partitions: list('Each partition once.', wanted, { countMax: 10_000 }),
  },
  response: { results: list('In the order of the request.', result, { countMax: 10_000 }) },
  errors: [
    'UNKNOWN_TOPIC_ID',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'NOT_LEADER_OR_FOLLOWER',
    'OFFSET_NOT_AVAILABLE',
    'KAFKA_STORAGE_ERROR',
    'TOPIC_AUTHORIZATION_FAILED',
  ],
})
