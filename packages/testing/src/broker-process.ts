// One broker of a world: started on its node's disk, stopped, killed, started again.
// Enters: settings as texts. Leaves: the real broker, in a process that can die.
import { assert, type Env } from '@minikafka/platform'
import { type Broker, LiveConfig, startBroker, type Through } from 'minikafka-broker'
import type { ProcessOptions, World } from './world/index.ts'

export type BrokerProcessOptions = {
  readonly node: string
  /** By their names in docs/config.md. */
  readonly config: ReadonlyMap<string, string>
  readonly process: ProcessOptions
  readonly through?: Through | undefined
}

type Life = { readonly env: Env; readonly broker: Broker }

/** As the daemon exits when its disk failed: input/output error (sysexits.h). */
const EXIT_DISK_FAILED = 74

export class BrokerProcess {
  readonly node: string
  readonly #world: World
  readonly #options: BrokerProcessOptions
  #life: Life | undefined
  /** The port of the first start: whoever comes back finds the broker where it was. */
  #port: number | undefined

  constructor(world: World, options: BrokerProcessOptions) {
    this.node = options.node
    this.#world = world
    this.#options = options
  }

  get running(): boolean {
    return this.#life !== undefined && this.#world.pid(this.node) === this.#life.env.program.pid
  }

  get broker(): Broker {
    assert(this.#life !== undefined, 'the broker was started')
    return this.#life.broker
  }

  /** Of the broker that runs, or ran last. */
  get port(): number {
    assert(this.#port !== undefined, 'the broker was started')
    return this.#port
  }

  async start(): Promise<void> {
    assert(!this.running, 'a broker is started when it does not run')
    const habits = { namesTimers: false, naps: true }
    const env = this.#world.start(this.node, { ...this.#options.process, ...habits })
    const broker = await this.#ready(env)
    this.#port = broker.address.port
    this.#life = { env, broker }
    void broker.failed.then(() => this.#exit(env, broker))
  }

  /** As SIGTERM does: everything is finished, synced and marked. */
  async stop(): Promise<void> {
    if (!this.running) return
    await this.#world.complete(this.broker.close(), { what: 'the broker closed' })
    this.#life?.env.program.exit(0)
    this.#life = undefined
  }

  kill(): void {
    this.#life = undefined
    this.#world.kill(this.node)
  }

  powerCut(): void {
    this.#life = undefined
    this.#world.powerCut(this.node)
  }

  /** As the daemon does when it cannot start: its process ends. */
  async #ready(env: Env): Promise<Broker> {
    try {
      const starting = startBroker(env, this.#config(), undefined, this.#options.through)
      return await this.#world.complete(starting, { what: 'the broker ready' })
    } catch (error) {
      this.#world.kill(this.node)
      throw error
    }
  }

  /** As the daemon does when its disk failed. */
  async #exit(env: Env, broker: Broker): Promise<void> {
    await broker.close({ clean: false })
    env.program.exit(EXIT_DISK_FAILED)
  }

  #config(): LiveConfig {
    const port = this.#port === undefined ? [] : [['port', String(this.#port)] as const]
    return new LiveConfig({ flags: new Map([...this.#options.config, ...port]) })
  }
}
