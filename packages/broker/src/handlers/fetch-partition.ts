// What a Fetch gets of one partition. Enters: an offset, the limits. Leaves: whole batches, or why there are none.
// Checks stand in the order of REPLICATION 2.3.
import {
  type Apis,
  type ErrorName,
  errorCode,
  type RequestOf,
  type ResponseOf,
} from '@minikafka/protocol'
import type { LogSlice } from '../log/index.ts'
import type { Partition } from '../partition/index.ts'
import type { Context } from './context.ts'
import { KEPT, keptFromReading } from './internal-topics.ts'
import { readError } from './read-error.ts'

type Wanted = RequestOf<Apis['fetch']>['partitions'][number]
type Result = ResponseOf<Apis['fetch']>['results'][number]

/** `isMore`: there was more below the high watermark than the limits let through. */
export type PartitionRead = { readonly result: Result; readonly isMore: boolean }

/** `firstWhole`: the first batch comes, however large. */
type Limits = {
  readonly isolation: number
  readonly bytesMax: number
  readonly firstWhole: boolean
}

const READ_COMMITTED = 1

export function readPartition(
  wanted: Wanted,
  { isolation, bytesMax, firstWhole }: Limits,
  context: Context,
): PartitionRead | Promise<PartitionRead> {
  const { rooms } = context
  const partition = rooms.partitions.get(wanted.topicId, wanted.partition)
  if ('error' in partition) return whole(failure(wanted, partition.error, partition.message))
  const kept = keptFromReading(partition, rooms)
  if (kept !== undefined) return whole(failure(wanted, KEPT, kept))
  const wrong = refusal(wanted, partition)
  if (wrong !== undefined) return whole(wrong)
  const below = isolation === READ_COMMITTED ? partition.lastStableOffset : partition.highWatermark
  if (wanted.fetchOffset >= below) return whole(success(wanted, partition, []))
  if (bytesMax === 0 && !firstWhole) return { result: success(wanted, partition, []), isMore: true }
  const read = ({ buffers, nextOffset, isHeld }: LogSlice): PartitionRead => {
    const records = buffers.map((view) => ownMemory(view, context))
    if (isHeld) for (const { buffer } of buffers) context.letGo(buffer)
    return { result: success(wanted, partition, records), isMore: nextOffset < below }
  }
  const slice = partition.lend(wanted.fetchOffset, below, bytesMax, firstWhole)
  if (!(slice instanceof Promise)) return read(slice)
  return slice.then(read, (error: unknown) => {
    const { name, message, details } = readError(error)
    const failed = failure(wanted, name, message, partition)
    // Retention may have passed by: then the offset is out of range, and the answer says of which.
    return whole(refusal(wanted, partition) ?? { ...failed, unreadable: rangeOf(details) })
  })
}

/** The offsets that cannot be read, where the log knows which. */
function rangeOf(details: Readonly<Record<string, unknown>> | undefined): Result['unreadable'] {
  const { fromOffset, nextOffset } = details ?? {}
  const isKnown = typeof fromOffset === 'number' && typeof nextOffset === 'number'
  return isKnown ? { fromOffset, nextOffset } : null
}

/** What is answered is charged by its size, and may wait long for its reader: it keeps at most twice that in memory. */
function ownMemory(view: Uint8Array, context: Context): Uint8Array {
  if (view.length * 2 >= view.buffer.byteLength) {
    context.lend(view.buffer)
    return view
  }
  const copy = Buffer.allocUnsafeSlow(view.length)
  copy.set(view)
  return copy
}

function whole(result: Result): PartitionRead {
  return { result, isMore: false }
}

/** The checks of REPLICATION 2.3, in their order. */
function refusal(wanted: Wanted, partition: Partition): Result | undefined {
  const { log, leadership, offline } = partition
  if (offline) return failure(wanted, offline.error, offline.message)
  if (log === undefined)
    return failure(wanted, 'NOT_LEADER_OR_FOLLOWER', 'the partition is being opened')
  const { leaderEpoch } = leadership
  if (wanted.leaderEpoch >= 0 && wanted.leaderEpoch !== leaderEpoch) {
    const name = wanted.leaderEpoch < leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH'
    return failure(
      wanted,
      name,
      `the leader epoch is ${leaderEpoch}, not ${wanted.leaderEpoch}`,
      partition,
    )
  }
  if (!partition.isLeader()) {
    return failure(
      wanted,
      'NOT_LEADER_OR_FOLLOWER',
      `broker ${leadership.leaderId} leads it`,
      partition,
    )
  }
  const diverging = divergence(wanted, partition)
  if (diverging !== undefined) return { ...success(wanted, partition, []), diverging }
  const { logStartOffset, logEndOffset } = log
  if (wanted.fetchOffset >= logStartOffset && wanted.fetchOffset <= logEndOffset) return undefined
  return {
    ...failure(
      wanted,
      'OFFSET_OUT_OF_RANGE',
      `offset ${wanted.fetchOffset} is outside ${logStartOffset} to ${logEndOffset}`,
      partition,
    ),
    logStartOffset,
    logEndOffset,
  }
}

/** Set where the asker's last record comes from a leader epoch that ended earlier here (KIP-320). */
function divergence(
  { lastFetchedEpoch, fetchOffset }: Wanted,
  { log }: Partition,
): Result['diverging'] | undefined {
  if (lastFetchedEpoch < 0 || log === undefined) return undefined
  const end = log.epochs.endOffsetFor(lastFetchedEpoch, log.logEndOffset)
  if (end === undefined) return { epoch: -1, endOffset: -1 }
  return end.epoch < lastFetchedEpoch || end.endOffset < fetchOffset ? end : undefined
}

// --- results -----------------------------------------------------------------------------------

function success(wanted: Wanted, partition: Partition, records: readonly Uint8Array[]): Result {
  const { log, leadership } = partition
  return {
    errorCode: 0,
    errorMessage: null,
    topicId: wanted.topicId,
    partition: wanted.partition,
    highWatermark: partition.highWatermark,
    lastStableOffset: partition.lastStableOffset,
    logStartOffset: log?.logStartOffset ?? -1,
    logEndOffset: log?.logEndOffset ?? -1,
    compactedBelow: log?.compactedBelow ?? 0,
    leaderId: leadership.leaderId,
    leaderEpoch: leadership.leaderEpoch,
    diverging: null,
    aborted: [],
    records,
    unreadable: null,
  }
}

function failure(wanted: Wanted, error: ErrorName, message: string, partition?: Partition): Result {
  return {
    errorCode: errorCode(error),
    errorMessage: message,
    topicId: wanted.topicId,
    partition: wanted.partition,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    logEndOffset: -1,
    compactedBelow: 0,
    leaderId: partition?.leadership.leaderId ?? -1,
    leaderEpoch: partition?.leadership.leaderEpoch ?? -1,
    diverging: null,
    aborted: [],
    records: [],
    unreadable: null,
  }
}
