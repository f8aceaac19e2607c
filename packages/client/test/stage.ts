// A simulated world with a broker twin and a client in it: what the client's tests play on.
// Time stands still unless a test lets it pass: `done` and `until` move it as far as needed, and no further.
import type { Env } from '@minikafka/platform'
import { type ClockMode, createWorld, type World } from '@minikafka/testing'
import { type Client, createClient } from '../src/client.ts'
import type { ClientOptions } from '../src/core/index.ts'
import type { Producer, ProducerOptions } from '../src/producer/index.ts'
import { BrokerTwin, type TwinOptions } from './broker-twin.ts'

export type StageOptions = {
  readonly seed?: number
  readonly clock?: ClockMode
  readonly twin?: Omit<TwinOptions, 'host'>
  readonly client?: ClientOptions
  readonly producer?: ProducerOptions
}

export type Stage = {
  readonly world: World
  readonly twin: BrokerTwin
  readonly client: Client
  readonly producer: Producer
  /** Of the client. */
  readonly env: Env
  /** One more broker; it knows no topics. */
  anotherTwin(nodeId: number): Promise<BrokerTwin>
  /** Lets time pass until `work` settles. */
  done<T>(work: Promise<T>): Promise<T>
  until(holds: () => boolean): Promise<void>
}

const open: (() => Promise<void>)[] = []

/** For `afterEach`. */
export async function closeStages(): Promise<void> {
  for (const close of open.splice(0).reverse()) await close()
}

export async function stage(options: StageOptions = {}): Promise<Stage> {
  const world = createWorld({
    seed: options.seed ?? 1,
    clock: options.clock ?? 'held',
    logLevel: 'warn',
  })
  const twinOptions = { host: 'broker', topics: { orders: 1 }, ...options.twin }
  const twin = await BrokerTwin.start(world.env('broker'), twinOptions)
  const env = world.env('client')
  const client = createClient(env, { brokers: twin.address, logger: false, ...options.client })
  open.push(async () => {
    await world.complete(client.close({ timeoutMs: 0 }))
    world.close()
  })
  return {
    world,
    twin,
    client,
    producer: client.producer(options.producer),
    env,
    anotherTwin: (nodeId) => {
      const host = `broker-${nodeId}`
      return BrokerTwin.start(world.env(host), { host, nodeId })
    },
    done: (work) => world.complete(work, { timeout: '10m' }),
    until: (holds) => world.until(holds),
  }
}

export function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}
