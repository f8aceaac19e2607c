// What a test may want of its broker, and what that means as settings.
import { nodeEnv } from '@minikafka/platform'
import type { FailedTest } from './seed.ts'
import type { ClockMode, WorldOptions } from './world/index.ts'

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
  readonly onTestFailed?: ((report: (test?: FailedTest) => Promise<void>) => void) | undefined
}

/** The broker's node, which is its name in the world's network. */
export const NODE = 'broker-0'
const MEMORY_DIRECTORY = '/var/lib/minikafka'

/** Where things are: on this machine, or in the world. */
export type Surroundings = {
  readonly tcp: boolean
  readonly inMemory: boolean
  readonly dataDirectory: string
}

export function surroundingsOf({ transport, storage = 'memory' }: TestBrokerOptions): Surroundings {
  const inMemory = storage === 'memory'
  const dataDirectory = inMemory ? MEMORY_DIRECTORY : storage
  return { tcp: transport === 'tcp', inMemory, dataDirectory }
}

/** Errors: RangeError for options that cannot work together. */
export function worldOptionsOf(options: TestBrokerOptions, seed: number): WorldOptions {
  const { clock = 'held', logLevel = 'warn', buggify, trace } = options
  const { tcp, inMemory } = surroundingsOf(options)
  if (tcp && clock === 'jumping') {
    throw new RangeError(`transport 'tcp' takes real time: use clock 'held' or 'real'`)
  }
  // Who comes from outside of the world brings today's timestamps.
  const startWallMs = tcp || !inMemory ? nodeEnv().clock.wallMs() : undefined
  return { seed, clock, logLevel, buggify, trace, startWallMs, realIo: tcp }
}

/** A node of the world is reached by its name, which to the broker looks like a network without TLS. */
export function configOf(options: TestBrokerOptions): ReadonlyMap<string, string> {
  const { config, logLevel = 'warn' } = options
  const { tcp, dataDirectory } = surroundingsOf(options)
  const address = tcp
    ? { host: '127.0.0.1', port: 0 }
    : { host: NODE, port: 9092, 'allow.insecure': true }
  const settings = {
    'data.dir': dataDirectory,
    'node.id': 0,
    'log.level': logLevel,
    ...address,
    ...config,
  }
  return new Map(Object.entries(settings).map(([name, value]) => [name, String(value)]))
}
