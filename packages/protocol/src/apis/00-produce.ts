// Produce: batches in. Source: Kafka ProduceRequest.json, KIP-98, KIP-516 (topic ids).
import {
  blob,
  bool,
  defineApi,
  int32,
  int64,
  list,
  nullable,
  offset,
  string,
  struct,
  time,
  uuid,
} from '../define.ts'

const append = struct({
  topicId: uuid('Topic id: a name may come to mean another topic.'),
  partition: int32('Partition number.'),
  batch: blob('One record batch, format v2; kept byte for byte.'),
})

const result = struct({
  errorCode: int32('0 when appended.'),
  errorMessage: nullable(string('What is wrong and what to do.')),
  written: int32('Of this attempt: 0 = not in the log and never will be, 1 = it may be.'),
  baseOffset: offset('Offset of the first record; -1 on error.'),
  logAppendTimeMs: time('The stamped time; -1 with CreateTime.'),
  logStartOffset: offset('Where the log begins; -1 on error.'),
  leaderId: int32('Who leads, after NOT_LEADER_OR_FOLLOWER; -1 = unknown.'),
  leaderEpoch: int32('In which epoch; -1 = unknown.'),
})

const timing = struct({
  queuedUs: int64('Until the batch was checked and queued for its log.'),
  writtenUs: int64('Until it was written to the file, or given up.'),
  acknowledgedUs: int64('Until the acks were there: synced, with flush=group.'),
})

export const produce = defineApi({
  name: 'Produce',
  key: 0,
  versions: [0, 1],
  audience: 'client',
  acl: { operation: 'WRITE', resource: 'TOPIC' },
  about:
    'Append record batches to partitions that this broker leads. With acks 0 nothing is answered.',
  request: {
    acks: int32('0 = do not wait, 1 = the leader, -1 = every in-sync replica.'),
    timeoutMs: int32('How long the broker may wait for those acks.'),
    appends: list('At most one per partition.', append, { countMax: 1000 }),
    trace: bool('Answer with the timings.', { since: 1, fallback: false }),
  },
  response: {
    results: list('In the order of the request.', result, { countMax: 1000 }),
    timings: list(
      'With trace: for each append, in order, microseconds since the request had arrived; else empty.',
      timing,
      { countMax: 1000, since: 1, fallback: [] },
    ),
  },
  errors: [
    'UNKNOWN_TOPIC_ID',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'NOT_LEADER_OR_FOLLOWER',
    'MESSAGE_TOO_LARGE',
    'CORRUPT_MESSAGE',
    'INVALID_RECORD',
    'INVALID_TIMESTAMP',
    'UNSUPPORTED_COMPRESSION_TYPE',
    'NOT_ENOUGH_REPLICAS',
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    'REQUEST_TIMED_OUT',
    'INVALID_PRODUCER_EPOCH',
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    'UNKNOWN_PRODUCER_ID',
    'INVALID_REQUIRED_ACKS',
    'STORAGE_FULL',
    'KAFKA_STORAGE_ERROR',
    'TOPIC_AUTHORIZATION_FAILED',
  ],
})
