// The broker that runs in production, in a test process, on a clock that the test holds.
// Enters: topics and what shall go wrong. Leaves: real clients, and what is truly in the log.

import { type Client, type ClientOptions, createClient } from '@minikafka/client'
import { nodeEnv } from '@minikafka/platform'
import { BrokerProcess } from './broker-process.ts'
import { type ReadOptions, type ReadRecord, readTopic } from './read-topic.ts'
import { type History, recordHistory } from './recording/index.ts'
import { chooseSeed, printSeed } from './seed.ts'
import {
  type ClockMode,
  createWorld,
  type DiskFaults,
  type World,
  type WorldClock,
} from './world/index.ts'

export type TopicOptions = {
  readonly partitions?: number | undefined
  readonly config?: Readonly<Record<string, string | number | boolean>> | undefined
}

export type TestBrokerOptions = {
  /** A partition count, or the options of `createTopic`. */
  readonly topics?: Readonly<Record<string, number | TopicOptions>> | undefined
  /** Broker settings by their names in docs/config.md. */
  readonly config?: Readonly<Record<string, string | number | boolean>> | undefined
  /** Default: of the variable MINIKAFKA_SEED, or drawn. */
  readonly seed?: number | undefined
  /** Default `held`. */
  readonly clock?: ClockMode | undefined
  /** `tcp`: a free port of 127.0.0.1, for clients of other processes. Default `memory`. */
  readonly transport?: 'memory' | 'tcp' | undefined
  /** A directory of this machine, or `memory` (default), where alone disks fail and power cuts lose. */
  readonly storage?: 'memory' | (string & {}) | undefined
  /** Default `warn`. */
  readonly logLevel?: string | undefined
  /** Rare branches of the code are taken, too. Default false. */
  readonly buggify?: boolean | undefined
  /** One line an event, to find where two runs part. */
  readonly trace?: ((line: string) => void) | undefined
  /** Of the test runner's context (Vitest has it): a failed test then says how to repeat the run. */
  readonly onTestFailed?: ((report: () => Promise<void>) => void) | undefined
}

const NODE = 'broker-0'
/** Where `read` asks from. */
const READER = 'test'
const CLOSE_TIMEOUT = '5m'

export class TestBroker implements AsyncDisposable {
  readonly seed: number
  /** Everything below: nodes, wires, logs, the running hash. */
  readonly world: World
  readonly clock: WorldClock
  readonly #options: TestBrokerOptions
  readonly #daemon: BrokerProcess
  readonly #clients: Client[] = []
  #history: History | undefined
  #readerCount = 0
  #closing: Promise<readonly string[]> | undefined

  /** Ready when resolved. Errors: StartError, InvalidConfig, what createTopic refuses. */
  static async start(options: TestBrokerOptions = {}): Promise<TestBroker> {
    const broker = new TestBroker(options)
    try {
      await broker.#daemon.start()
      await broker.#createTopics()
      return broker
    } catch (error) {
      broker.#abandon()
      throw error
    }
  }

  private constructor(options: TestBrokerOptions) {
    this.#options = options
    this.seed = options.seed ?? chooseSeed()
    const { clock = 'held', transport, logLevel = 'warn', buggify, trace } = options
    const tcp = transport === 'tcp'
    if (tcp && clock === 'jumping') {
      throw new RangeError(`transport 'tcp' takes real time: use clock 'held' or 'real'`)
    }
    // Who comes from outside of the world brings today's timestamps.
    const startWallMs = tcp || !this.#inMemory ? nodeEnv().clock.wallMs() : undefined
    const world = { seed: this.seed, clock, logLevel, buggify, trace, startWallMs, realIo: tcp }
    this.world = createWorld(world)
    this.clock = this.world.clock
    this.#daemon = new BrokerProcess(this.world, {
      node: NODE,
      config: configOf(options),
      process: { hostDisk: !this.#inMemory, hostNetwork: tcp },
    })
    options.onTestFailed?.(() => printSeed(this.seed))
  }

  /** host:port. With transport `memory` only this world's clients can dial it. */
  get address(): string {
    const { port } = this.#daemon.broker.address
    return `${this.#host}:${port}`
  }

  get running(): boolean {
    return this.#daemon.running
  }

  /** A real client, in a process of its own. The test broker closes it in the end. */
  client(options: ClientOptions = {}): Client {
    const hostNetwork = this.#options.transport === 'tcp'
    const env = this.world.start(`client-${this.#clients.length}`, { hostNetwork })
    const client = createClient(env, { brokers: this.address, ...options })
    this.#clients.push(client)
    return this.#history === undefined ? client : this.#history.client(client)
  }

  /**
   * Every send and every poll of the clients that are made from here on, and every `read`; its `check()` says which
   * promise was broken. Errors: RangeError where there are clients already.
   */
  record(): History {
    if (this.#history !== undefined) return this.#history
    if (this.#clients.length > 0) {
      throw new RangeError(`record() comes before the first client(): what was sent is not known`)
    }
    this.#history = recordHistory({ clock: this.clock })
    return this.#history
  }

  /** What is in the log, by partition and offset, without a group. */
  read(topic: string, options: ReadOptions = {}): Promise<ReadRecord[]> {
    const read = () => this.#read(topic, options)
    const isWhole = options.from === undefined
    return isWhole && this.#history !== undefined ? this.#history.readAll(topic, read) : read()
  }

  /** SIGKILL: what was written stays. */
  async kill(): Promise<void> {
    this.#daemon.kill()
  }

  /** What was not synced is kept, dropped or torn. */
  async powerCut(): Promise<void> {
    if (!this.#inMemory) throw new RangeError(`a power cut needs storage 'memory'`)
    this.#daemon.powerCut()
  }

  /** Stops the broker if it runs, as SIGTERM does, and starts it again. Ready when resolved. */
  async restart(): Promise<void> {
    await this.#daemon.stop()
    await this.#daemon.start()
  }

  /** Resets every connection of the broker. */
  async disconnectAll(): Promise<void> {
    this.world.network.disconnectAll(NODE)
  }

  /** The broker's disk, and what can go wrong with it. */
  disk(): DiskFaults {
    if (!this.#inMemory) throw new RangeError(`faults of the disk need storage 'memory'`)
    return this.world.disk(NODE)
  }

  /** Runs the world until nothing is on its way and only timers are left. */
  settled(): Promise<void> {
    return this.world.settled()
  }

  /** Closes clients, then the broker. Resolves with what others left open, a line each. */
  close(): Promise<readonly string[]> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** As `close`, and says on stderr what was left open. */
  async [Symbol.asyncDispose](): Promise<void> {
    const leftovers = await this.close()
    if (leftovers.length === 0) return
    const text = ['left open when the test broker closed:', ...leftovers].join('\n  ')
    await nodeEnv().program.stderr.write(`${text}\n`)
  }

  async #close(): Promise<readonly string[]> {
    const consumers = this.#clients.flatMap((client, index) =>
      client.stats().consumers.map(() => `client-${index}: a consumer`),
    )
    try {
      for (const client of this.#clients) {
        await this.world.complete(client.close(), {
          timeout: CLOSE_TIMEOUT,
          what: 'a client closed',
        })
      }
      await this.#daemon.stop()
      await this.world.settled()
      return [...consumers, ...this.world.leftovers()]
    } finally {
      this.#killAll()
      this.world.close()
    }
  }

  /** After a start that failed. */
  #abandon(): void {
    this.#killAll()
    try {
      this.world.close()
    } catch {
      // It throws the first failure of the world again, where the start's own error is to be seen.
    }
  }

  #killAll(): void {
    for (const node of [NODE, READER]) this.world.kill(node)
  }

  /** A process of its own, which is gone with whatever it held when the last read is over, however it ended. */
  async #read(topic: string, options: ReadOptions): Promise<ReadRecord[]> {
    const address = { host: this.#host, port: this.#daemon.broker.address.port }
    this.#readerCount++
    try {
      const reading = readTopic(this.#readerEnv(), address, topic, options)
      return await this.world.complete(reading, { what: `all of ${topic}` })
    } finally {
      this.#readerCount--
      if (this.#readerCount === 0) this.world.kill(READER)
    }
  }

  async #createTopics(): Promise<void> {
    const topics = Object.entries(this.#options.topics ?? {})
    if (topics.length === 0) return
    const { address } = this
    const create = async () => {
      await using client = createClient(this.#readerEnv(), {
        brokers: address,
        clientId: 'testing',
      })
      const admin = client.admin()
      for (const [name, given] of topics) {
        await admin.createTopic(name, typeof given === 'number' ? { partitions: given } : given)
      }
    }
    await this.world.complete(create(), { what: 'the topics created' })
  }

  #readerEnv() {
    return this.world.env(READER, { hostNetwork: this.#options.transport === 'tcp' })
  }

  get #host(): string {
    return this.#options.transport === 'tcp' ? '127.0.0.1' : NODE
  }

  get #inMemory(): boolean {
    const { storage = 'memory' } = this.#options
    return storage === 'memory'
  }
}

/** A node of the world is reached by its name, which to the broker looks like a network without TLS. */
function configOf({ config, storage = 'memory', transport, logLevel = 'warn' }: TestBrokerOptions) {
  const address =
    transport === 'tcp'
      ? { host: '127.0.0.1', port: 0 }
      : { host: NODE, port: 9092, 'allow.insecure': true }
  const settings = {
    'data.dir': storage === 'memory' ? '/var/lib/minikafka' : storage,
    'node.id': 0,
    'log.level': logLevel,
    ...address,
    ...config,
  }
  return new Map(Object.entries(settings).map(([name, value]) => [name, String(value)]))
}
