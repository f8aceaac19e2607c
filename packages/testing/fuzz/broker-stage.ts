// A running broker in a simulated world with a good client beside the hostile ones.
// Enters: nothing. Leaves: a place where strangers may dial, and findings where somebody else is hurt.
import type { Client, Producer } from '@minikafka/client'
import type { Env } from '@minikafka/platform'
import { TestBroker } from '../src/test-broker.ts'
import { Stranger } from './stranger.ts'
import { Finding } from './target.ts'

/** Stands in kept frames where the id of the topic belongs. */
export const TOPIC_ID_IN_CORPUS = '0b9c1a8e-5d5b-4a52-9a3e-1f2e3d4c5b6a'
export const TOPIC = 'orders'
const GOOD = 'good'
const BROKER = 'broker-0'
/** pino's number of `error`. */
const LEVEL_ERROR = 50
/** The good client's connections, and those of `read`. */
const SOCKETS_MAX = 8

export class BrokerStage {
  readonly broker: TestBroker
  readonly #env: Env
  readonly #client: Client
  readonly #good: Producer
  #topicId = ''
  #sent = 0
  #linesSeen = 0

  private constructor(broker: TestBroker) {
    this.broker = broker
    this.#env = broker.world.env('stranger')
    this.#client = broker.client()
    this.#good = this.#client.producer()
  }

  static async open(seed: number): Promise<BrokerStage> {
    const topics = { [GOOD]: 1, [TOPIC]: { partitions: 2 } }
    const stage = new BrokerStage(await TestBroker.start({ seed, topics, clock: 'held' }))
    await stage.#findTopic()
    return stage
  }

  get topicId(): string {
    return this.#topicId
  }

  get env(): Env {
    return this.#env
  }

  get address(): { host: string; port: number } {
    const [host = '', port] = this.broker.address.split(':')
    return { host, port: Number(port) }
  }

  async dial(): Promise<Stranger> {
    return await this.run(Stranger.dial(this.#env, this.address))
  }

  run<T>(work: Promise<T>): Promise<T> {
    return this.broker.world.complete(work)
  }

  /** The frames of the corpus name the topic by a constant. */
  withTopicId(input: Buffer): Buffer {
    return replaced(input, TOPIC_ID_IN_CORPUS, this.#topicId)
  }

  /** Nothing failed where nobody could catch it, and no handler was surprised. */
  expectNoSurprise(): void {
    const { world } = this.broker
    if (world.failures.length > 0) throw world.failures[0]
    const lines = world.logs()
    for (; this.#linesSeen < lines.length; this.#linesSeen++) {
      const { node, text } = lines[this.#linesSeen] as { node: string; text: string }
      const { level } = JSON.parse(text) as { level: number | string }
      const isError = level === 'error' || level === 'fatal' || Number(level) >= LEVEL_ERROR
      if (node === BROKER && isError) throw new Finding(`the broker logged ${text}`)
    }
  }

  /** The good client is served, and what it was promised is there. */
  async check(): Promise<void> {
    const value = `good ${this.#sent++}`
    await this.run(this.#good.send(GOOD, { value }))
    const read = await this.broker.read(GOOD)
    if (read.length !== this.#sent || String(read.at(-1)?.value) !== value) {
      throw new Finding(`${this.#sent} good records were acknowledged, ${read.length} are there`)
    }
    await this.#findTopic()
    this.#expectFewSockets()
    this.expectNoSurprise()
  }

  async close(): Promise<void> {
    const leftovers = await this.broker.close()
    if (leftovers.length > 0) throw new Finding(`left over: ${leftovers.join(', ')}`)
  }

  /** Strangers may delete the topic: that is theirs to do. */
  async #findTopic(): Promise<void> {
    const admin = this.#client.admin()
    await this.run(admin.createTopic(TOPIC, { partitions: 2, ifNotExists: true }))
    const { topicId } = await this.run(admin.describeTopic(TOPIC))
    this.#topicId = topicId
  }

  #expectFewSockets(): void {
    const sockets = this.broker.world.leftovers().filter((line) => /^broker-0: socket/.test(line))
    if (sockets.length > SOCKETS_MAX) throw new Finding(`open: ${sockets.join(', ')}`)
  }
}

/** Every `from` becomes a `to` of the same length. */
export function replaced(input: Buffer, from: string, to: string): Buffer {
  const bytes = Buffer.from(input)
  for (let at = 0; ; at++) {
    at = bytes.indexOf(from, at, 'latin1')
    if (at === -1) return bytes
    bytes.write(to, at, 'latin1')
  }
}
