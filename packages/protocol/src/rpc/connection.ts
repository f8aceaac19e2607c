// The client's end of a connection: typed calls over a socket, pipelined. Enters: requests. Leaves: responses, or errors.
import type { Address, Env, Receiver, Socket, Timer } from '@minikafka/platform'
import type { ApiName, Apis } from '../apis/index.ts'
import {
  decodeError,
  decodeResponse,
  encodeRequest,
  frameSize,
  LENGTH_SIZE,
  responseCorrelationId,
} from '../codec/index.ts'
import type { RequestOf, ResponseOf } from '../define.ts'
import { isMinikafkaError, MinikafkaError } from '../errors.ts'
import { Calls } from './calls.ts'
import { dial, unreachable } from './dial.ts'
import { firstAnswer } from './first-bytes.ts'
import { FrameReader } from './frame-reader.ts'
import { SpokenVersions } from './spoken-versions.ts'

/** Above any answer of a broker, far below what the first bytes of TLS or HTTP would announce as a length. */
const FRAME_BYTES_MAX = 64 * 2 ** 20
/** Correlation id of an error that belongs to the connection, not to a request. */
const NO_REQUEST = -1
const CORRELATION_ID_MAX = 2 ** 31 - 1

export type ConnectionOptions = {
  readonly host: string
  readonly port: number
  readonly clientName: string
  readonly clientVersion: string
  readonly clientId: string
  /** For the connect and ApiVersions together. */
  readonly timeoutMs: number
  /** Largest frame read; default 64 MiB. */
  readonly frameBytesMax?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export type CallOptions = {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** Called at once with what gives the call up as the signal does: for those who cannot afford a signal for each. */
  readonly canAbandon?: ((abandon: (reason: unknown) => void) => void) | undefined
  /** Called exactly once: the request's blobs are no longer lent. With an error where it was not sent whole. */
  readonly written?: ((error?: Error) => void) | undefined
}

export class Connection {
  /** As it was dialled. */
  readonly address: Address
  readonly #env: Env
  readonly #socket: Socket
  readonly #reader: FrameReader
  readonly #calls = new Calls()
  readonly #closeListeners = new Set<(error?: MinikafkaError) => void>()
  #hello: ResponseOf<Apis['apiVersions']> | undefined
  #versions = new SpokenVersions([])
  #nextId = 0
  #isOpen = true
  #bytesIn = 0
  #bytesOut = 0
  #roundTripMs = 0
  #timer: { readonly timer: Timer; readonly atMs: number } | undefined

  private constructor(env: Env, socket: Socket, options: ConnectionOptions) {
    this.#env = env
    this.#socket = socket
    this.address = { host: options.host, port: options.port }
    // A client holds what it asked for: nothing is charged.
    const unaccounted = { charge() {}, release() {}, room: Number.POSITIVE_INFINITY }
    this.#reader = new FrameReader(options.frameBytesMax ?? FRAME_BYTES_MAX, unaccounted)
  }

  /**
   * Connects and exchanges ApiVersions.
   *
   * Errors  BROKER_UNREACHABLE; PROTOCOL_VIOLATION where something else listens there ("this port speaks TLS");
   *         `signal.reason`.
   */
  static async open(env: Env, options: ConnectionOptions): Promise<Connection> {
    const deadlineMs = env.clock.monotonicMs() + options.timeoutMs
    const socket = await dial(env, options)
    const connection = new Connection(env, socket, options)
    socket.receive(connection.#receiver())
    try {
      await connection.#greet(options, deadlineMs - env.clock.monotonicMs())
      return connection
    } catch (error) {
      connection.close()
      if (!isMinikafkaError(error)) throw error
      const isSilent = error.name === 'NETWORK_EXCEPTION' || error.name === 'REQUEST_TIMED_OUT'
      if (!isSilent) throw error
      throw unreachable(
        options,
        'connected, but it did not answer as a minikafka broker does',
        error,
      )
    }
  }

  /** What the broker said of itself when the connection was opened. */
  get hello(): ResponseOf<Apis['apiVersions']> {
    return this.#hello as ResponseOf<Apis['apiVersions']>
  }

  get open(): boolean {
    return this.#isOpen
  }

  get bytesIn(): number {
    return this.#bytesIn
  }

  get bytesOut(): number {
    return this.#bytesOut
  }

  /** Of the last answer; 0 before there was one. */
  get roundTripMs(): number {
    return this.#roundTripMs
  }

  /** Requests without an answer yet; those whose caller gave up count, too. */
  get inFlight(): number {
    return this.#calls.count
  }

  /**
   * Sends a request and waits for its answer. Requests leave in the order of the calls.
   *
   * Shape   blobs of the request are lent until `written`; blobs of the response are views that keep their frame.
   * Errors  what the broker refused with; REQUEST_TIMED_OUT, which closes the connection; NETWORK_EXCEPTION;
   *         `signal.reason`: the answer is dropped when it comes. Before anything is sent, with the outcome
   *         'not-written': NETWORK_EXCEPTION, UNSUPPORTED_VERSION, INVALID_REQUEST, FRAME_TOO_LARGE.
   */
  call<A extends ApiName>(
    api: A,
    request: RequestOf<Apis[A]>,
    options: CallOptions,
  ): Promise<ResponseOf<Apis[A]>> {
    const { signal, written } = options
    try {
      signal?.throwIfAborted()
      const version = this.#versions.of(api)
      return this.#exchange(api, version, request, options)
    } catch (error) {
      written?.(error as Error)
      return Promise.reject(error)
    }
  }

  /**
   * Sends a request that is not answered (Produce with acks 0).
   *
   * Errors  as `call`, thrown before anything is sent; then `written` is not called. With an error in `written` the
   *         request may have arrived all the same.
   */
  post<A extends ApiName>(
    api: A,
    request: RequestOf<Apis[A]>,
    written?: (error?: Error) => void,
  ): void {
    const { list } = this.#encode(api, this.#versions.of(api), request)
    this.#socket.send(list, written)
  }

  /** Calls back once when the connection is gone: without an error where `close` or the broker ended it in peace. */
  onClose(listener: (error?: MinikafkaError) => void): () => void {
    this.#closeListeners.add(listener)
    return () => this.#closeListeners.delete(listener)
  }

  /** Closes at once; calls in flight fail with NETWORK_EXCEPTION. */
  close(): void {
    this.#end(undefined)
  }

  // --- out -------------------------------------------------------------------------------------

  async #greet(options: ConnectionOptions, timeoutMs: number): Promise<void> {
    const { clientName, clientVersion, clientId, signal } = options
    const request = { clientName, clientVersion, clientId }
    this.#hello = await this.#exchange('apiVersions', 0, request, { timeoutMs, signal })
    this.#versions = new SpokenVersions(this.#hello.apis)
  }

  #exchange<A extends ApiName>(
    api: A,
    version: number,
    request: RequestOf<Apis[A]>,
    { timeoutMs, signal, canAbandon, written }: CallOptions,
  ): Promise<ResponseOf<Apis[A]>> {
    const { id, list } = this.#encode(api, version, request)
    const sentMs = this.#env.clock.monotonicMs()
    const deadlineMs = sentMs + timeoutMs
    const answer = this.#calls.add(id, { api, version, sentMs, deadlineMs }, signal, canAbandon)
    this.#socket.send(list, written)
    this.#checkAt(deadlineMs)
    return answer as Promise<ResponseOf<Apis[A]>>
  }

  /** Errors: NETWORK_EXCEPTION, INVALID_REQUEST, FRAME_TOO_LARGE; nothing has left. */
  #encode<A extends ApiName>(api: A, version: number, request: RequestOf<Apis[A]>) {
    if (!this.#isOpen) throw this.#lost('The connection is closed.', 'not-written')
    const id = this.#nextId
    this.#nextId = id === CORRELATION_ID_MAX ? 0 : id + 1
    const list = encodeRequest(api, version, id, request)
    const size = frameSize(list)
    const max = this.#hello?.frameBytesMax
    if (max !== undefined && size - LENGTH_SIZE > max) {
      throw new MinikafkaError('FRAME_TOO_LARGE', { details: { max }, outcome: 'not-written' })
    }
    this.#bytesOut += size
    return { id, list }
  }

  // --- in --------------------------------------------------------------------------------------

  #receiver(): Receiver {
    return {
      target: () => this.#reader.target(),
      received: (size) => this.#received(size),
      ended: () => this.#end(this.#lostInFlight('The broker closed the connection.')),
      closed: (cause) => this.#closed(cause),
    }
  }

  #received(size: number): void {
    this.#reader.received(size)
    this.#bytesIn += size
    if (!this.#isOpen) return
    try {
      let frame = this.#reader.next()
      while (frame !== undefined && this.#isOpen) {
        this.#answered(frame)
        frame = this.#reader.next()
      }
    } catch (error) {
      if (!isMinikafkaError(error)) throw error
      this.#end(this.#violation(error))
    }
  }

  #answered(frame: Uint8Array): void {
    const id = responseCorrelationId(frame)
    const call = this.#calls.get(id)
    if (call === undefined) this.#end(unasked(id, frame))
    else {
      this.#roundTripMs = this.#env.clock.monotonicMs() - call.sentMs
      const answer = call.isDropped ? undefined : decodeResponse(call.api, call.version, frame)
      this.#calls.settle(id, answer)
    }
  }

  #violation(error: MinikafkaError): MinikafkaError {
    const speaks = this.#hello === undefined ? firstAnswer(this.#reader.pending()) : undefined
    const where = `${this.address.host}:${this.address.port}`
    const message =
      speaks === undefined ? error.message : `${where}: this port speaks ${speaks.toUpperCase()}.`
    return new MinikafkaError(
      'PROTOCOL_VIOLATION',
      { message, broker: where, path: error.path },
      { cause: error },
    )
  }

  // --- the end ---------------------------------------------------------------------------------

  #closed(cause: Error | undefined): void {
    const message = 'The connection to the broker was lost.'
    const error =
      cause === undefined ? this.#lostInFlight(message) : this.#lost(message, 'unknown', cause)
    this.#end(error)
    this.#reader.close()
  }

  /** Losing a connection matters to those who wait for an answer. */
  #lostInFlight(message: string): MinikafkaError | undefined {
    return this.#calls.count === 0 ? undefined : this.#lost(message, 'unknown')
  }

  #lost(message: string, outcome: 'not-written' | 'unknown', cause?: unknown): MinikafkaError {
    const broker = `${this.address.host}:${this.address.port}`
    return new MinikafkaError('NETWORK_EXCEPTION', { message, outcome, broker }, { cause })
  }

  /** `error` is what the calls in flight fail with. */
  #end(error: MinikafkaError | undefined): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#timer?.timer.cancel()
    this.#socket.destroy()
    this.#calls.failAll(error ?? this.#lost('The connection was closed.', 'unknown'))
    for (const listener of [...this.#closeListeners]) listener(error)
    this.#closeListeners.clear()
  }

  // --- deadlines: one timer, for the call that is due first --------------------------------------

  #checkAt(deadlineMs: number): void {
    if (this.#timer !== undefined && this.#timer.atMs <= deadlineMs) return
    this.#timer?.timer.cancel()
    const delayMs = Math.max(0, deadlineMs - this.#env.clock.monotonicMs())
    const timer = this.#env.clock.timer(delayMs, () => this.#check())
    this.#timer = { timer, atMs: deadlineMs }
  }

  #check(): void {
    this.#timer = undefined
    const nowMs = this.#env.clock.monotonicMs()
    const late = this.#calls.overdue(nowMs)
    const nextMs = this.#calls.earliestDeadlineMs()
    if (late.length > 0) this.#timedOut(late)
    else if (nextMs !== undefined) this.#checkAt(nextMs)
  }

  /** A late answer must not meet a later question: it dies with its connection (CLIENT 5). */
  #timedOut(late: readonly number[]): void {
    const broker = `${this.address.host}:${this.address.port}`
    const error = new MinikafkaError('REQUEST_TIMED_OUT', { broker, outcome: 'unknown' })
    for (const id of late) this.#calls.settle(id, { error })
    this.#end(this.#lost('Another request of this connection timed out.', 'unknown', error))
  }
}

/** An error of the connection itself, or the answer to a request that was never sent. */
function unasked(id: number, frame: Uint8Array): MinikafkaError {
  const error = id === NO_REQUEST ? decodeError(frame) : undefined
  const message = `The broker answered a request that was not sent: correlation id ${id}.`
  return error ?? new MinikafkaError('PROTOCOL_VIOLATION', { message })
}
