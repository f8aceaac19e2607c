// Fetch: batches out, for consumers and followers alike. Source: Kafka FetchRequest.json, KIP-74, KIP-227, KIP-320, KIP-595.
import {
  blobs,
  defineApi,
  int8,
  int32,
  int64,
  list,
  nullable,
  object,
  offset,
  string,
  struct,
  uuid,
} from '../define.ts'

const wanted = struct({
  topicId: uuid('Topic id.'),
  partition: int32('Partition number.'),
  leaderEpoch: int32('The leader epoch the asker knows; -1 = do not check.'),
  fetchOffset: offset('The next offset wanted; a follower says its log end.'),
  lastFetchedEpoch: int32('Leader epoch of the last record the asker holds; -1 = do not check.'),
  durableOffset: offset('Of a follower: up to here its disk is synced; -1 from a consumer.'),
  logStartOffset: offset('Of a follower: where its log begins; -1 from a consumer.'),
  maxBytes: int32('Bound for this partition; the first batch comes whole all the same.'),
  suspectOffset: offset(
    'A batch with this offset came with a wrong CRC: the broker looks at it again, or ignores it; -1 = none.',
    { since: 2, fallback: -1 },
  ),
})

const aborted = struct({
  producerId: int64('Whose transaction was aborted.'),
  firstOffset: offset('Its first offset in this partition.'),
})

const diverging = struct({
  epoch: int32('Largest epoch known here that is not above the one asked with; -1 = none.'),
  endOffset: offset('Where that epoch ends.'),
})

const unreadable = struct({
  fromOffset: offset('The first of them.'),
  nextOffset: offset('The first one behind them: reading may go on there.'),
})

const result = struct({
  errorCode: int32('0, or why there are no records.'),
  errorMessage: nullable(string('What is wrong and what to do.')),
  topicId: uuid('Topic id.'),
  partition: int32('Partition number.'),
  highWatermark: offset('All below is committed; -1 on error.'),
  lastStableOffset: offset('All below is decided; -1 on error.'),
  logStartOffset: offset('Where the log begins; -1 on error.'),
  logEndOffset: offset('Where the log of the leader ends; -1 on error.'),
  compactedBelow: offset('Below this, offsets may have gaps.'),
  leaderId: int32('Who leads, after NOT_LEADER_OR_FOLLOWER; -1 = unknown.'),
  leaderEpoch: int32('In which epoch; -1 = unknown.'),
  diverging: nullable(object('Set where the logs differ: cut to there and ask again.', diverging)),
  aborted: list('Aborted transactions among the records (read_committed).', aborted, {
    countMax: 10_000,
  }),
  records: blobs(
    'Whole batches, format v2, in offset order; the first may begin below fetchOffset.',
  ),
  unreadable: nullable(
    object('After KAFKA_STORAGE_ERROR: damage or a hole holds these offsets for good.', unreadable),
    { since: 1, fallback: null },
  ),
})

export const fetch = defineApi({
  name: 'Fetch',
  key: 1,
  versions: [0, 2],
  audience: 'client',
  acl: { operation: 'READ', resource: 'TOPIC' },
  about:
    'Read batches below the high watermark (read_committed: below the last stable offset). A long poll: ' +
    'answered when minBytes are there, when something failed, or after maxWaitMs.',
  request: {
    replicaId: int32('-1 from a consumer, else the broker id of the follower.'),
    brokerEpoch: int64('Epoch of that broker; -1 from a consumer.'),
    sessionId: int32('0 = no session, a full fetch.'),
    sessionEpoch: int32('-1 without a session.'),
    isolation: int8('0 = read_uncommitted, 1 = read_committed.'),
    rack: string('Rack of the consumer; empty = unknown.', { bytesMax: 255 }),
    maxWaitMs: int32('How long to wait for minBytes; clamped to 60 s.'),
    minBytes: int32('Enough to answer with.'),
    maxBytes: int32('Bound for the whole answer; clamped below the frame limit.'),
    partitions: list('Each partition once.', wanted, { countMax: 10_000 }),
  },
  response: {
    sessionId: int32('0 = no session.'),
    results: list('Without a session: one per partition asked for, in any order.', result, {
      countMax: 10_000,
    }),
  },
  errors: [
    'UNKNOWN_TOPIC_ID',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'NOT_LEADER_OR_FOLLOWER',
    'OFFSET_OUT_OF_RANGE',
    'FENCED_LEADER_EPOCH',
    'UNKNOWN_LEADER_EPOCH',
    'FETCH_SESSION_ID_NOT_FOUND',
    'KAFKA_STORAGE_ERROR',
    'TOPIC_AUTHORIZATION_FAILED',
  ],
})
