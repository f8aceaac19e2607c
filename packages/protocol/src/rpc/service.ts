// What stands behind a server: who answers requests, and whose memory is charged.
// Enters: a call that passed the codec. Leaves: its response, a MinikafkaError, or nothing (acks 0), perhaps the end.
import type { Address } from '@minikafka/platform'
import type { ApiName, Apis } from '../apis/index.ts'
import type { RequestOf, ResponseOf } from '../define.ts'
import type { MinikafkaError } from '../errors.ts'

/** The budget of all buffers (ARCHITECTURE "Memory"). Charged by frames and unsent answers. */
export type MemoryAccount = {
  charge(bytes: number): void
  release(bytes: number): void
  /** Above the budget: sockets are not read. */
  readonly full: boolean
  /** Bytes left of the budget; 0 when it is full. */
  readonly free: number
  /** Calls back each time that the budget has room again; returns the function that stops it. */
  onRoom(listener: () => void): () => void
}

export type CallMemory = Pick<MemoryAccount, 'charge' | 'release'> & {
  /** How much more its connection should take: a share of what is free, less what it holds. */
  readonly room: number
}

/** Of all connections of a server, also those that are gone. */
export type Traffic = { receivedBytes: number; sentBytes: number }

export type ServerConnection = {
  /** Unique within its server. */
  readonly id: number
  readonly remote: Address
  /** What ApiVersions said: at most 255 characters, control characters escaped; empty before it. */
  readonly clientName: string
  readonly clientVersion: string
  readonly clientId: string
  /** Finishes what is in flight, answers, closes. */
  close(): void
}

type CallOf<A extends ApiName> = {
  readonly api: A
  readonly version: number
  readonly correlationId: number
  readonly request: RequestOf<Apis[A]>
  /** Charged until the answer; who keeps a blob longer is charged for it by itself. */
  readonly frameBytes: number
  /** Monotonic; when the frame was whole. */
  readonly receivedAtMs: number
  readonly connection: ServerConnection
  /**
   * What the call takes besides its frame. It counts for its connection: who holds much is not served on. What is left of
   * it when the call is over is given back then: the answer is charged by itself.
   */
  readonly memory: CallMemory
  /** Aborts when the connection dies. Made when first asked for. */
  readonly signal: AbortSignal
  /**
   * For a service that does not use the request's blobs any more, but where it holds their memory in the pool: called once,
   * it lets the next frame have that memory. Without it they stay what they are for as long as anybody looks.
   */
  done?(): void
  /** For memory from the pool that the answer's blobs lie in: held until the answer has left, or never will. */
  lend?(memory: ArrayBufferLike): void
  /** What was lent is not answered after all. */
  takeBack?(): void
}

/** A tagged union over `api`: a `switch` on it knows the request. ApiVersions never gets here, see `hello`. */
export type ServerCall<A extends ApiName = ApiName> = { [K in A]: CallOf<K> }[A]

export type AnyResponse = { [K in ApiName]: ResponseOf<Apis[K]> }[ApiName]

/** A call that is not answered failed (acks 0): the connection closes, the only sign its caller can get. */
export type HangUp = { readonly hangUp: MinikafkaError }

/** What became of a call; undefined = nothing is answered (acks 0). */
export type CallOutcome = AnyResponse | HangUp | undefined

/** Why a peer was sent away, or its `request` was and it may stay: for the log and the counters. */
export type RefusalReason = 'http' | 'tls' | 'kafka' | 'noise' | 'malformed' | 'limits' | 'request'

export type Service = {
  /**
   * Answers one call. Called synchronously, in the order of arrival on the connection; answers may overtake.
   *
   * Shape   resolves with the response; undefined = nothing is answered; HangUp = neither, and the connection takes
   *         no more requests, answers what is in flight, and ends.
   * Errors  a MinikafkaError becomes an error frame; anything else UNKNOWN_SERVER_ERROR, `unexpected` is told
   *         and the connection is closed.
   */
  serve(call: ServerCall): Promise<CallOutcome>
  /**
   * A call is over: its answer is on its way, as far as there is one. Called synchronously, once for each call. `failure`:
   * what it was refused with, undefined where there is an outcome. From the whole frame until now it took `durationMs`.
   */
  served?(call: ServerCall, outcome: CallOutcome, failure: unknown, durationMs: number): void
  /** The answer to ApiVersions. */
  hello(connection: ServerConnection): ResponseOf<Apis['apiVersions']>
  /** A peer was refused or cut off, or a request of it. Not rate-limited here. `detail` is a constant sentence, or names a field. */
  refused?(connection: { readonly remote: Address }, reason: RefusalReason, detail: string): void
  unexpected(error: unknown, call: ServerCall): void
}
