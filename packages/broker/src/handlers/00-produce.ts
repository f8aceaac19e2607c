// Room 4 of the walk. Request to one append per partition; the answer waits for all of them.
// Before: broker/dispatch. After: broker/partition.
//
// Versions   0, 1: trace asks for timings.
// Behaviour  Appends of one connection are enqueued in the order of arrival: up to the first `await` this runs
//            synchronously. Each partition succeeds or fails by itself. With acks 0 nothing is answered; where an
//            append failed, the connection is closed, the only sign that such a producer can get.
// Notes      Whatever becomes of a batch later, the log alone has it then: the request's memory is given back.
//            An unknown topic id is definite: the client refreshes and never writes to a successor of the same name.
import type { HangUp, RequestOf, ResponseOf } from '@minikafka/protocol'
import { type Apis, errorCode, MinikafkaError } from '@minikafka/protocol'
import { type Acks, type Appended, definite } from '../partition/index.ts'
import type { Context } from './context.ts'
import { KEPT, keptFromWriting } from './internal-topics.ts'

type Request = RequestOf<Apis['produce']>
type Response = ResponseOf<Apis['produce']>
type Append = Request['appends'][number]
type Timing = Response['timings'][number]

const TIMEOUT_MS_MAX = 10 * 60_000

export async function produce(
  request: Request,
  context: Context,
): Promise<Response | HangUp | undefined> {
  const acks = request.acks as Acks
  const timeoutMs = Math.min(Math.max(request.timeoutMs, 1), TIMEOUT_MS_MAX)
  const pending = request.appends.map((append) => appendOne(append, acks, timeoutMs, context))
  const timing = request.trace ? timingsOf(request, pending, context) : []
  const outcomes = await Promise.all(pending)
  context.requestDone()
  if (request.acks === 0) return answerNothing(outcomes)
  return {
    results: outcomes.map((outcome, index) => result(outcome, request.appends[index], context)),
    timings: request.trace ? await Promise.all(timing) : [],
  }
}

/** Where the time of each append goes, from now on: they were just queued. */
function timingsOf(
  { appends }: Request,
  pending: readonly (Appended | Promise<Appended>)[],
  context: Context,
): Promise<Timing>[] {
  const { env, rooms, receivedAtMs } = context
  const sinceUs = () => Math.round((env.clock.monotonicMs() - receivedAtMs) * 1000)
  const queuedUs = sinceUs()
  return appends.map(async ({ topicId, partition }, index) => {
    const found = rooms.partitions.get(topicId, partition)
    const log = 'error' in found ? undefined : found.log
    // Acknowledged or refused, it is not waited for any longer.
    await Promise.race([log?.written(), pending[index]])
    const writtenUs = sinceUs()
    await pending[index]
    return { queuedUs, writtenUs, acknowledgedUs: sinceUs() }
  })
}

function appendOne(append: Append, acks: Acks, timeoutMs: number, { rooms }: Context) {
  const partition = rooms.partitions.get(append.topicId, append.partition)
  if ('error' in partition) {
    const { error, message } = partition
    return definite(error, message)
  }
  const kept = keptFromWriting(partition)
  if (kept !== undefined) return definite(KEPT, kept)
  return partition.produce(append.batch, acks, timeoutMs)
}

function result(
  outcome: Appended,
  append: Append | undefined,
  { rooms }: Context,
): Response['results'][number] {
  const partition = append && rooms.partitions.get(append.topicId, append.partition)
  const known = partition && !('error' in partition) ? partition : undefined
  return {
    errorCode: errorCode(outcome.error),
    errorMessage: outcome.message,
    written: outcome.written,
    baseOffset: outcome.baseOffset,
    logAppendTimeMs: outcome.logAppendTimeMs,
    logStartOffset: outcome.error === 'NONE' ? (known?.log?.logStartOffset ?? -1) : -1,
    leaderId: known?.leadership.leaderId ?? -1,
    leaderEpoch: known?.leadership.leaderEpoch ?? -1,
  }
}

function answerNothing(outcomes: readonly Appended[]): HangUp | undefined {
  const failed = outcomes.find(({ error }) => error !== 'NONE')
  if (failed === undefined || failed.error === 'NONE') return undefined
  return { hangUp: new MinikafkaError(failed.error, { message: failed.message ?? undefined }) }
}
