// What producers, consumers and admins of one client share: settings, metadata, connections, events, one way to ask.
// Enters: API calls and whom to ask. Leaves: answers, or errors that say what to do.
import { type Env, type Logger, withDeadline } from '@minikafka/platform'
import {
  type ApiName,
  type Apis,
  type Connection,
  type CallOptions as ConnectionCallOptions,
  MinikafkaError,
  type RequestOf,
  type ResponseOf,
} from '@minikafka/protocol'
import type { Closable, Wait } from '../words.ts'
import { backoffMs } from './backoff.ts'
import { traceRequest, tracesRequests } from './channels.ts'
import type { ClientSettings } from './client-options.ts'
import { Connections, type Lane, type Target } from './connections.ts'
import { Coordinators } from './coordinators.ts'
import { Events } from './emitter.ts'
import { Metadata } from './metadata.ts'

export type ClientEvents = {
  connect: { broker: string }
  disconnect: { broker: string; error?: Error }
  throttle: { broker: string; throttleMs: number }
  error: MinikafkaError
}

export type CallOptions = Wait & {
  /** A broker id; `any`: one that answers; `controller`: the controller as last heard. */
  readonly to: Target
  /** One connection per (broker, lane). Default `control`. */
  readonly lane?: Lane | undefined
  /** The request's buffers are no longer lent: the kernel has them, or (with an error) they never left. */
  readonly written?: ((error?: Error) => void) | undefined
}

/** A producer or consumer: closed with its client, in this order: consumers, producers, connections. */
export type Part = Pick<Closable, 'close'> & {
  stats(): Record<string, number>
  /** Ends at once: the client closes, and this part is still open. Absent where `close` always ends in time. */
  stop?(): void
}
export type PartKind = 'consumer' | 'producer'

export class Core {
  readonly env: Env
  readonly settings: ClientSettings
  readonly logger: Logger
  readonly events: Events<ClientEvents>
  readonly metadata: Metadata
  readonly connections: Connections
  readonly coordinators: Coordinators
  readonly #closing = new AbortController()
  #lanes = 0
  readonly #parts: Record<PartKind, Set<Part>> = { consumer: new Set(), producer: new Set() }

  constructor(env: Env, settings: ClientSettings, logger: Logger) {
    this.env = env
    this.settings = settings
    this.logger = logger
    this.events = new Events<ClientEvents>(logger)
    this.connections = new Connections(this)
    this.coordinators = new Coordinators(this)
    this.metadata = new Metadata(this)
  }

  get closed(): boolean {
    return this.#closing.signal.aborted
  }

  /** Aborts when the client closes; its reason is CLOSED. */
  get signal(): AbortSignal {
    return this.#closing.signal
  }

  /**
   * Asks a broker, over a connection that is opened when first needed.
   *
   * Units   the whole call is bounded by `timeoutMs` (default `requestTimeoutMs`).
   * Errors  BROKER_UNREACHABLE: no connection, nothing left. Otherwise as Connection.call: REQUEST_TIMED_OUT and
   *         NETWORK_EXCEPTION with their `outcome`, `signal.reason`, or what the broker answered. CLOSED.
   */
  async call<A extends ApiName>(
    api: A,
    request: RequestOf<Apis[A]>,
    options: CallOptions,
  ): Promise<ResponseOf<Apis[A]>> {
    const { clock } = this.env
    const { timeoutMs = this.settings.requestTimeoutMs, signal } = options
    const startMs = clock.monotonicMs()
    const connecting = this.connect(options.to, options.lane, signal)
    const connection = await withDeadline(clock, connecting, { timeoutMs, signal }, () =>
      noConnection(timeoutMs),
    )
    const leftMs = Math.max(1, timeoutMs - (clock.monotonicMs() - startMs))
    return await this.ask(connection, api, request, {
      timeoutMs: leftMs,
      signal,
      written: options.written,
    })
  }

  /** `Connection.call`, and what it tells the channel `minikafka:request`. */
  ask<A extends ApiName>(
    connection: Connection,
    api: A,
    request: RequestOf<Apis[A]>,
    options: ConnectionCallOptions,
  ): Promise<ResponseOf<Apis[A]>> {
    const answer = connection.call(api, request, options)
    // As if the network broke just then: nobody knows what became of the request.
    if (this.env.random.buggify('client-hangs-up', 0.002)) connection.close()
    return tracesRequests() ? traceRequest(answer, api, connection) : answer
  }

  /** The connection of a lane, opened where it is not. Bounded by `connectTimeoutMs` per address tried. */
  async connect(
    to: Target,
    lane: Lane = 'control',
    signal?: AbortSignal | undefined,
  ): Promise<Connection> {
    this.throwIfClosed()
    return await this.connections.connect(to, lane, signal)
  }

  /** Delay before the next attempt after `failures` of them, from 1. */
  backoffMs(failures: number): number {
    return backoffMs(this.settings.retry, this.env.random, failures)
  }

  /** Tells the listeners of `error`; without one it is logged. */
  report(error: MinikafkaError): void {
    if (!this.events.emit('error', error)) this.logger.error({ err: error }, 'client error')
  }

  throwIfClosed(): void {
    if (this.closed) throw this.#closing.signal.reason
  }

  /** Makes the client close `part` with itself and count it; returns what the part calls once it is closed. */
  enroll(kind: PartKind, part: Part): () => void {
    this.throwIfClosed()
    this.#parts[kind].add(part)
    return () => this.#parts[kind].delete(part)
  }

  parts(kind: PartKind): readonly Part[] {
    return [...this.#parts[kind]]
  }

  /** A lane of its own for one consumer: its long polls hold up nobody else. */
  fetchLane(): Lane {
    return `fetch:${this.#lanes++}`
  }

  /** A lane of its own for the heartbeats of one consumer: they wait for nobody, and are cut without harm to others. */
  groupLane(): Lane {
    return `group:${this.#lanes++}`
  }

  /** Closes the connections of one lane, on all brokers: its owner is done. */
  closeLane(lane: Lane): void {
    this.connections.closeLane(lane)
  }

  close(): void {
    if (this.closed) return
    this.#closing.abort(new MinikafkaError('CLOSED', { message: 'the client is closed' }))
    for (const part of [...this.parts('consumer'), ...this.parts('producer')]) part.stop?.()
    this.metadata.close()
    this.connections.close()
  }
}

function noConnection(timeoutMs: number): MinikafkaError {
  const message = `no connection to a broker within ${timeoutMs} ms`
  return new MinikafkaError('BROKER_UNREACHABLE', { message, outcome: 'not-written' })
}
