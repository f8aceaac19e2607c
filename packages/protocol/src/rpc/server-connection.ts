// One connection of a server: its life, its limits, its calls. Room 1 works here, server.ts keeps them all.
// Enters: bytes from the socket. Leaves: calls to the service in order of arrival, answers as they come.
import { setMaxListeners } from 'node:events'
import type { Address, Env, Receiver, Socket } from '@minikafka/platform'
import type { Apis } from '../apis/index.ts'
import { decodeRequest, encodeError, encodeResponse, type RefusedFrame } from '../codec/index.ts'
import type { RequestOf } from '../define.ts'
import { isMinikafkaError, MinikafkaError } from '../errors.ts'
import { printableName } from './client-name.ts'
import { overdue, type Progress } from './deadlines.ts'
import { farewells, firstBytes } from './first-bytes.ts'
import type { FramePool } from './frame-pool.ts'
import { FrameReader } from './frame-reader.ts'
import { Holding } from './holding.ts'
import type { ServerLimits } from './limits.ts'
import type { MemoryQueue, Reader } from './memory-queue.ts'
import { Outbox } from './outbox.ts'
import { ReadingGate } from './reading-gate.ts'
import { ServedCall, serve, unsendable } from './served-call.ts'
import type {
  CallOutcome,
  MemoryAccount,
  RefusalReason,
  ServerConnection,
  Service,
  Traffic,
} from './service.ts'
import type { Turns } from './turns.ts'

/** Requests for APIs that do not exist, after which a connection is closed (SECURITY, row 12). */
const UNKNOWN_APIS_MAX = 10

/** What is served of one connection before others have their turn. A request of many bytes is work for many. */
const SLICE_REQUESTS = 16
const LARGE_BYTES = 256 * 2 ** 10
/** Who goes on above its share of memory keeps others waiting: it sends at least so fast. */
const FAVOURED_MS = 2_000
const FAVOURED_BYTES_PER_MS = 4_000

/** What all connections of a server have in common. */
export type Surroundings = {
  readonly env: Env
  readonly limits: ServerLimits
  readonly memory: MemoryAccount
  readonly frames: FramePool | undefined
  readonly traffic: Traffic
  readonly queue: MemoryQueue
  readonly turns: Turns
  readonly service: Service
  /** Called once, when the connection is gone. */
  readonly left: (connection: PeerConnection) => void
  /** Called where a deadline may begin: the server looks soon. */
  readonly stir: () => void
  /** Called when the favoured connection has had its request answered. */
  readonly favourNext: () => void
}

/**
 * `begin`: who is calling? `first`: ApiVersions is due. `open`: served. `finishing`: what is in flight is answered,
 * nothing more is read. `ended`: FIN is sent. `closed`: gone.
 */
type Phase = 'begin' | 'first' | 'open' | 'finishing' | 'ended' | 'closed'

export class PeerConnection implements ServerConnection, Receiver, Reader {
  readonly id: number
  clientName = ''
  clientVersion = ''
  clientId = ''
  readonly #common: Surroundings
  readonly #socket: Socket
  readonly #reader: FrameReader
  readonly #outbox: Outbox
  /** The connection's part of the memory budget: frames, answers, and what its calls take. */
  readonly memory: Holding
  readonly #gate: ReadingGate
  #phase: Phase = 'begin'
  #aborter: AbortController | undefined

  /** Invariant: 0 <= inFlight <= requestsInFlightMax. */
  #inFlight = 0
  #unknownApis = 0
  #peerEnded = false

  /** Monotonic: when bytes came; when the frame that is arriving began; when bytes came, or answers went. */
  #heardMs: number
  #frameBeganMs: number
  #activeMs: number

  constructor(common: Surroundings, socket: Socket, id: number) {
    const { env, limits, memory, frames } = common
    this.#common = common
    this.#socket = socket
    this.id = id
    this.memory = new Holding(memory, () => common.queue.released())
    this.#reader = new FrameReader(limits.firstFrameBytesMax, this.memory, frames)
    const uses = { memory: this.memory, traffic: common.traffic }
    this.#outbox = new Outbox(env.clock, socket, uses, () => this.#sent())
    this.#gate = new ReadingGate(env.clock, socket, common.queue, this)
    this.#heardMs = env.clock.monotonicMs()
    this.#frameBeganMs = this.#heardMs
    this.#activeMs = this.#heardMs
  }

  get remote(): Address {
    return this.#socket.remote
  }

  get signal(): AbortSignal {
    if (this.#aborter === undefined) {
      this.#aborter = new AbortController()
      // As many requests as may be in flight listen: that is no leak.
      setMaxListeners(0, this.#aborter.signal)
    }
    if (this.#phase === 'closed') this.#aborter.abort()
    return this.#aborter.signal
  }

  close(): void {
    this.#finish()
  }

  /** At once; answers are lost. */
  destroy(): void {
    this.#phase = 'ended'
    this.#socket.destroy()
  }

  // --- bytes in --------------------------------------------------------------------------------

  target(): Uint8Array {
    return this.#reader.target()
  }

  received(size: number): void {
    const isNew = this.#phase === 'open' && this.#reader.partialSize === 0
    this.#common.traffic.receivedBytes += size
    this.#reader.received(size)
    if (!this.#isServed()) return
    this.#heardMs = this.#nowMs()
    this.#activeMs = this.#heardMs
    this.#common.stir()
    if (isNew) this.#frameBeganMs = this.#heardMs
    // What is at hand already waits for its turn, and this behind it.
    if (this.#common.turns.has(this.#pump)) this.adjustReading()
    else this.#pump()
  }

  ended(): void {
    this.#peerEnded = true
    if (this.#isServed()) this.#pump()
  }

  closed(): void {
    this.#phase = 'closed'
    this.#reader.close()
    this.#gate.close()
    this.#common.turns.leave(this.#pump)
    this.#aborter?.abort()
    this.#common.left(this)
  }

  #isServed(): boolean {
    return this.#phase === 'begin' || this.#phase === 'first' || this.#phase === 'open'
  }

  /** Serves what has arrived, one slice of it: other connections keep their latency (SECURITY, row 69). */
  readonly #pump = (): void => {
    if (!this.#isServed()) return
    if (this.#phase === 'begin') this.#begin()
    let taken = 0
    let wasLarge = false
    while (taken < SLICE_REQUESTS && !wasLarge && this.#mayServe()) {
      const frame = this.#nextFrame()
      if (frame === undefined) break
      taken++
      wasLarge = frame.length >= LARGE_BYTES
      this.#serve(frame)
      if (this.#common.env.random.buggify('rpc-served-later', 0.1)) break
    }
    if (taken > 0) this.#frameBeganMs = this.#heardMs
    const isMore = this.#isServed() && this.#reader.hasNext
    // The next large one may arrive in the same turn of the loop: it waits for the next one.
    if ((isMore || wasLarge) && this.#mayServe()) this.#pumpSoon()
    if (!isMore && this.#peerEnded) this.#finish()
    this.adjustReading()
  }

  #mayServe(): boolean {
    const { limits } = this.#common
    return (
      (this.#phase === 'first' || this.#phase === 'open') &&
      this.#inFlight < limits.requestsInFlightMax &&
      this.#outbox.unsentBytes < limits.unsentBytesMax &&
      (!this.isGreedy || this.#isAtRest)
    )
  }

  /** Nothing is in hand that will be given back. */
  get #isAtRest(): boolean {
    return this.#inFlight === 0 && this.#outbox.unsentBytes === 0
  }

  #pumpSoon(): void {
    this.#common.turns.enter(this.#pump)
  }

  #nextFrame(): Buffer | undefined {
    try {
      return this.#reader.next()
    } catch (error) {
      if (!isMinikafkaError(error)) throw error
      this.#refuse('malformed', error)
      return undefined
    }
  }

  // --- how it begins ---------------------------------------------------------------------------

  #begin(): void {
    const kind = firstBytes(this.#reader.pending())
    if (kind === 'minikafka') this.#phase = 'first'
    else if (kind !== 'undecided') {
      const { detail, answer } = farewells[kind]
      this.#sendAway(kind, detail, answer)
    }
  }

  #sendAway(reason: RefusalReason, detail: string, answer: readonly Uint8Array[]): void {
    this.#common.service.refused?.(this, reason, detail)
    if (answer.length > 0) this.#outbox.send(answer)
    this.#finish()
  }

  /** Answers, then closes: the stream may be out of step. */
  #refuse(reason: RefusalReason, error: MinikafkaError, correlationId = -1): void {
    this.#sendAway(reason, error.message, encodeError(correlationId, error))
  }

  // --- calls -----------------------------------------------------------------------------------

  #serve(frame: Buffer): void {
    const decoded = decodeRequest(frame, this.#common.limits.bodyDepthMax)
    if (decoded.kind === 'request' && decoded.api !== 'apiVersions' && this.#phase === 'open') {
      this.#call(new ServedCall(this, this.#common.frames, frame, this.#heardMs, decoded))
      return
    }
    this.memory.release(frame.length)
    this.#passFavourOn()
    if (decoded.kind === 'refused') this.#answerRefused(decoded)
    else if (decoded.api === 'apiVersions') this.#greet(decoded)
    else {
      const message = 'The first request of a connection is ApiVersions.'
      const error = new MinikafkaError('INVALID_REQUEST', { message })
      this.#refuse('malformed', error, decoded.correlationId)
    }
  }

  #greet(frame: {
    readonly version: number
    readonly correlationId: number
    readonly request: RequestOf<Apis['apiVersions']>
  }): void {
    const { request, version, correlationId } = frame
    this.clientName = printableName(request.clientName)
    this.clientVersion = printableName(request.clientVersion)
    this.clientId = printableName(request.clientId)
    this.#phase = 'open'
    this.#reader.frameBytesMax = this.#common.limits.frameBytesMax
    const hello = this.#common.service.hello(this)
    this.#outbox.send(encodeResponse('apiVersions', version, correlationId, hello))
  }

  #answerRefused({ reason, correlationId, error }: RefusedFrame): void {
    if (reason === 'unknown-api') this.#unknownApis++
    const stays =
      this.#phase === 'open' && reason !== 'malformed' && this.#unknownApis < UNKNOWN_APIS_MAX
    if (!stays) {
      this.#refuse('malformed', error, correlationId)
      return
    }
    this.#common.service.refused?.(this, 'request', error.message)
    this.#outbox.send(encodeError(correlationId, error))
  }

  #call(call: ServedCall): void {
    this.#inFlight++
    serve(this.#common.service, call).then(
      (outcome) => this.#settle(call, outcome),
      (error: unknown) => this.#settleFailed(call, error),
    )
  }

  #settle(call: ServedCall, outcome: CallOutcome): void {
    if (outcome !== undefined && 'hangUp' in outcome) this.#finish()
    else if (outcome !== undefined && this.#isAnswered()) {
      const { api, version, correlationId } = call
      try {
        const answer = encodeResponse(api, version, correlationId, outcome as never)
        this.#outbox.send(answer, call.returning())
      } catch (error) {
        this.#settleFailed(call, unsendable(error))
        return
      }
    }
    this.#release(call, outcome, undefined)
  }

  #settleFailed(call: ServedCall, error: unknown): void {
    this.#answerFailed(call, error)
    this.#release(call, undefined, error)
  }

  #answerFailed(call: ServedCall, error: unknown): void {
    const isExpected = isMinikafkaError(error)
    const answer = isExpected ? error : new MinikafkaError('UNKNOWN_SERVER_ERROR')
    if (!isExpected) this.#common.service.unexpected(error, call.forService)
    if (this.#isAnswered()) this.#outbox.send(encodeError(call.correlationId, answer))
    if (!isExpected) this.#finish()
  }

  #isAnswered(): boolean {
    return this.#phase !== 'closed' && this.#phase !== 'ended'
  }

  #release(call: ServedCall, outcome: CallOutcome, failure: unknown): void {
    this.#inFlight--
    this.#activeMs = this.#nowMs()
    const durationMs = this.#activeMs - call.receivedAtMs
    this.#common.service.served?.(call.forService, outcome, failure, durationMs)
    this.#common.stir()
    call.over()
    if (this.#phase === 'finishing' && this.#inFlight === 0) this.#end()
    this.#passFavourOn()
    this.#goOn()
  }

  /** Its large frame has been dealt with, by an answer or a refusal. */
  #passFavourOn(): void {
    if (!this.isFavoured) return
    this.#gate.favour(false)
    this.#common.favourNext()
  }

  /** After an answer: what waited for it may be served, in a later turn, and the socket be read. */
  #goOn(): void {
    if (!this.#isServed()) return
    if (this.#reader.hasNext || this.#peerEnded) this.#pumpSoon()
    else this.adjustReading()
  }

  #sent(): void {
    this.#activeMs = this.#nowMs()
    this.#goOn()
  }

  // --- the end ---------------------------------------------------------------------------------

  /** Takes no more requests; what is in flight is answered, then FIN. What still comes is read and forgotten. */
  #finish(): void {
    if (!this.#isServed()) return
    this.#phase = 'finishing'
    this.#reader.discard()
    this.adjustReading()
    if (this.#inFlight === 0) this.#end()
  }

  #end(): void {
    this.#phase = 'ended'
    this.#activeMs = this.#nowMs()
    this.#common.stir()
    this.#socket.end()
  }

  // --- limits ----------------------------------------------------------------------------------

  get isGreedy(): boolean {
    return this.memory.room === 0
  }

  get isStarved(): boolean {
    return this.#gate.isWaiting && this.#isAtRest && this.#reader.partialSize > 0
  }

  get isFavoured(): boolean {
    return this.#gate.favouredAtMs !== undefined
  }

  /** May go on above its share until one request of it is answered: else frames cut off could wait for each other. */
  favour(): void {
    this.#gate.favour(true)
    this.adjustReading()
  }

  adjustReading(): void {
    const pausedMs = this.#gate.adjust(this.#wish())
    // What we did not read, the peer could not send: its deadline moves.
    this.#frameBeganMs += pausedMs
  }

  #wish(): 'free' | 'busy' | 'ready' {
    if (!this.#isServed()) return 'free'
    if (this.#phase !== 'begin' && (this.#reader.hasNext || !this.#mayServe())) return 'busy'
    // Completing it charges nothing more, and then it can be served and give its memory back.
    return this.#reader.hasMemoryForFrame ? 'free' : 'ready'
  }

  /**
   * Monotonic: while nothing happens here, it has no deadline before then. Not at rest, it may have one at any time.
   * What ends the rest stirs the server: bytes, an answer, the end.
   */
  get atRestUntilMs(): number {
    const isResting =
      this.#phase === 'open' &&
      this.#outbox.unsentBytes === 0 &&
      this.#reader.partialSize === 0 &&
      !this.#gate.isPaused &&
      !this.isFavoured
    if (!isResting) return 0
    if (this.#inFlight > 0) return Number.POSITIVE_INFINITY
    return this.#activeMs + this.#common.limits.idleMs + 1
  }

  /** Called a few times within the shortest deadline, for all connections in one go. */
  checkDeadlines(nowMs: number): void {
    const { limits, service } = this.#common
    const due = this.#keepsOthersWaiting(nowMs) ?? overdue(this.#progress(), limits, nowMs)
    if (due === 'idle') this.#finish()
    else if (due === 'lingering') this.destroy()
    else if (due !== undefined) {
      service.refused?.(this, 'limits', due.failure)
      this.destroy()
    }
  }

  #keepsOthersWaiting(nowMs: number): { readonly failure: string } | undefined {
    const { favouredAtMs } = this.#gate
    const { partialSize } = this.#reader
    if (favouredAtMs === undefined || partialSize === 0) return undefined
    const isLate = nowMs - favouredAtMs > FAVOURED_MS + partialSize / FAVOURED_BYTES_PER_MS
    return isLate ? { failure: 'sent a large frame too slowly while memory was short' } : undefined
  }

  #progress(): Progress {
    return {
      stage: STAGES[this.#phase],
      unsentSinceMs: this.#outbox.unsentBytes > 0 ? this.#outbox.progressMs : undefined,
      unsentBytes: this.#outbox.unsentBytes,
      partialSize: this.#isServed() ? this.#reader.partialSize : 0,
      frameBeganMs: this.#frameBeganMs,
      activeMs: this.#activeMs,
      inFlight: this.#inFlight,
      isPaused: this.#gate.isPaused,
    }
  }

  #nowMs(): number {
    return this.#common.env.clock.monotonicMs()
  }
}

const STAGES = {
  begin: 'waiting',
  first: 'waiting',
  open: 'open',
  finishing: 'ending',
  ended: 'ended',
  closed: 'ended',
} as const
