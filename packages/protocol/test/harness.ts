// A server on a real loopback port, and peers that say whatever a test wants them to.
import * as net from 'node:net'
import { type Env, type Listener, nodeEnv } from '@minikafka/platform'
import { decodeError, encodeRequest, responseCorrelationId } from '../src/codec/index.ts'
import type { ResponseOf } from '../src/define.ts'
import type { MinikafkaError } from '../src/errors.ts'
import type { ApiName, Apis } from '../src/index.ts'
import {
  type AnyResponse,
  type CallOutcome,
  type FramePool,
  type MemoryAccount,
  RpcServer,
  SERVER_LIMITS,
  type ServerCall,
  type ServerLimits,
  type Service,
} from '../src/rpc/index.ts'

export const TOPIC_ID = '0b9c1a8e-5d5b-4a52-9a3e-1f2e3d4c5b6a'

export class Account implements MemoryAccount {
  readonly #bytesMax: number
  readonly #listeners = new Set<() => void>()
  bytes = 0
  peak = 0
  constructor(bytesMax = 256 * 2 ** 20) {
    this.#bytesMax = bytesMax
  }
  get full() {
    return this.bytes > this.#bytesMax
  }
  get free() {
    return Math.max(0, this.#bytesMax - this.bytes)
  }
  charge(bytes: number) {
    this.bytes += bytes
    this.peak = Math.max(this.peak, this.bytes)
  }
  release(bytes: number) {
    const wasFull = this.full
    this.bytes -= bytes
    if (wasFull && !this.full) for (const listener of [...this.#listeners]) listener()
  }
  onRoom(listener: () => void) {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

export const HELLO: ResponseOf<Apis['apiVersions']> = {
  brokerVersion: '1.2.3',
  clusterId: 'test',
  nodeId: 1,
  frameBytesMax: SERVER_LIMITS.frameBytesMax,
  requestsInFlightMax: SERVER_LIMITS.requestsInFlightMax,
  apis: [0, 1, 3, 18].map((apiKey) => ({ apiKey, minVersion: 0, maxVersion: 0 })),
}

/** Answers Produce with one result per append; whatever a test wants for the rest. */
export class TestService implements Service {
  readonly calls: ServerCall[] = []
  readonly refusals: string[] = []
  readonly unexpectedErrors: unknown[] = []
  hello: Service['hello'] = () => HELLO
  answer: (call: ServerCall) => Promise<CallOutcome> = async (call) => answerTo(call)

  serve(call: ServerCall) {
    this.calls.push(call)
    return this.answer(call)
  }
  refused(_: unknown, reason: string, detail: string) {
    this.refusals.push(`${reason}: ${detail}`)
  }
  unexpected(error: unknown) {
    this.unexpectedErrors.push(error)
  }
}

export function answerTo(call: ServerCall): AnyResponse {
  if (call.api === 'produce')
    return { results: call.request.appends.map(() => RESULT), timings: [] }
  if (call.api === 'metadata') return METADATA
  throw new Error(`the test has no answer to ${call.api}`)
}

const RESULT = {
  errorCode: 0,
  errorMessage: null,
  written: 1,
  baseOffset: 5,
  logAppendTimeMs: -1,
  logStartOffset: 0,
  leaderId: 1,
  leaderEpoch: 0,
}
/** A Fetch of nothing, and one result of it. */
export const FETCH = {
  replicaId: -1,
  brokerEpoch: -1,
  sessionId: 0,
  sessionEpoch: -1,
  isolation: 0,
  rack: '',
  maxWaitMs: 0,
  minBytes: 0,
  maxBytes: 1,
  partitions: [],
}
export const FETCHED = {
  errorCode: 0,
  errorMessage: null,
  topicId: '0b9c1a8e-5d5b-4a52-9a3e-1f2e3d4c5b6a',
  partition: 0,
  highWatermark: 0,
  lastStableOffset: 0,
  logStartOffset: 0,
  logEndOffset: 0,
  compactedBelow: 0,
  leaderId: 1,
  leaderEpoch: 1,
  diverging: null,
  aborted: [],
}
export const METADATA = { clusterId: 'test', controllerId: 1, brokers: [], topics: [] }

export type TestServer = {
  readonly env: Env
  readonly server: RpcServer
  readonly service: TestService
  readonly memory: Account
  readonly port: number
  connect(): Promise<Peer>
  /** Connected, and ApiVersions exchanged. */
  greeted(): Promise<Peer>
  close(): Promise<void>
}

export async function startServer(
  options: {
    limits?: Partial<ServerLimits>
    memory?: Account
    service?: TestService
    frames?: FramePool
  } = {},
): Promise<TestServer> {
  const env = nodeEnv()
  const service = options.service ?? new TestService()
  const memory = options.memory ?? new Account()
  const limits = { ...SERVER_LIMITS, ...options.limits }
  const server = new RpcServer(env, limits, memory, service, options.frames)
  const listener: Listener = await env.network.listen({ host: '127.0.0.1', port: 0 }, (socket) => {
    server.accept(socket)
  })
  const { port } = listener.address
  const peers: Peer[] = []
  const connect = async () => {
    const peer = await Peer.connect(port)
    peers.push(peer)
    return peer
  }
  return {
    env,
    server,
    service,
    memory,
    port,
    connect,
    greeted: async () => (await connect()).greet(),
    close: async () => {
      for (const peer of peers) peer.socket.destroy()
      await server.close({ finishMs: 0 })
      await listener.close()
    },
  }
}

/** A TCP client without manners. */
export class Peer {
  readonly socket: net.Socket
  #bytes = Buffer.alloc(0)
  /** Joined when looked at: a concat per chunk would be quadratic. */
  #chunks: Buffer[] = []
  #ended = false
  #closed = false
  #wake: (() => void)[] = []

  private constructor(socket: net.Socket) {
    this.socket = socket
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk)
      this.#changed()
    })
    socket.on('end', () => {
      this.#ended = true
      this.#changed()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#closed = true
      this.#changed()
    })
  }

  static connect(port: number): Promise<Peer> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () =>
        resolve(new Peer(socket)),
      )
      socket.once('error', reject)
    })
  }

  async greet(): Promise<Peer> {
    this.request('apiVersions', 0, { clientName: 'test', clientVersion: '1', clientId: 'me' })
    await this.frame()
    return this
  }

  send(...parts: (Uint8Array | readonly number[])[]): this {
    this.socket.write(Buffer.concat(parts.map((part) => Uint8Array.from(part))))
    return this
  }

  request(api: ApiName, correlationId: number, request: object): this {
    return this.send(...encodeRequest(api, 0, correlationId, request as never))
  }

  produce(correlationId: number, batch: Uint8Array = Buffer.from('batch')): this {
    const appends = [{ topicId: TOPIC_ID, partition: 0, batch }]
    return this.request('produce', correlationId, { acks: -1, timeoutMs: 1000, appends })
  }

  /** The server sent FIN; this end may still be open. */
  get hasEnded(): boolean {
    return this.#ended
  }

  /** The next whole frame, without its length. */
  async frame(): Promise<Buffer> {
    for (;;) {
      const frame = this.#whole()
      if (frame !== undefined) return frame
      if (this.#chunks.length > 0) this.#join()
      else if (this.#ended || this.#closed) {
        throw new Error('the server closed before it answered')
      } else await this.#change()
    }
  }

  #whole(): Buffer | undefined {
    if (this.#bytes.length < 4) return undefined
    const size = this.#bytes.readUInt32BE(0)
    if (this.#bytes.length < 4 + size) return undefined
    const frame = this.#bytes.subarray(4, 4 + size)
    this.#bytes = this.#bytes.subarray(4 + size)
    return frame
  }

  async answeredIds(count: number): Promise<number[]> {
    const ids: number[] = []
    while (ids.length < count) ids.push(responseCorrelationId(await this.frame()))
    return ids
  }

  async error(): Promise<MinikafkaError & { readonly correlationId: number }> {
    const frame = await this.frame()
    const error = decodeError(frame)
    if (error === undefined) throw new Error('the server answered without an error')
    return Object.assign(error, { correlationId: responseCorrelationId(frame) })
  }

  /** All bytes until the server ends the stream; then this end is closed, too. */
  async rest(): Promise<Buffer> {
    while (!this.#ended && !this.#closed) await this.#change()
    this.socket.end()
    this.#join()
    return this.#bytes
  }

  /** An error, then the end, and nothing in between. */
  async lastError() {
    const error = await this.error()
    const rest = await this.rest()
    if (rest.length > 0) throw new Error('the server said more after the error')
    return error
  }

  #join() {
    if (this.#chunks.length > 0)
      this.#bytes = Buffer.concat([this.#bytes, ...this.#chunks.splice(0)])
  }

  #changed() {
    for (const wake of this.#wake.splice(0)) wake()
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve))
  }
}

/** Something that holds calls until it is let go. */
export function holding(service: TestService) {
  const held: (() => void)[] = []
  service.answer = async (call) => {
    await new Promise<void>((resolve) => held.push(resolve))
    return answerTo(call)
  }
  return {
    get count() {
      return held.length
    },
    release(count = held.length) {
      for (const go of held.splice(0, count)) go()
    },
  }
}

/** Waits until `condition` holds; the time-out of the test is the deadline. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

export function lengthOf(size: number): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(size)
  return length
}
