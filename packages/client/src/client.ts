// One client: lazy, with shared metadata and connections, closed as one.
// Enters: an Env and options. Leaves: producers, consumers, admins that ask over the client's connections.
import { type Env, type Logger, nodeEnv } from '@minikafka/platform'
import { type Connection, isMinikafkaError } from '@minikafka/protocol'
import { type Admin, openAdmin } from './admin/index.ts'
import { type Consumer, type ConsumerOptions, openConsumer } from './consumer/index.ts'
import { resolveClientOptions } from './core/client-options.ts'
import {
  CLOSE_TIMEOUT_MS,
  type ClientEvents,
  type ClientOptions,
  Core,
  checkOptions,
  Deadline,
  type PartKind,
  waitRules,
} from './core/index.ts'
import { openProducer, type Producer, type ProducerOptions } from './producer/index.ts'
import type { TopicLike } from './topic/index.ts'
import type { Closable, Done, Emitter, Wait } from './words.ts'

export type ConnectionStats = Record<'inFlight' | 'roundTripMs' | 'bytesIn' | 'bytesOut', number>
export type ProducerStats = Record<
  'bufferedBytes' | 'inFlightBatches' | 'acked' | 'failed' | 'retries',
  number
>
export type ConsumerStats = Record<
  'prefetchedBytes' | 'finished' | 'committed' | 'rebalances' | 'lagRecords',
  number
>
export type ClientStats = {
  readonly connections: ConnectionStats[]
  readonly producers: ProducerStats[]
  readonly consumers: ConsumerStats[]
}

export interface Client extends Closable, Emitter<ClientEvents> {
  /** Asks one broker, once: fails fast where none can be reached. */
  ping(wait?: Wait): Promise<{ clusterId: string; brokerId: number; roundTripMs: number }>
  producer(options?: ProducerOptions): Producer
  consumer<const T extends TopicLike = string>(options: ConsumerOptions<T>): Consumer<T>
  admin(): Admin
  stats(): ClientStats
  /** Consumers, then producers, then connections. Nothing connects afterwards. */
  close(wait?: Wait): Done
}

/** A client in the world of `env`. Connects nothing: the first call that needs a broker does. */
export function createClient(env: Env, options?: ClientOptions): Client {
  return new CoreClient(env, options)
}

/** A client of this process. The Env it adds is Node's. */
export const Client = function NodeClient(options?: ClientOptions): Client {
  return new CoreClient(nodeEnv(), options)
} as unknown as new (
  options?: ClientOptions,
) => Client

class CoreClient implements Client {
  readonly #core: Core
  #closed: Done | undefined

  constructor(env: Env, options?: ClientOptions) {
    const settings = resolveClientOptions(options)
    this.#core = new Core(env, settings, loggerOf(env, settings.logger))
  }

  async ping(wait?: Wait): Promise<{ clusterId: string; brokerId: number; roundTripMs: number }> {
    checkOptions<Wait>('client.ping', wait, waitRules)
    const { clock } = this.#core.env
    const deadline = new Deadline(clock, wait, this.#core.settings.connectTimeoutMs, 'ping')
    for (let attempt = 1; ; attempt++) {
      const startMs = clock.monotonicMs()
      const connection = await deadline.hold(this.#core.connect('any'))
      try {
        const { clusterId } = await deadline.hold(
          askNothing(this.#core, connection, deadline.leftMs),
        )
        const roundTripMs = clock.monotonicMs() - startMs
        return { clusterId, brokerId: connection.hello.nodeId, roundTripMs }
      } catch (error) {
        // A connection that lay idle may have died unseen: a new one tells whether the broker is there.
        if (attempt > 1 || !isMinikafkaError(error) || error.name !== 'NETWORK_EXCEPTION')
          throw error
      }
    }
  }

  producer(options?: ProducerOptions): Producer {
    return openProducer(this.#core, options)
  }

  consumer<const T extends TopicLike = string>(options: ConsumerOptions<T>): Consumer<T> {
    return openConsumer(this.#core, options)
  }

  admin(): Admin {
    this.#core.throwIfClosed()
    return openAdmin(this.#core)
  }

  stats(): ClientStats {
    return {
      connections: this.#core.connections.stats(),
      producers: this.#core.parts('producer').map((part) => part.stats() as ProducerStats),
      consumers: this.#core.parts('consumer').map((part) => part.stats() as ConsumerStats),
    }
  }

  on<K extends keyof ClientEvents>(
    event: K,
    listener: (data: ClientEvents[K]) => void,
  ): () => void {
    return this.#core.events.on(event, listener)
  }

  close(wait?: Wait): Done {
    checkOptions<Wait>('client.close', wait, waitRules)
    this.#closed ??= this.#close(
      new Deadline(this.#core.env.clock, wait, CLOSE_TIMEOUT_MS, 'close'),
    )
    return this.#closed
  }

  [Symbol.asyncDispose](): Done {
    return this.close()
  }

  async #close(deadline: Deadline): Done {
    for (const kind of ['consumer', 'producer'] as const) await this.#closeParts(kind, deadline)
    this.#core.close()
  }

  /** One that fails, or that was closing already and takes longer, is logged and stopped: close never rejects. */
  async #closeParts(kind: PartKind, deadline: Deadline): Done {
    const wait = { timeoutMs: deadline.leftMs, signal: deadline.signal }
    const closing = this.#core.parts(kind).map((part) => deadline.hold(part.close(wait)))
    for (const result of await Promise.allSettled(closing)) {
      if (result.status === 'rejected')
        this.#core.logger.warn({ err: result.reason }, 'close failed')
    }
  }
}

function askNothing(core: Core, connection: Connection, leftMs: number) {
  const request = { names: [], topicIds: null, allowAutoTopicCreation: false }
  return core.ask(connection, 'metadata', request, { timeoutMs: Math.max(1, leftMs) })
}

function loggerOf(env: Env, given: Logger | false | undefined): Logger {
  if (given === undefined) return env.logger.child({ component: 'client' }, { level: 'warn' })
  // pino's own way to be silent: the child's calls are no-ops.
  return given === false ? env.logger.child({}, { level: 'silent' }) : given
}
