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
// Notes      No sessions yet: session id 0 is answered, every fetch is full.
import { type Apis, MinikafkaError, type RequestOf, type ResponseOf } from '@minikafka/protocol'
import type { Context } from './context.ts'
import { answerBytesMax, Fetched, FIRST_BATCH_ROOM_BYTES } from './fetched.ts'
import { refuseTwice } from './refuse-twice.ts'

type Request = RequestOf<Apis['fetch']>
type Response = ResponseOf<Apis['fetch']>

const WAIT_MS_MAX = 60_000
/** Where there was no room for a batch that is there, how often to look for room. */
const NO_ROOM_WAIT_MS = 100

export async function fetch(request: Request, context: Context): Promise<Response> {
  if (request.replicaId !== -1) {
    throw new MinikafkaError('CLUSTER_AUTHORIZATION_FAILED', {
      message: 'this broker has no followers',
    })
  }
  if (request.sessionId !== 0) throw new MinikafkaError('FETCH_SESSION_ID_NOT_FOUND')
  refuseTwice(request.partitions)
  const suspects = request.partitions.filter(({ suspectOffset }) => suspectOffset >= 0)
  if (suspects.length > 0) await lookAt(suspects, context)
  const { memory } = context
  const waitMs = Math.min(Math.max(request.maxWaitMs, 0), WAIT_MS_MAX)
  const deadlineMs = context.receivedAtMs + waitMs
  const watch = watchPartitions(request, context)
  try {
    for (;;) {
      watch.begin()
      const fetched = new Fetched(request, context)
      for (let reading = fetched.readOn(); reading; reading = fetched.readOn()) await reading
      const { results, bytes, isCut, lacksRoom } = fetched
      const isEarly = context.env.random.buggify('fetch-early-answer', 0.1)
      const enough = isEarly || isCut || bytes >= enoughBytes(request, context)
      const leftMs = deadlineMs - context.env.clock.monotonicMs()
      if (enough || leftMs <= 0 || watch.isOver()) {
        // Charged until the call is over: from then on the connection is charged for what it has not sent.
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
async function lookAt(suspects: Request['partitions'], { rooms, signal }: Context): Promise<void> {
  for (const { topicId, partition, suspectOffset } of suspects) {
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
  const wanted = Math.max(0, Math.min(minBytes, answerBytesMax(maxBytes, rooms)))
  return memory.room === 0 ? Math.min(1, wanted) : wanted
}

// --- waiting -----------------------------------------------------------------------------------

/** Listens from before a read on, so that a watermark that moves during it is not missed. */
function watchPartitions({ partitions }: Request, { env, rooms, signal }: Context) {
  const { stopping } = rooms
  let hasMoved = false
  let wake = () => {}
  const onMove = () => {
    hasMoved = true
    wake()
  }
  const stops = partitions.map(({ topicId, partition }) => {
    const found = rooms.partitions.get(topicId, partition)
    return 'error' in found ? undefined : found.onReadable(onMove)
  })
  /** The reader is gone, or the broker is about to be. */
  const isOver = () => signal.aborted || stopping.aborted
  return {
    isOver,
    begin: () => {
      hasMoved = false
    },
    /** Signals are listened to only here: most fetches of a busy reader are answered at once. */
    moved: (waitMs: number) =>
      new Promise<void>((resolve) => {
        if (hasMoved || isOver()) return resolve()
        const done = () => {
          timer.cancel()
          signal.removeEventListener('abort', done)
          stopping.removeEventListener('abort', done)
          wake = () => {}
          resolve()
        }
        const timer = env.clock.timer(waitMs, done)
        signal.addEventListener('abort', done)
        stopping.addEventListener('abort', done)
        wake = done
      }),
    stop: () => {
      for (const end of stops) end?.()
    },
  }
}
