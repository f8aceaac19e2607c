// A broker of a few hundred lines, for tests of the client: real sockets and frames, topics in memory, and a script
// of what goes wrong. It keeps the rules that a producer relies on: order, idempotence, leaders, topic ids.
import type { Env, Listener, Socket } from '@minikafka/platform'
import {
  type AnyResponse,
  type Apis,
  type ErrorName,
  errorCode,
  MinikafkaError,
  type RequestOf,
  type ResponseOf,
  RpcServer,
  readBatchHeader,
  SERVER_LIMITS,
  type ServerCall,
} from '@minikafka/protocol'
import { type TwinRecord, TwinTopic } from './twin-topic.ts'

type ProduceRequest = RequestOf<Apis['produce']>
type ProduceResult = ResponseOf<Apis['produce']>['results'][number]

/** What happens to one Produce request. */
export type Plan =
  | 'serve'
  /** Appended, but the connection dies before the answer. */
  | 'lose answer'
  /** The connection dies and nothing was appended. */
  | 'lose request'
  /** Appended, never answered; the connection stays. */
  | 'never answer'
  /**
   * Every append is refused. `written`: what the broker says of it, default 0; `append`: it was done all the same.
   */
  | {
      readonly refuse: ErrorName
      readonly written?: number
      readonly append?: boolean
      readonly only?: readonly number[]
    }
  /** Served that much later, also if its connection is gone by then. */
  | { readonly lateMs: number }
  /** Served at once, and answered that much later. */
  | { readonly slowMs: number }

/** What happens to one InitProducerId request. */
export type IdPlan =
  | 'serve'
  | 'never answer'
  | { readonly refuse: ErrorName }
  | { readonly slowMs: number }
  | { readonly give: { readonly producerId: number; readonly producerEpoch: number } }

export type TwinOptions = {
  /** By which clients dial it. */
  readonly host: string
  readonly nodeId?: number
  readonly port?: number
  /** Partitions by name. */
  readonly topics?: Readonly<Record<string, number>>
  readonly maxMessageBytes?: number
  readonly autoCreate?: boolean
}

export class BrokerTwin {
  readonly env: Env
  readonly host: string
  readonly nodeId: number
  readonly topics = new Map<string, TwinTopic>()
  /** All requests, in the order of their arrival. */
  readonly requests: ServerCall[] = []
  /** Other brokers of the cluster, as Metadata names them. */
  readonly others: { nodeId: number; host: string; port: number; rack: null }[] = []
  connections = 0
  /** max.message.bytes of every topic. */
  maxMessageBytes: number
  /** What Metadata says of this broker's own address. */
  advertised = { host: '', port: 0 }
  readonly #autoCreate: boolean
  readonly #plans: Plan[] = []
  readonly #idPlans: IdPlan[] = []
  readonly #sockets = new Set<Socket>()
  #listener: Listener | undefined
  #port: number
  #held: (() => void)[] | undefined
  #producerIds = 1000
  #topicIds = 0

  private constructor(env: Env, options: TwinOptions) {
    this.env = env
    this.host = options.host
    this.nodeId = options.nodeId ?? 1
    this.#port = options.port ?? 0
    this.maxMessageBytes = options.maxMessageBytes ?? 2 ** 20
    this.#autoCreate = options.autoCreate ?? false
    for (const [name, partitions] of Object.entries(options.topics ?? {}))
      this.createTopic(name, partitions)
  }

  static async start(env: Env, options: TwinOptions): Promise<BrokerTwin> {
    const twin = new BrokerTwin(env, options)
    await twin.restart()
    return twin
  }

  /** `host:port`, for `brokers`. */
  get address(): string {
    return `${this.host}:${this.#port}`
  }

  get port(): number {
    return this.#port
  }

  createTopic(name: string, partitions = 1): TwinTopic {
    const suffix = String(++this.#topicIds + this.nodeId * 1000).padStart(12, '0')
    const topic = new TwinTopic(name, `00000000-0000-4000-8000-${suffix}`, partitions, this.nodeId)
    this.topics.set(name, topic)
    return topic
  }

  topic(name: string): TwinTopic {
    const topic = this.topics.get(name)
    if (topic === undefined) throw new Error(`the twin has no topic ${name}`)
    return topic
  }

  /** All records of a topic, partition by partition. */
  records(name: string): TwinRecord[] {
    return this.topic(name).records(this.env.compress)
  }

  values(name: string): string[] {
    return this.records(name).map(({ value }) => value?.toString() ?? '')
  }

  /** Producer epochs of the batches of partition 0. */
  epochs(name: string): number[] {
    const batches = this.topic(name).partitions[0]?.batches ?? []
    return batches.map(({ bytes }) => readBatchHeader(bytes).producerEpoch)
  }

  /** What happens to the next Produce requests, one each; later ones are served. */
  next(...plans: Plan[]): void {
    this.#plans.push(...plans)
  }

  /** The same for InitProducerId. */
  nextIds(...plans: IdPlan[]): void {
    this.#idPlans.push(...plans)
  }

  forgetPlans(): void {
    this.#plans.length = 0
    this.#idPlans.length = 0
  }

  /** As after a long idle time: who was here before is unknown. */
  forgetProducers(name: string): void {
    for (const { producers } of this.topic(name).partitions) producers.clear()
  }

  /** Produce requests are served, but not answered until `release`. */
  hold(): void {
    this.#held ??= []
  }

  release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const answer of held) answer()
  }

  get running(): boolean {
    return this.#listener !== undefined
  }

  get heldCount(): number {
    return this.#held?.length ?? 0
  }

  produces(): ProduceRequest[] {
    return this.requests.flatMap((call) => (call.api === 'produce' ? [call.request] : []))
  }

  /** Every connection dies, nothing listens; topics stay. */
  async crash(): Promise<void> {
    const listener = this.#listener
    this.#listener = undefined
    const closed = listener?.close()
    this.dropConnections()
    this.#held = undefined
    await closed
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
  }

  /** On the same port as before. */
  async restart(): Promise<void> {
    const server = new RpcServer(this.env, SERVER_LIMITS, unlimited, {
      serve: (call) => this.#serve(call),
      hello: () => ({
        brokerVersion: 'twin',
        clusterId: 'twin-cluster',
        nodeId: this.nodeId,
        frameBytesMax: SERVER_LIMITS.frameBytesMax,
        requestsInFlightMax: SERVER_LIMITS.requestsInFlightMax,
        apis: [0, 1, 2, 3, 18, 22].map((apiKey) => ({ apiKey, minVersion: 0, maxVersion: 0 })),
      }),
      unexpected: (error) => {
        throw error
      },
    })
    this.#listener = await this.env.network.listen(
      { host: this.host, port: this.#port },
      (socket) => {
        this.connections++
        this.#sockets.add(socket)
        server.accept(socket)
      },
    )
    this.#port = this.#listener.address.port
  }

  async #serve(call: ServerCall): Promise<AnyResponse | undefined> {
    this.requests.push(call)
    switch (call.api) {
      case 'produce':
        return await this.#produce(call.request)
      case 'metadata':
        return this.#metadata(call.request)
      case 'initProducerId':
        return await this.#initProducerId(call.request)
      default:
        throw new MinikafkaError('UNSUPPORTED_VERSION')
    }
  }

  async #initProducerId(
    request: RequestOf<Apis['initProducerId']>,
  ): Promise<ResponseOf<Apis['initProducerId']>> {
    const plan = this.#idPlans.shift() ?? 'serve'
    if (plan === 'never answer') await new Promise(() => {})
    if (typeof plan === 'object' && 'slowMs' in plan) await this.#pass(plan.slowMs)
    if (typeof plan === 'object' && 'refuse' in plan) throw new MinikafkaError(plan.refuse)
    const fine = { errorCode: 0, errorMessage: null }
    if (typeof plan === 'object' && 'give' in plan) return { ...fine, ...plan.give }
    const { producerId, producerEpoch } = request
    const again = producerId >= 0
    return {
      ...fine,
      producerId: again ? producerId : this.#producerIds++,
      producerEpoch: again ? producerEpoch + 1 : 0,
    }
  }

  #metadata(request: RequestOf<Apis['metadata']>): ResponseOf<Apis['metadata']> {
    const names = request.names ?? [...this.topics.keys()]
    const own = { nodeId: this.nodeId, ...this.advertised, rack: null }
    return {
      clusterId: 'twin-cluster',
      controllerId: this.nodeId,
      brokers: [own, ...this.others],
      topics: names.map((name) => {
        if (this.#autoCreate && request.allowAutoTopicCreation && !this.topics.has(name))
          this.createTopic(name)
        const topic = this.topics.get(name)
        if (topic !== undefined) return topic.describe(this.maxMessageBytes)
        return {
          errorCode: errorCode('UNKNOWN_TOPIC_OR_PARTITION'),
          errorMessage: null,
          name,
          topicId: null,
          isInternal: false,
          maxMessageBytes: 0,
          partitions: [],
        }
      }),
    }
  }

  async #produce(request: ProduceRequest): Promise<AnyResponse | undefined> {
    const plan = this.#plans.shift() ?? 'serve'
    if (plan === 'lose request') {
      this.dropConnections()
      return undefined
    }
    if (typeof plan === 'object' && 'lateMs' in plan) await this.#pass(plan.lateMs)
    const refusal = typeof plan === 'object' && 'refuse' in plan ? plan : undefined
    const results = request.appends.map((append): ProduceResult => {
      const { topicId, partition, batch } = append
      const isRefused = refusal?.only?.includes(partition) ?? refusal !== undefined
      const topic = [...this.topics.values()].find((known) => known.topicId === topicId)
      const take = () => topic?.append(partition, batch, this.nodeId, this.maxMessageBytes)
      if (refusal === undefined || !isRefused) return take() ?? refused('UNKNOWN_TOPIC_ID')
      if (refusal.append) take()
      return { ...refused(refusal.refuse), written: refusal.written ?? 0 }
    })
    if (typeof plan === 'object' && 'slowMs' in plan) await this.#pass(plan.slowMs)
    if (plan === 'lose answer') this.dropConnections()
    if (plan === 'never answer') await new Promise(() => {})
    if (this.#held !== undefined) await new Promise<void>((resolve) => this.#held?.push(resolve))
    return request.acks === 0 ? undefined : { results, timings: [] }
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => this.env.clock.timer(ms, resolve))
  }
}

export function refused(name: ErrorName): ProduceResult {
  return {
    errorCode: errorCode(name),
    errorMessage: null,
    written: 0,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    leaderId: -1,
    leaderEpoch: -1,
  }
}

const unlimited = {
  charge() {},
  release() {},
  full: false,
  free: Number.POSITIVE_INFINITY,
  onRoom: () => () => {},
}
