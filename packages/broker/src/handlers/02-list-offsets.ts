// ListOffsets: the earliest, the latest, or the first offset at or after a time.
//
// Versions   0.
// Behaviour  Never above the high watermark (read_committed: the last stable offset). No record that late: offset -1.
// Notes      Until a new leader's high watermark has reached the start of its epoch, `latest` is not known (REPLICATION 2.4).
import type { RequestOf, ResponseOf } from '@minikafka/protocol'
import { type Apis, type ErrorName, errorCode } from '@minikafka/protocol'
import type { Log } from '../log/index.ts'
import type { Partition } from '../partition/index.ts'
import type { Context } from './context.ts'
import { KEPT, keptFromReading } from './internal-topics.ts'
import { readError } from './read-error.ts'
import { refuseTwice } from './refuse-twice.ts'

type Request = RequestOf<Apis['listOffsets']>
type Response = ResponseOf<Apis['listOffsets']>
type Wanted = Request['partitions'][number]
type Result = Response['results'][number]

const LATEST = -1
const EARLIEST = -2
const READ_COMMITTED = 1

export async function listOffsets(request: Request, context: Context): Promise<Response> {
  refuseTwice(request.partitions)
  const results: Result[] = []
  for (const wanted of request.partitions)
    results.push(await findOne(wanted, request.isolation, context))
  return { results }
}

async function findOne(wanted: Wanted, isolation: number, { rooms }: Context): Promise<Result> {
  const partition = rooms.partitions.get(wanted.topicId, wanted.partition)
  if ('error' in partition) return failure(wanted, partition.error, partition.message)
  const kept = keptFromReading(partition, rooms)
  if (kept !== undefined) return failure(wanted, KEPT, kept)
  if (partition.offline) return failure(wanted, partition.offline.error, partition.offline.message)
  const { log, leadership } = partition
  if (log === undefined || !partition.isLeader()) {
    return failure(wanted, 'NOT_LEADER_OR_FOLLOWER', `broker ${leadership.leaderId} leads it`)
  }
  if (wanted.leaderEpoch >= 0 && wanted.leaderEpoch !== leadership.leaderEpoch) {
    const name =
      wanted.leaderEpoch < leadership.leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH'
    return failure(wanted, name, `the leader epoch is ${leadership.leaderEpoch}`)
  }
  const below = isolation === READ_COMMITTED ? partition.lastStableOffset : partition.highWatermark
  if (wanted.timestamp === EARLIEST) return found(wanted, log.logStartOffset, -1, log)
  if (wanted.timestamp === LATEST) return latest(wanted, below, partition, log)
  if (wanted.timestamp < 0) {
    return failure(
      wanted,
      'INVALID_REQUEST',
      `timestamp ${wanted.timestamp}: expected -2, -1 or milliseconds since 1970`,
    )
  }
  try {
    const at = await log.offsetForTime(wanted.timestamp, below)
    return at === undefined
      ? found(wanted, -1, -1, log)
      : found(wanted, at.offset, at.timestamp, log)
  } catch (error) {
    const { name, message } = readError(error)
    return failure(wanted, name, message)
  }
}

function latest(wanted: Wanted, below: number, partition: Partition, log: Log): Result {
  if (partition.highWatermark < partition.leaderEpochStartOffset) {
    return failure(
      wanted,
      'OFFSET_NOT_AVAILABLE',
      'the new leader does not know yet how far the log is committed',
    )
  }
  return found(wanted, below, -1, log)
}

function found(wanted: Wanted, offset: number, timestamp: number, log: Log): Result {
  return {
    errorCode: 0,
    errorMessage: null,
    topicId: wanted.topicId,
    partition: wanted.partition,
    offset,
    timestamp,
    leaderEpoch: offset < 0 ? -1 : (log.epochs.epochAt(offset) ?? -1),
  }
}

function failure(wanted: Wanted, error: ErrorName, message: string): Result {
  return {
    errorCode: errorCode(error),
    errorMessage: message,
    topicId: wanted.topicId,
    partition: wanted.partition,
    offset: -1,
    timestamp: -1,
    leaderEpoch: -1,
  }
}
