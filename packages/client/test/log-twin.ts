// Brokers of a few dozen lines, for tests of the consumer: real sockets and frames, topics that tests fill with batches
// of their making, and a script of what goes wrong. It serves Metadata, ListOffsets and Fetch.
import type { Env, Listener, Socket } from '@minikafka/platform'
import {
  type AnyResponse,
  type Apis,
  batchBaseOffsetAt,
  batchLastOffsetAt,
  type ErrorName,
  errorCode,
  MinikafkaError,
  type RequestOf,
  type ResponseOf,
  RpcServer,
  SERVER_LIMITS,
  type ServerCall,
} from '@minikafka/protocol'

type FetchRequest = RequestOf<Apis['fetch']>
type FetchResult = ResponseOf<Apis['fetch']>['results'][number]
type ListRequest = RequestOf<Apis['listOffsets']>

export type TwinPartition = {
  leaderId: number
  leaderEpoch: number
  logStartOffset: number
  /** Below it all is decided; undefined: all is. */
  lastStableOffset?: number
  batches: Buffer[]
  aborted: { producerId: number; firstOffset: number }[]
  /** Answers instead of data, one each, before what is there is served. */
  readonly script: ErrorName[]
  /** What ListOffsets is answered with, as long as it is there. */
  unlisted?: ErrorName
  diverging?: { epoch: number; endOffset: number }
  /** Below it batches may be apart. */
  compactedBelow?: number
  /** What it cannot read. Answered with what it says of it, right or wrong. */
  damage?: {
    fromOffset: number
    nextOffset: number
    says?: { fromOffset: number; nextOffset: number }
  }
}

/** What all brokers of a test know. */
export class TwinCluster {
  readonly topics = new Map<string, { topicId: string; partitions: TwinPartition[] }>()
  readonly brokers: LogTwin[] = []
  readonly #moved = new Set<() => void>()
  #topicIds = 0

  createTopic(name: string, partitions = 1, leaderId = 1): void {
    const topicId = `00000000-0000-4000-8000-${String(++this.#topicIds).padStart(12, '0')}`
    const topic = { topicId, partitions: [] as TwinPartition[] }
    this.topics.set(name, topic)
    for (let index = 0; index < partitions; index++) this.addPartition(name, leaderId)
  }

  addPartition(name: string, leaderId = 1): void {
    const partition = { leaderId, leaderEpoch: 0, logStartOffset: 0, batches: [], aborted: [] }
    this.topics.get(name)?.partitions.push({ ...partition, script: [] })
  }

  at(name: string, partition = 0): TwinPartition {
    const found = this.topics.get(name)?.partitions[partition]
    if (found === undefined) throw new Error(`there is no ${name}-${partition}`)
    return found
  }

  append(name: string, partition: number, ...batches: readonly Buffer[]): void {
    this.at(name, partition).batches.push(...batches)
    this.wake()
  }

  wake(): void {
    for (const wake of [...this.#moved]) wake()
  }

  /** Resolves at the next append, or after `waitMs`. */
  moved(env: Env, waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        this.#moved.delete(end)
        timer.cancel()
        resolve()
      }
      const timer = env.clock.timer(waitMs, end)
      this.#moved.add(end)
    })
  }
}

export function endOf({ batches, logStartOffset }: TwinPartition): number {
  const last = batches.at(-1)
  return last === undefined ? logStartOffset : batchLastOffsetAt(last, 0) + 1
}

export class LogTwin {
  readonly cluster: TwinCluster
  readonly nodeId: number
  readonly host: string
  readonly calls: ServerCall[] = []
  /** Instead of the records that were asked for. */
  answerWith: readonly Buffer[] | undefined
  /** Before each fetch is answered. */
  onFetch: ((request: FetchRequest) => void | Promise<void>) | undefined
  readonly #env: Env
  readonly #sockets = new Set<Socket>()
  #listener: Listener | undefined
  #port = 0

  private constructor(env: Env, cluster: TwinCluster, nodeId: number, host: string) {
    this.#env = env
    this.cluster = cluster
    this.nodeId = nodeId
    this.host = host
  }

  static async start(
    env: Env,
    cluster: TwinCluster,
    nodeId = 1,
    host = 'broker',
  ): Promise<LogTwin> {
    const twin = new LogTwin(env, cluster, nodeId, host)
    cluster.brokers.push(twin)
    await twin.restart()
    return twin
  }

  get address(): string {
    return `${this.host}:${this.#port}`
  }

  fetches(): FetchRequest[] {
    return this.calls.flatMap((call) => (call.api === 'fetch' ? [call.request] : []))
  }

  async crash(): Promise<void> {
    const closed = this.#listener?.close()
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
    await closed
  }

  async restart(): Promise<void> {
    const server = new RpcServer(this.#env, SERVER_LIMITS, unlimited, {
      serve: (call) => this.#serve(call),
      hello: () => ({
        brokerVersion: 'twin',
        clusterId: 'twin-cluster',
        nodeId: this.nodeId,
        frameBytesMax: SERVER_LIMITS.frameBytesMax,
        requestsInFlightMax: SERVER_LIMITS.requestsInFlightMax,
        apis: [1, 2, 3, 18].map((apiKey) => ({
          apiKey,
          minVersion: 0,
          maxVersion: apiKey === 1 ? 2 : 0,
        })),
      }),
      unexpected: (error) => {
        throw error
      },
    })
    const address = { host: this.host, port: this.#port }
    this.#listener = await this.#env.network.listen(address, (socket) => {
      this.#sockets.add(socket)
      server.accept(socket)
    })
    this.#port = this.#listener.address.port
  }

  async #serve(call: ServerCall): Promise<AnyResponse | undefined> {
    this.calls.push(call)
    if (call.api === 'metadata') return this.#metadata(call.request)
    if (call.api === 'listOffsets') return { results: call.request.partitions.map(this.#offsetAt) }
    if (call.api === 'fetch') return await this.#fetch(call.request)
    throw new MinikafkaError('UNSUPPORTED_VERSION')
  }

  #metadata({ names }: RequestOf<Apis['metadata']>): ResponseOf<Apis['metadata']> {
    const { topics, brokers } = this.cluster
    return {
      clusterId: 'twin-cluster',
      controllerId: 1,
      brokers: brokers.map((twin) => {
        return { nodeId: twin.nodeId, host: twin.host, port: twin.#port, rack: null }
      }),
      topics: (names ?? [...topics.keys()]).map((name) => describe(name, topics.get(name))),
    }
  }

  readonly #offsetAt = (wanted: ListRequest['partitions'][number]) => {
    const { topicId, partition, timestamp } = wanted
    const found = this.#find(topicId, partition)
    const known = { topicId, partition, timestamp: -1, leaderEpoch: -1, errorMessage: null }
    const refuse = (name: ErrorName) => ({ ...known, errorCode: errorCode(name), offset: -1 })
    if (typeof found === 'string') return refuse(found)
    if (found.unlisted !== undefined) return refuse(found.unlisted)
    const offset = timestamp === -2 ? found.logStartOffset : timestamp === -1 ? endOf(found) : -1
    return { ...known, errorCode: 0, offset }
  }

  #find(topicId: string, partition: number): TwinPartition | ErrorName {
    const topic = [...this.cluster.topics.values()].find((known) => known.topicId === topicId)
    const found = topic?.partitions[partition]
    if (topic === undefined) return 'UNKNOWN_TOPIC_ID'
    if (found === undefined) return 'UNKNOWN_TOPIC_OR_PARTITION'
    return found.leaderId === this.nodeId ? found : 'NOT_LEADER_OR_FOLLOWER'
  }

  async #fetch(request: FetchRequest): Promise<AnyResponse> {
    await this.onFetch?.(request)
    const { clock } = this.#env
    const untilMs = clock.monotonicMs() + request.maxWaitMs
    for (;;) {
      let room = request.maxBytes
      const results = request.partitions.map((wanted) => {
        const result = this.#read(wanted, room, request.isolation)
        for (const { length } of result.records) room -= length
        return result
      })
      const isNews = results.some(({ records, errorCode: code, diverging }) => {
        return records.length > 0 || code !== 0 || diverging !== null
      })
      const leftMs = untilMs - clock.monotonicMs()
      if (isNews || leftMs <= 0) return { sessionId: 0, results }
      await this.cluster.moved(this.#env, leftMs)
    }
  }

  #read(wanted: FetchRequest['partitions'][number], room: number, isolation: number): FetchResult {
    const { topicId, partition, fetchOffset, leaderEpoch } = wanted
    const found = this.#find(topicId, partition)
    if (typeof found === 'string') return resultOf(wanted, { errorCode: errorCode(found) })
    const scripted = found.script.shift()
    const { logStartOffset } = found
    const ends = { logStartOffset, logEndOffset: endOf(found) }
    if (scripted !== undefined)
      return resultOf(wanted, { errorCode: errorCode(scripted), ...ends, errorMessage: 'script' })
    if (leaderEpoch !== -1 && leaderEpoch !== found.leaderEpoch)
      return resultOf(wanted, { errorCode: errorCode('FENCED_LEADER_EPOCH') })
    if (fetchOffset < logStartOffset || fetchOffset > ends.logEndOffset)
      return resultOf(wanted, { errorCode: errorCode('OFFSET_OUT_OF_RANGE'), ...ends })
    const { damage } = found
    if (damage && damage.fromOffset <= fetchOffset && fetchOffset < damage.nextOffset) {
      const errorMessage = 'the file 0.log is damaged at byte 17'
      const code = errorCode('KAFKA_STORAGE_ERROR')
      return resultOf(wanted, { errorCode: code, errorMessage, unreadable: damage.says ?? damage })
    }
    const { diverging = null, compactedBelow = 0, lastStableOffset = ends.logEndOffset } = found
    const aborted = isolation === 1 ? found.aborted : []
    delete found.diverging
    const marks = { ...ends, highWatermark: ends.logEndOffset, lastStableOffset }
    if (diverging !== null) return resultOf(wanted, { ...marks, diverging })
    if (this.answerWith) return resultOf(wanted, { ...marks, records: this.answerWith })
    const records = batchesFrom(
      found,
      fetchOffset,
      Math.min(room, wanted.maxBytes),
      damage && fetchOffset < damage.fromOffset ? damage.fromOffset : lastStableOffset,
    )
    return resultOf(wanted, { ...marks, compactedBelow, aborted, records })
  }
}

/** Whole batches, the first whatever its size. */
function batchesFrom(
  { batches }: TwinPartition,
  offset: number,
  bytesMax: number,
  below: number,
): Buffer[] {
  const records: Buffer[] = []
  let left = bytesMax
  for (const batch of batches) {
    if (batchLastOffsetAt(batch, 0) < offset) continue
    if (batchBaseOffsetAt(batch, 0) >= below) break
    if (left < batch.length && (records.length > 0 || bytesMax <= 0)) break
    records.push(batch)
    left -= batch.length
  }
  return records
}

function resultOf(
  { topicId, partition }: { topicId: string; partition: number },
  known: Partial<FetchResult>,
): FetchResult {
  return {
    errorCode: 0,
    errorMessage: null,
    topicId,
    partition,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    logEndOffset: -1,
    compactedBelow: 0,
    leaderId: -1,
    leaderEpoch: -1,
    diverging: null,
    aborted: [],
    records: [],
    unreadable: null,
    ...known,
  }
}

function describe(
  name: string,
  topic: { topicId: string; partitions: readonly TwinPartition[] } | undefined,
): ResponseOf<Apis['metadata']>['topics'][number] {
  const common = { errorMessage: null, name, isInternal: false, maxMessageBytes: 2 ** 20 }
  if (topic === undefined) {
    const error = errorCode('UNKNOWN_TOPIC_OR_PARTITION')
    return { ...common, errorCode: error, topicId: null, partitions: [] }
  }
  const partitions = topic.partitions.map(({ leaderId, leaderEpoch }, partition) => {
    const error = leaderId < 0 ? errorCode('LEADER_NOT_AVAILABLE') : 0
    const who = { partition, leaderId, leaderEpoch, replicas: [1], isr: [1], elr: [] }
    return { errorCode: error, errorMessage: null, ...who }
  })
  return { ...common, errorCode: 0, topicId: topic.topicId, partitions }
}

const unlimited = {
  charge() {},
  release() {},
  full: false,
  free: Number.POSITIVE_INFINITY,
  onRoom: () => () => {},
}
