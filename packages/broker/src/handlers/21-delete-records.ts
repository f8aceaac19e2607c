// DeleteRecords: moves the start of a log forward.
//
// Versions   0.
// Behaviour  The new start is durable before the answer; files go later. -1 means up to the high watermark; an offset
//            below the present start changes nothing and succeeds.
// Notes      Above the high watermark is OFFSET_OUT_OF_RANGE: what is not committed is not deleted. A topic that is only
//            compacted keeps the last value of each key: POLICY_VIOLATION, as in Kafka.
import type { RequestOf, ResponseOf } from '@minikafka/protocol'
import { type Apis, type ErrorName, errorCode } from '@minikafka/protocol'
import type { Context } from './context.ts'
import { KEPT, keptFromWriting } from './internal-topics.ts'
import { readError } from './read-error.ts'
import { refuseTwice } from './refuse-twice.ts'

type Request = RequestOf<Apis['deleteRecords']>
type Response = ResponseOf<Apis['deleteRecords']>
type Cut = Request['partitions'][number]
type Result = Response['results'][number]

export async function deleteRecords(request: Request, context: Context): Promise<Response> {
  refuseTwice(request.partitions)
  const results: Result[] = []
  for (const cut of request.partitions) results.push(await cutOne(cut, context))
  return { results }
}

async function cutOne(cut: Cut, { rooms }: Context): Promise<Result> {
  const partition = rooms.partitions.get(cut.topicId, cut.partition)
  if ('error' in partition) return result(cut, partition.error, partition.message, -1)
  const kept = keptFromWriting(partition)
  if (kept !== undefined) return result(cut, KEPT, kept, -1)
  if (partition.values['cleanup.policy'] === 'compact')
    return result(cut, 'POLICY_VIOLATION', onlyCompacted(partition.topic), -1)
  if (partition.offline) return result(cut, partition.offline.error, partition.offline.message, -1)
  const { log, highWatermark } = partition
  if (log === undefined || !partition.isLeader()) {
    return result(
      cut,
      'NOT_LEADER_OR_FOLLOWER',
      `broker ${partition.leadership.leaderId} leads it`,
      -1,
    )
  }
  const before = cut.beforeOffset === -1 ? highWatermark : cut.beforeOffset
  if (before < 0 || before > highWatermark) {
    return result(
      cut,
      'OFFSET_OUT_OF_RANGE',
      `offset ${before} is not between 0 and the high watermark ${highWatermark}`,
      -1,
    )
  }
  try {
    await log.deleteBefore(before)
    return result(cut, 'NONE', null, log.logStartOffset)
  } catch (error) {
    const { name, message } = readError(error)
    return result(cut, name, message, -1)
  }
}

function onlyCompacted(topic: string): string {
  return (
    `${topic} has cleanup.policy=compact: the last value of each key stays. ` +
    'Send null for the keys that shall go, or set cleanup.policy=compact,delete'
  )
}

function result(
  cut: Cut,
  error: ErrorName | 'NONE',
  message: string | null,
  logStartOffset: number,
): Result {
  return {
    errorCode: errorCode(error),
    errorMessage: message,
    topicId: cut.topicId,
    partition: cut.partition,
    logStartOffset,
  }
}
