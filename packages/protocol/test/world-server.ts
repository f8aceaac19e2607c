// A server in a simulated world and peers without manners: for what depends on time, which a test lets pass.
import type { Env, Socket } from '@minikafka/platform'
import { createWorld, type World } from '@minikafka/testing'
import type { ApiName } from '../src/apis/index.ts'
import {
  decodeError,
  encodeRequest,
  LENGTH_SIZE,
  responseCorrelationId,
} from '../src/codec/index.ts'
import { RpcServer, SERVER_LIMITS, type ServerLimits } from '../src/rpc/index.ts'
import { Account, TestService, TOPIC_ID } from './harness.ts'

const SERVER = 'server'
const PORT = 9092

export type WorldServer = {
  readonly world: World
  readonly server: RpcServer
  readonly service: TestService
  readonly memory: Account
  connect(): Promise<WorldPeer>
  /** Connected, and ApiVersions exchanged. */
  greeted(): Promise<WorldPeer>
}

export async function startWorldServer(
  options: { limits?: Partial<ServerLimits>; memory?: Account; service?: TestService } = {},
): Promise<WorldServer> {
  const world = createWorld({ seed: 1, clock: 'held', logLevel: 'silent' })
  const service = options.service ?? new TestService()
  const memory = options.memory ?? new Account()
  const env = world.env(SERVER)
  const server = new RpcServer(env, { ...SERVER_LIMITS, ...options.limits }, memory, service)
  const listening = env.network.listen({ host: SERVER, port: PORT }, (socket) => {
    server.accept(socket)
  })
  await world.complete(listening)
  const connect = () => WorldPeer.connect(world, world.env('peer'))
  const greeted = async () => (await connect()).greet()
  return { world, server, service, memory, connect, greeted }
}

export class WorldPeer {
  readonly socket: Socket
  readonly #world: World
  #bytes: Buffer = Buffer.alloc(0)
  hasEnded = false
  isClosed = false

  private constructor(world: World, socket: Socket) {
    this.#world = world
    this.socket = socket
    const target = Buffer.alloc(64 * 1024)
    socket.receive({
      target: () => target,
      received: (size) => {
        this.#bytes = Buffer.concat([this.#bytes, target.subarray(0, size)])
      },
      ended: () => {
        this.hasEnded = true
      },
      closed: () => {
        this.isClosed = true
      },
    })
  }

  static async connect(world: World, env: Env): Promise<WorldPeer> {
    const dialled = env.network.connect({ host: SERVER, port: PORT, timeoutMs: 1000 })
    return new WorldPeer(world, await world.complete(dialled))
  }

  async greet(): Promise<this> {
    this.request('apiVersions', 0, { clientName: 'test', clientVersion: '1', clientId: 'me' })
    await this.frames(1)
    return this
  }

  /** All at once, however it arrives. */
  send(...parts: (Uint8Array | readonly number[])[]): this {
    this.socket.send([Buffer.concat(parts.map((part) => Uint8Array.from(part)))])
    return this
  }

  request(api: ApiName, correlationId: number, request: object): this {
    return this.send(...encodeRequest(api, 0, correlationId, request as never))
  }

  produce(correlationId: number, batch: Uint8Array): this {
    return this.send(produceFrame(correlationId, batch))
  }

  /** Takes the next frames, without their lengths; waits for them, virtually for up to a minute. */
  async frames(count: number): Promise<Buffer[]> {
    const frames: Buffer[] = []
    await this.#world.until(() => {
      for (let frame = this.#whole(); frame !== undefined; frame = this.#whole()) {
        frames.push(frame)
        if (frames.length === count) break
      }
      return frames.length === count
    })
    return frames
  }

  async answeredIds(count: number): Promise<number[]> {
    return (await this.frames(count)).map(responseCorrelationId)
  }

  async error(): Promise<{ name: string; correlationId: number }> {
    const [frame = Buffer.alloc(0)] = await this.frames(1)
    const error = decodeError(frame)
    if (error === undefined) throw new Error('the server answered without an error')
    return { name: error.name, correlationId: responseCorrelationId(frame) }
  }

  #whole(): Buffer | undefined {
    if (this.#bytes.length < LENGTH_SIZE) return undefined
    const end = LENGTH_SIZE + this.#bytes.readUInt32BE(0)
    if (this.#bytes.length < end) return undefined
    const frame = this.#bytes.subarray(LENGTH_SIZE, end)
    this.#bytes = this.#bytes.subarray(end)
    return frame
  }
}

export function produceFrame(correlationId: number, batch: Uint8Array): Buffer {
  const appends = [{ topicId: TOPIC_ID, partition: 0, batch }]
  const request = { acks: -1, timeoutMs: 1000, trace: false, appends }
  return Buffer.concat(encodeRequest('produce', 0, correlationId, request))
}
