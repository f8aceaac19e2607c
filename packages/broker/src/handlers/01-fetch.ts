// Room 8 of the walk. (offset, max bytes) to slices below the high watermark; followers use the same door.
// Before: a reader's request, through broker/dispatch. After: client/consumer.
//
// Versions   0; 1 names the offsets that cannot be read; 2 tells of batches that came with a wrong CRC.
// Behaviour  A long poll: answered at once with an error or with minBytes, else when a high watermark moves far
//            enough, at the latest after maxWaitMs. Where the walk over the partitions begins rotates, so that none
//            starves. The first batch of the first non-empty partition comes whole, whatever maxBytes says (KIP-74).
//            What is read is charged to the memory budget before it is read, and until the connection has taken the
//            answer over; a fetch gets no more than its connection's share of what is free. Where that is less than a
//            batch may have, only batches that fit are answered: who does not read its answers takes no room from
//            those who produce.
// Notes      Checks stand in the order of REPLICATION 2.3. No sessions yet: session id 0 is answered, every fetch is full.
import type { RequestOf, ResponseOf } from '@minikafka/protocol'
import { type Apis, type ErrorName, errorCode, MinikafkaError } from '@minikafka/protocol'
import type { LogSlice } from '../log/index.ts'
import type { Partition } from '../partition/index.ts'
import type { Context } from './context.ts'
import { KEPT, keptFromReading } from './internal-topics.ts'
import { readError } from './read-error.ts'
import { refuseTwice } from './refuse-twice.ts'

type Request = RequestOf<Apis['fetch']>
type Response = ResponseOf<Apis['fetch']>
type Wanted = Request['partitions'][number]
type Result = Response['results'][number]
/** `isMore`: there was more below the high watermark than the limits let through. */
type Read = { readonly result: Result; readonly isMore: boolean }

const WAIT_MS_MAX = 60_000
/** Left of a frame for everything that is not records. */
const FRAME_OVERHEAD_BYTES = 512 * 1024
/** What one read of a log takes at most while it is under way. */
const READ_BYTES_MAX = 2 * 1024 * 1024
const READ_COMMITTED = 1
/** A first batch comes whole where the connection has room for as much as batches mostly have (max.message.bytes). */
const FIRST_BATCH_ROOM_BYTES = 1024 * 1024
/** Where there was no room for a batch that is there, how often to look for room. */
const NO_ROOM_WAIT_MS = 100
/** Small batches lie apart in memory: an answer of very many buffers is slow to send, and has no frame above 65,535. */
const BUFFERS_MAX = 1024

export async function fetch(request: Request, context: Context): Promise<Response> {
  if (request.replicaId !== -1) {
    throw new MinikafkaError('CLUSTER_AUTHORIZATION_FAILED', {
      message: 'this broker has no followers',
    })
  }
  if (request.sessionId !== 0) throw new MinikafkaError('FETCH_SESSION_ID_NOT_FOUND')
  refuseTwice(request.partitions)
  await lookAtSuspects(request, context)
  const { memory } = context
  const waitMs = Math.min(Math.max(request.maxWaitMs, 0), WAIT_MS_MAX)
  const deadlineMs = context.receivedAtMs + waitMs
  const watch = watchPartitions(request, context)
  try {
    for (;;) {
      watch.begin()
      const { results, bytes, isCut, lacksRoom } = await collect(request, context)
      const isEarly = context.env.random.buggify('fetch-early-answer', 0.1)
      const enough = isEarly || isCut || bytes >= enoughBytes(request, context)
      const leftMs = deadlineMs - context.env.clock.monotonicMs()
      if (enough || leftMs <= 0 || watch.isOver()) {
        // Answered before the next turn begins: from then on the connection is charged for what it has not sent.
        context.env.clock.soon(() => memory.release(bytes))
        return { sessionId: 0, results }
      }
      memory.release(bytes)
      context.takeBack()
      if (lacksRoom) await roomForOne(context, watch, deadlineMs)
      else await watch.moved(leftMs)
      // Nobody is there to hear what another read would find.
      if (context.signal.aborted) return { sessionId: 0, results: [] }
    }
  } finally {
    watch.stop()
  }
}

/** Before anything is read: what is damaged is not served once more. */
async function lookAtSuspects({ partitions }: Request, { rooms, signal }: Context): Promise<void> {
  for (const { topicId, partition, suspectOffset } of partitions) {
    if (suspectOffset < 0) continue
    const found = rooms.partitions.get(topicId, partition)
    if (!('error' in found)) await rooms.suspicions.look(found, suspectOffset, signal)
  }
}

/** A read that finds nothing small enough is work for nothing: it is not tried again at once, nor until there is room. */
async function roomForOne(
  { env, memory }: Context,
  watch: ReturnType<typeof watchPartitions>,
  deadlineMs: number,
): Promise<void> {
  do {
    const leftMs = deadlineMs - env.clock.monotonicMs()
    if (leftMs <= 0 || watch.isOver()) return
    watch.begin()
    await watch.moved(Math.min(leftMs, NO_ROOM_WAIT_MS))
  } while (memory.room < FIRST_BATCH_ROOM_BYTES)
}

/** Without room any byte is enough: a short answer frees memory sooner. */
function enoughBytes({ minBytes, maxBytes }: Request, { rooms, memory }: Context): number {
  const wanted = Math.max(
    0,
    Math.min(minBytes, answerBytesMax(maxBytes, rooms.config.values['socket.request.max.bytes'])),
  )
  return memory.room === 0 ? Math.min(1, wanted) : wanted
}

function answerBytesMax(maxBytes: number, frameBytesMax: number): number {
  return Math.max(1, Math.min(maxBytes, frameBytesMax - FRAME_OVERHEAD_BYTES))
}

// --- reading -----------------------------------------------------------------------------------

/**
 * `bytes`: of records, charged to the memory budget. `isCut`: waiting would bring no more, for there is an error to tell
 * of, or a limit ended what was read of a partition. `isMore`: of some partition there was more than was read.
 */
type Collected = { readonly results: Result[]; bytes: number; isCut: boolean; isMore: boolean }

/** `lacksRoom`: there are records, and no room. Where it throws, nothing is charged any more. */
async function collect(request: Request, context: Context) {
  const collected: Collected = { results: [], bytes: 0, isCut: false, isMore: false }
  try {
    await collectInto(collected, request, context)
  } catch (error) {
    context.memory.release(collected.bytes)
    throw error
  }
  return { ...collected, lacksRoom: collected.isMore && collected.bytes === 0 }
}

async function collectInto(collected: Collected, request: Request, context: Context) {
  const { partitions } = request
  const { rooms, memory } = context
  const bytesMax = answerBytesMax(request.maxBytes, rooms.config.values['socket.request.max.bytes'])
  let buffers = 0
  const first = partitions.length === 0 ? 0 : rooms.nextRotation() % partitions.length
  for (let step = 0; step < partitions.length; step++) {
    const wanted = partitions[(first + step) % partitions.length]
    if (wanted === undefined) continue
    const { room } = memory
    const bound = Math.max(0, Math.min(bytesMax - collected.bytes, room, wanted.maxBytes))
    const firstWhole = collected.bytes === 0 && room >= FIRST_BATCH_ROOM_BYTES
    const limit = buffers >= BUFFERS_MAX ? 0 : bound
    const read = readOne(wanted, request.isolation, limit, firstWhole, context)
    const { result, isMore } = read instanceof Promise ? await charged(read, limit, memory) : read
    const bytes = bytesOf(result)
    memory.charge(bytes)
    buffers += result.records.length
    collected.bytes += bytes
    collected.isMore ||= isMore
    const hasMore = isMore && collected.bytes > 0
    collected.isCut ||= hasMore || result.errorCode !== 0 || result.diverging !== null
    collected.results.push(result)
  }
}

/** While it is read from the disk it counts as if all came that may come: others look before they read. */
async function charged(
  read: Promise<Read>,
  bound: number,
  memory: Context['memory'],
): Promise<Read> {
  const bytes = Math.min(bound, READ_BYTES_MAX)
  memory.charge(bytes)
  try {
    return await read
  } finally {
    memory.release(bytes)
  }
}

function bytesOf({ records }: Result): number {
  let bytes = 0
  for (const buffer of records) bytes += buffer.length
  return bytes
}

function readOne(
  wanted: Wanted,
  isolation: number,
  bytesMax: number,
  firstWhole: boolean,
  context: Context,
): Read | Promise<Read> {
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
  const read = ({ buffers, nextOffset, isHeld }: LogSlice): Read => {
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

function whole(result: Result): Read {
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

// --- waiting -----------------------------------------------------------------------------------

/** Listens from before a read on, so that a watermark that moves during it is not missed. */
function watchPartitions(request: Request, { env, rooms, signal }: Context) {
  const { stopping } = rooms
  let hasMoved = false
  let wake = () => {}
  const onMove = () => {
    hasMoved = true
    wake()
  }
  const stops = request.partitions.map(({ topicId, partition }) => {
    const found = rooms.partitions.get(topicId, partition)
    return 'error' in found ? undefined : found.onReadable(onMove)
  })
  signal.addEventListener('abort', onMove)
  stopping.addEventListener('abort', onMove)
  return {
    begin: () => {
      hasMoved = false
    },
    /** The reader is gone, or the broker is about to be. */
    isOver: () => signal.aborted || stopping.aborted,
    moved: (waitMs: number) =>
      new Promise<void>((resolve) => {
        if (hasMoved) return resolve()
        const timer = env.clock.timer(waitMs, resolve)
        wake = () => {
          timer.cancel()
          resolve()
        }
      }),
    stop: () => {
      for (const end of stops) end?.()
      signal.removeEventListener('abort', onMove)
      stopping.removeEventListener('abort', onMove)
    },
  }
}
