// The connections of a client: one per (broker, lane), opened when first asked for, shared while open.
// Enters: a broker id, or any. Leaves: an open connection, or an error that says what was tried and what to do.
import type { Address } from '@minikafka/platform'
import { Connection, isMinikafkaError, MinikafkaError } from '@minikafka/protocol'
import { traceConnect } from './channels.ts'
import type { Core } from './core.ts'
import type { BrokerInfo } from './topic-info.ts'

/** A purpose with its own connection: what waits in one lane does not hold up another. */
export type Lane = 'control' | 'produce' | `fetch:${number}` | `group:${number}`

export type Target = number | 'any' | 'controller'

const CLIENT_NAME = '@minikafka/client'
const CLIENT_VERSION = '0.1.0'

type Link = {
  readonly lane: Lane
  readonly dialled: Address
  readonly opening: Promise<Connection>
  connection: Connection | undefined
  /** Aborts when nobody wants it any more, also while it is being dialled. */
  readonly closing: AbortController
}

export class Connections {
  readonly #core: Core
  /** By broker id and lane, or by address and lane before the id is known. */
  readonly #links = new Map<string, Link>()
  #closed = false

  constructor(core: Core) {
    this.#core = core
  }

  /** Aborting `signal` ends the waits before something is dialled; what is dialled is shared, and goes on. */
  async connect(to: Target, lane: Lane, signal?: AbortSignal | undefined): Promise<Connection> {
    if (to === 'any') return await this.#connectAny(lane)
    const { metadata } = this.#core
    const nodeId = to === 'controller' ? metadata.controllerId : to
    if (to === 'controller' && nodeId < 0) return await this.#connectAny(lane)
    const open = this.now(nodeId, lane)
    if (open !== undefined) return open
    let broker = metadata.broker(nodeId)
    if (broker === undefined) {
      await metadata.refresh(`broker ${nodeId} is not known`, [])
      signal?.throwIfAborted()
      broker = metadata.broker(nodeId)
    }
    if (broker === undefined) throw unreachable(`broker ${nodeId} is not among the live brokers`)
    return await this.#connectBroker(broker, lane)
  }

  /** The open connection of a lane, if there is one. */
  now(nodeId: number, lane: Lane): Connection | undefined {
    const connection = this.#links.get(`${nodeId}/${lane}`)?.connection
    return connection?.open ? connection : undefined
  }

  /** The address that was dialled for `connection`: what an empty host in Metadata means. */
  dialled(connection: Connection): Address {
    for (const link of this.#links.values()) {
      if (link.connection === connection) return link.dialled
    }
    return connection.address
  }

  stats(): Record<'inFlight' | 'roundTripMs' | 'bytesIn' | 'bytesOut', number>[] {
    const open = new Set<Connection>()
    for (const { connection } of this.#links.values()) if (connection?.open) open.add(connection)
    return [...open].map(({ inFlight, roundTripMs, bytesIn, bytesOut }) => ({
      inFlight,
      roundTripMs,
      bytesIn,
      bytesOut,
    }))
  }

  closeLane(lane: Lane): void {
    const reason = new MinikafkaError('CLOSED', { message: 'its owner closed this connection' })
    for (const link of [...this.#links.values()]) if (link.lane === lane) end(link, reason)
  }

  close(): void {
    this.#closed = true
    for (const link of [...this.#links.values()]) end(link, this.#core.signal.reason)
    this.#links.clear()
  }

  /** An open connection of the lane if there is one; else the first of all known addresses that answers. */
  async #connectAny(lane: Lane): Promise<Connection> {
    for (const link of this.#links.values()) {
      if (link.lane === lane && link.connection?.open) return link.connection
    }
    const causes: string[] = []
    let cause: MinikafkaError | undefined
    for (const candidate of this.#candidates()) {
      try {
        return await this.#open(`${candidate.host}:${candidate.port}/${lane}`, candidate, lane)
      } catch (error) {
        if (!isMinikafkaError(error) || error.name === 'CLOSED') throw error
        // A port that speaks something else is worth a word of its own, unless another one may be right.
        if (cause === undefined || error.name !== 'PROTOCOL_VIOLATION') cause = error
        causes.push(`${nameOf(candidate)} (${reasonOf(error)})`)
      }
    }
    if (cause?.name === 'PROTOCOL_VIOLATION') throw cause
    const message = `no broker can be reached; tried ${causes.join(', ')}. Is one running there?`
    throw unreachable(message, cause)
  }

  /** Seeds and known brokers, each address once, begun at a random one so that load spreads. */
  #candidates(): Address[] {
    const { settings, metadata, env } = this.#core
    const all = new Map<string, Address>()
    for (const { host, port } of [...settings.seeds, ...metadata.brokers()]) {
      all.set(`${host}:${port}`, { host, port })
    }
    const list = [...all.values()]
    const start = env.random.below(list.length)
    return [...list.slice(start), ...list.slice(0, start)]
  }

  async #connectBroker(broker: BrokerInfo, lane: Lane): Promise<Connection> {
    try {
      return await this.#open(`${broker.nodeId}/${lane}`, broker, lane, broker.nodeId)
    } catch (error) {
      if (!isMinikafkaError(error) || error.name !== 'BROKER_UNREACHABLE') throw error
      throw unreachable(this.#explain(broker, error), error)
    }
  }

  #explain(broker: BrokerInfo, error: MinikafkaError): string {
    const name = nameOf(broker)
    const dialled = this.#core.settings.seeds.some((seed) => nameOf(seed) === name)
    if (dialled)
      return `broker ${broker.nodeId} at ${name} is not reachable (${reasonOf(error)}); is it running?`
    return (
      `broker ${broker.nodeId} advertises ${name}, not reachable from here (${reasonOf(error)}); ` +
      'if it runs, set --advertised there'
    )
  }

  /** `nodeId`: who has to answer; undefined: anybody. */
  async #open(
    key: string,
    { host, port }: Address,
    lane: Lane,
    nodeId?: number,
  ): Promise<Connection> {
    const known = this.#links.get(key)
    if (known !== undefined) return await known.opening
    if (this.#closed) throw this.#core.signal.reason
    const link = this.#newLink({ host, port }, lane, nodeId)
    this.#links.set(key, link)
    try {
      const connection = await link.opening
      link.closing.signal.throwIfAborted()
      if (link.connection === undefined) this.#opened(key, link, connection)
      return connection
    } catch (error) {
      if (this.#links.get(key) === link) this.#links.delete(key)
      throw error
    }
  }

  #newLink(dialled: Address, lane: Lane, nodeId: number | undefined): Link {
    const closing = new AbortController()
    const opening = this.#dial(dialled, nodeId, closing.signal)
    return { lane, dialled, opening, connection: undefined, closing }
  }

  async #dial(
    { host, port }: Address,
    nodeId: number | undefined,
    signal: AbortSignal,
  ): Promise<Connection> {
    const { env, settings } = this.#core
    const options = {
      ...{ host, port, signal },
      ...{ clientName: CLIENT_NAME, clientVersion: CLIENT_VERSION, clientId: settings.clientId },
      timeoutMs: settings.connectTimeoutMs,
    }
    const connecting = traceConnect({ host, port }, () => Connection.open(env, options))
    const connection = await connecting.catch((error: unknown) => {
      throw signal.aborted ? signal.reason : error
    })
    const answered = connection.hello.nodeId
    if (nodeId === undefined || nodeId === answered) return connection
    connection.close()
    throw unreachable(`broker ${answered} answers there`)
  }

  /** A connection that was dialled by address serves its broker, too, unless that has one. */
  #opened(key: string, link: Link, connection: Connection): void {
    const ownKey = `${connection.hello.nodeId}/${link.lane}`
    const keys = this.#links.has(ownKey) ? [key] : [key, ownKey]
    link.connection = connection
    for (const each of keys) this.#links.set(each, link)
    const broker = nameOf(link.dialled)
    this.#core.events.emit('connect', { broker })
    connection.onClose((error) => {
      for (const each of keys) if (this.#links.get(each) === link) this.#links.delete(each)
      this.#core.events.emit('disconnect', error === undefined ? { broker } : { broker, error })
    })
  }
}

/** Nobody wants it any more: nothing connects afterwards, and what has connected meanwhile is closed. */
function end({ closing, connection, opening }: Link, reason: Error): void {
  closing.abort(reason)
  connection?.close()
  opening.then(
    (opened) => opened.close(),
    () => undefined,
  )
}

function nameOf({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** The system's word for it where there is one: `ECONNREFUSED`. */
function reasonOf(error: MinikafkaError): string {
  const { cause } = error
  // The system's word (ECONNREFUSED); our own codes are numbers, and mean nothing to a reader.
  const code = (cause as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : error.message
}

function unreachable(message: string, cause?: unknown): MinikafkaError {
  const options = cause === undefined ? {} : { cause }
  return new MinikafkaError('BROKER_UNREACHABLE', { message, outcome: 'not-written' }, options)
}
