// A simulated world with broker twins whose logs a test fills, and a client: what the consumer's unit tests play on.
import { createWorld, type World } from '@minikafka/testing'
import { type Client, createClient } from '../src/client.ts'
import type { Consumer, ConsumerOptions, ConsumerRecord } from '../src/consumer/index.ts'
import type { ClientOptions } from '../src/core/index.ts'
import { LogTwin, TwinCluster } from './log-twin.ts'

export type ReadingStage = {
  readonly world: World
  readonly cluster: TwinCluster
  readonly twin: LogTwin
  readonly client: Client
  /** Of one topic from its start, unless said otherwise. */
  consumer(options?: Partial<ConsumerOptions<string>> & object): Consumer<string>
  anotherTwin(nodeId: number): Promise<LogTwin>
  /** Lets time pass until `work` settles. */
  done<T>(work: Promise<T>): Promise<T>
  /** Lets `ms` pass. */
  pass(ms: number): Promise<void>
}

const open: (() => Promise<void>)[] = []

/** For `afterEach`. */
export async function closeReadingStages(): Promise<void> {
  for (const close of open.splice(0).reverse()) await close()
}

export async function readingStage(options: ClientOptions = {}): Promise<ReadingStage> {
  const world = createWorld({ seed: 1, clock: 'held', logLevel: 'silent' })
  const cluster = new TwinCluster()
  cluster.createTopic('orders')
  const twin = await LogTwin.start(world.env('broker'), cluster)
  const client = createClient(world.env('client'), {
    brokers: twin.address,
    logger: false,
    ...options,
  })
  open.push(async () => {
    await world.complete(client.close({ timeoutMs: 0 }))
    world.close()
  })
  return {
    world,
    cluster,
    twin,
    client,
    consumer: (more = {}) =>
      client.consumer({
        topics: ['orders'],
        start: 'earliest',
        ...more,
      } as ConsumerOptions<string>),
    anotherTwin: (nodeId) => {
      const host = `broker-${nodeId}`
      return LogTwin.start(world.env(host), cluster, nodeId, host)
    },
    done: (work) => world.complete(work, { timeout: '10m' }),
    pass: async (ms) => {
      await world.clock.advance(`${ms}ms`)
      await world.settled()
    },
  }
}

/** The values of the next `count` records; leaves the loop with the last one in hand. */
export async function take(consumer: Consumer<string>, count: number): Promise<string[]> {
  const seen: string[] = []
  for await (const record of consumer) {
    seen.push(textOf(record))
    if (seen.length >= count) break
  }
  return seen
}

export function textOf({ value }: ConsumerRecord<string>): string {
  return String(value)
}

/** '3', '4', … */
export function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => String(from + index))
}
