// A broker that answers what a test tells it to, call by call: for what a real one does too seldom.
import type { Env, Socket } from '@minikafka/platform'
import {
  type AnyResponse,
  type Apis,
  errorCode,
  MinikafkaError,
  type ResponseOf,
  RpcServer,
  SERVER_LIMITS,
  type ServerCall,
} from '@minikafka/protocol'

const API_KEYS = [1, 2, 3, 18, 19, 20, 21, 32, 35, 37, 44, 60]

export class ScriptTwin {
  readonly calls: ServerCall[] = []
  /** Topics as Metadata tells them: partitions by name. */
  readonly topics = new Map<string, number>()
  readonly #sockets = new Set<Socket>()
  #port = 0

  private constructor() {}

  /** `answer`: undefined for what the twin answers by itself; 'lose' cuts the connection. */
  static async start(
    env: Env,
    answer: (call: ServerCall, twin: ScriptTwin) => AnyResponse | 'lose' | undefined,
  ): Promise<ScriptTwin> {
    const twin = new ScriptTwin()
    const server = new RpcServer(env, SERVER_LIMITS, unlimited, {
      serve: async (call) => {
        twin.calls.push(call)
        const scripted = answer(call, twin)
        if (scripted === 'lose') {
          twin.dropConnections()
          return undefined
        }
        if (scripted !== undefined) return scripted
        if (call.api === 'metadata') return twin.#metadata(call.request.names)
        throw new MinikafkaError('UNSUPPORTED_VERSION')
      },
      hello: () => ({
        brokerVersion: 'twin',
        clusterId: 'twin-cluster',
        nodeId: 1,
        frameBytesMax: SERVER_LIMITS.frameBytesMax,
        requestsInFlightMax: SERVER_LIMITS.requestsInFlightMax,
        apis: API_KEYS.map((apiKey) => ({ apiKey, minVersion: 0, maxVersion: 0 })),
      }),
      unexpected: (error) => {
        throw error
      },
    })
    const listener = await env.network.listen({ host: 'broker', port: 0 }, (socket) => {
      twin.#sockets.add(socket)
      server.accept(socket)
    })
    twin.#port = listener.address.port
    return twin
  }

  get address(): string {
    return `broker:${this.#port}`
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
  }

  #metadata(names: readonly string[] | null): ResponseOf<Apis['metadata']> {
    const common = { errorMessage: null, isInternal: false, maxMessageBytes: 2 ** 20 }
    const broker = { nodeId: 1, host: '', port: 0, rack: null }
    const topics = (names ?? [...this.topics.keys()]).map((name) => {
      const count = this.topics.get(name)
      if (count === undefined) {
        const code = errorCode('UNKNOWN_TOPIC_OR_PARTITION')
        return { ...common, errorCode: code, name, topicId: null, partitions: [] }
      }
      const partitions = Array.from({ length: count }, (_, partition) => {
        const led = { leaderId: 1, leaderEpoch: 0, replicas: [1], isr: [1], elr: [] }
        return { errorCode: 0, errorMessage: null, partition, ...led }
      })
      return { ...common, errorCode: 0, name, topicId: topicIdOf(name), partitions }
    })
    return { clusterId: 'twin-cluster', controllerId: 1, brokers: [broker], topics }
  }
}

/** The same for every topic: tests of admins have one. */
export function topicIdOf(_name: string): string {
  return '00000000-0000-4000-8000-000000000001'
}

const unlimited = {
  charge() {},
  release() {},
  full: false,
  free: Number.POSITIVE_INFINITY,
  onRoom: () => () => {},
}
