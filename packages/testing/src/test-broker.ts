// The broker that runs in production, in a test process, on a clock that the test holds.
// Enters: topics and what shall go wrong. Leaves: real clients, and what is truly in the log.

import { type Client, type ClientOptions, createClient } from '@minikafka/client'
import { nodeEnv, sleep } from '@minikafka/platform'
import { type BrokerDisk, brokerDisk } from './broker-disk.ts'
import { BrokerProcess } from './broker-process.ts'
import { type ChaosOptions, type ChaosReport, runChaos } from './chaos.ts'
import {
  type InterceptedApi,
  type Interception,
  type Interceptor,
  Interceptors,
} from './intercept.ts'
import type { ReadOptions, ReadRecord } from './read-topic.ts'
import { type History, recordHistory } from './recording/index.ts'
import { chooseSeed, printSeed } from './seed.ts'
import { type Side, Sides } from './sides.ts'
import {
  configOf,
  NODE,
  type Surroundings,
  surroundingsOf,
  type TestBrokerOptions,
  worldOptionsOf,
} from './test-broker-options.ts'
import { Visitor } from './visitor.ts'
import { Generator } from './world/generator.ts'
import {
  type ClockFaults,
  createWorld,
  type Duration,
  type World,
  type WorldClock,
} from './world/index.ts'

const CLOSE_TIMEOUT = '5m'

/** A test broker is a cluster of one: wherever a cluster takes the index of a broker, it takes 0, or nothing. */
export type BrokerIndex = 0

export class TestBroker implements AsyncDisposable {
  readonly seed: number
  /** Everything below: nodes, wires, logs, the running hash. */
  readonly world: World
  readonly clock: WorldClock
  readonly #options: TestBrokerOptions
  readonly #surroundings: Surroundings
  readonly #daemon: BrokerProcess
  readonly #visitor: Visitor
  readonly #sides: Sides
  readonly #rot: Generator
  readonly #interceptors: Interceptors
  readonly #clients: Client[] = []
  #history: History | undefined
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
    this.#surroundings = surroundingsOf(options)
    this.seed = options.seed ?? chooseSeed()
    this.world = createWorld(worldOptionsOf(options, this.seed))
    this.clock = this.world.clock
    const { tcp, inMemory } = this.#surroundings
    this.#interceptors = new Interceptors((delayMs) => this.#delay(delayMs))
    this.#daemon = new BrokerProcess(this.world, {
      node: NODE,
      config: configOf(options),
      process: { hostDisk: !inMemory, hostNetwork: tcp },
      through: this.#interceptors.through,
    })
    this.#visitor = new Visitor(this.world, tcp, () => this.#runningAddress())
    this.#sides = new Sides(this.world.network, NODE)
    this.#rot = new Generator(this.seed, 'rot')
    options.onTestFailed?.((test) => printSeed(this.seed, test))
  }

  /** host:port. With transport `memory` only this world's clients can dial it. */
  get address(): string {
    return `${this.#host}:${this.#daemon.port}`
  }

  get running(): boolean {
    return this.#daemon.running
  }

  // --- clients, and what they did ------------------------------------------------------------

  /** A real client, in a process of its own. The test broker closes it in the end. */
  client(options: ClientOptions = {}): Client {
    const node = `client-${this.#clients.length}`
    const env = this.world.start(node, { hostNetwork: this.#surroundings.tcp, naps: true })
    const client = createClient(env, { brokers: this.address, ...options })
    this.#clients.push(client)
    this.#sides.join(node)
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

  /** What is in the log, by partition and offset, without a group. Errors: RangeError while the broker is down. */
  read(topic: string, options: ReadOptions = {}): Promise<ReadRecord[]> {
    const read = () => this.#visitor.read(topic, options)
    const isWhole = options.from === undefined
    return isWhole && this.#history !== undefined ? this.#history.readAll(topic, read) : read()
  }

  /** `handler` sees each request of that API before the broker does. The newest handler sees it first. */
  intercept<N extends InterceptedApi>(api: N, handler: Interceptor<N>): Interception {
    return this.#interceptors.add(api, handler)
  }

  /** Runs the world until nothing is on its way and only timers are left. */
  settled(): Promise<void> {
    return this.world.settled()
  }

  // --- what goes wrong -----------------------------------------------------------------------

  /** SIGKILL: what was written stays. */
  async kill(index?: BrokerIndex): Promise<void> {
    mustBeOnly(index)
    this.#daemon.kill()
  }

  /** What was not synced is kept, dropped or torn. */
  async powerCut(index?: BrokerIndex): Promise<void> {
    mustBeOnly(index)
    this.#needs('inMemory', 'a power cut')
    this.#daemon.powerCut()
  }

  /** Stops the broker if it runs, as SIGTERM does, and starts it again. Ready when resolved. */
  async restart(index?: BrokerIndex): Promise<void> {
    this.resume(index)
    await this.#daemon.stop()
    await this.#daemon.start()
  }

  /** SIGSTOP: the broker stands still, time does not. */
  pause(index?: BrokerIndex): void {
    mustBeOnly(index)
    this.#needs('network', 'a pause')
    this.world.pause(NODE)
  }

  /** SIGCONT. */
  resume(index?: BrokerIndex): void {
    mustBeOnly(index)
    this.world.resume(NODE)
  }

  /** Resets every connection of the broker. */
  async disconnectAll(index?: BrokerIndex): Promise<void> {
    mustBeOnly(index)
    this.world.network.disconnectAll(NODE)
  }

  /** Nothing passes any more between the two, or with `oneWay` from `a` to `b`: `partition('clients', 0)`. */
  partition(a: Side | readonly Side[], b: Side | readonly Side[], { oneWay = false } = {}): void {
    this.#needs('network', 'a partition')
    this.#sides.partition(a, b, oneWay)
  }

  /** Everything takes that much longer, both ways. */
  slow(a: Side | readonly Side[], b: Side | readonly Side[], duration: Duration): void {
    this.#needs('network', 'a slow link')
    this.#sides.slow(a, b, duration)
  }

  /** Links and disks are well again, a paused broker goes on, a dead one is started. Clocks keep their jumps. */
  async heal(): Promise<void> {
    this.#sides.heal()
    if (this.#surroundings.inMemory) this.world.disk(NODE).heal()
    this.resume()
    if (!this.running) await this.#daemon.start()
  }

  disk(index?: BrokerIndex): BrokerDisk {
    mustBeOnly(index)
    this.#needs('inMemory', 'a fault of the disk')
    return brokerDisk(this.world.disk(NODE), this.#surroundings.dataDirectory, this.#rot)
  }

  /** The clock of the broker's machine: `clockOf(0).jump('1h')`. */
  clockOf(index: BrokerIndex): ClockFaults {
    mustBeOnly(index)
    return this.world.clockOf(NODE)
  }

  /**
   * A nemesis, drawn from the seed: faults one after the other for `duration` of the world's time, only such as the
   * settings promise to survive. Resolves with what was done, when all is well again. Errors: RangeError for a fault
   * that this broker cannot have, or would not survive.
   */
  chaos(options: ChaosOptions): Promise<ChaosReport> {
    return runChaos(this, options, {
      ...this.#surroundings,
      syncsFirst: () => this.#syncsFirst(),
    })
  }

  // --- the end -------------------------------------------------------------------------------

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
      this.resume()
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
      this.world.kill(NODE)
      this.world.close()
    }
  }

  /** After a start that failed. */
  #abandon(): void {
    this.world.kill(NODE)
    try {
      this.world.close()
    } catch {
      // It throws the first failure of the world again, where the start's own error is to be seen.
    }
  }

  // --- inside --------------------------------------------------------------------------------

  async #createTopics(): Promise<void> {
    const topics = Object.entries(this.#options.topics ?? {})
    if (topics.length === 0) return
    await this.#visitor.administer('the topics created', async (admin) => {
      for (const [name, given] of topics) {
        await admin.createTopic(name, typeof given === 'number' ? { partitions: given } : given)
      }
    })
  }

  /** No topic acknowledges before its sync. */
  #syncsFirst(): Promise<boolean> {
    return this.#visitor.administer('the settings of the topics', async (admin) => {
      for (const { name } of await admin.listTopics()) {
        const { config } = await admin.describeTopic(name)
        if (config.find((entry) => entry.name === 'flush')?.value !== 'group') return false
      }
      return true
    })
  }

  /** On the broker's clock: with the broker dies whoever waits there. */
  #delay(delayMs: number): Promise<void> {
    if (!this.running) return new Promise(() => undefined)
    return sleep(this.world.env(NODE).clock, delayMs)
  }

  #runningAddress() {
    if (!this.running) throw new RangeError('the broker is down: restart() or heal() it first')
    return { host: this.#host, port: this.#daemon.port }
  }

  get #host(): string {
    return this.#surroundings.tcp ? '127.0.0.1' : NODE
  }

  #needs(what: 'inMemory' | 'network', fault: string): void {
    if (what === 'inMemory' ? this.#surroundings.inMemory : !this.#surroundings.tcp) return
    const option = what === 'inMemory' ? `storage 'memory'` : `transport 'memory'`
    throw new RangeError(`${fault} needs ${option}: what is this machine's own does not fail`)
  }
}

function mustBeOnly(index: number | undefined): void {
  if (index === undefined || index === 0) return
  throw new RangeError(`there is no broker ${index}: a test broker is a cluster of one, index 0`)
}
