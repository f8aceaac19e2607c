// The doors of the broker: bound before the logs are recovered, so that a taken port is found out at once; opened after.
// Enters: accepted sockets. Leaves: connections, each served by its listener's dispatcher.
import type { Address, Env, Listener, NetworkError, Socket } from '@minikafka/platform'
import {
  type MemoryAccount,
  RpcServer,
  SERVER_LIMITS,
  type ServerLimits,
} from '@minikafka/protocol'
import type { ListenerSpec, LiveConfig } from './config/index.ts'
import { dispatcher, type Through } from './dispatch.ts'
import type { Hello } from './handlers/index.ts'
import { EXIT, StartError } from './log/index.ts'
import type { RequestCounts } from './metrics/index.ts'
import { QuietLog } from './quiet-log.ts'
import type { Rooms } from './rooms.ts'

/** Sockets held while the logs are recovered; beyond it the oldest is sent away and will come again. */
const WAITING_MAX = 1_000

const DESCRIPTORS_GONE: readonly string[] = ['EMFILE', 'ENFILE']

type Bound = {
  readonly spec: ListenerSpec
  readonly listener: Listener
  readonly waiting: Socket[]
  server: RpcServer | undefined
}

export type ListenerFacts = {
  readonly listener: string
  readonly connections: number
  readonly receivedBytes: number
  readonly sentBytes: number
}

export class Listeners {
  readonly #env: Env
  readonly #log: QuietLog
  readonly #bound: Bound[] = []

  constructor(env: Env) {
    this.#env = env
    this.#log = new QuietLog(env.clock, env.logger.child({ component: 'listener' }))
  }

  /** Binds them all, or none. Errors: StartError with what is in the way. */
  static async bind(env: Env, specs: readonly ListenerSpec[]): Promise<Listeners> {
    const listeners = new Listeners(env)
    try {
      for (const spec of specs) listeners.#bound.push(await listeners.#bindOne(spec))
      return listeners
    } catch (error) {
      await listeners.close({ finishMs: 0 })
      throw error
    }
  }

  async #bindOne(spec: ListenerSpec): Promise<Bound> {
    const waiting: Socket[] = []
    const bound: { current?: Bound } = {}
    const accept = (socket: Socket) => {
      const server = bound.current?.server
      if (server !== undefined) server.accept(socket)
      else {
        waiting.push(socket)
        // Nobody reads from them yet, so who gave up is not noticed: the oldest is the likeliest.
        if (waiting.length > WAITING_MAX) waiting.shift()?.destroy()
      }
    }
    try {
      const listener = await this.#env.network.listen(
        { ...spec.bind, onAcceptFailed: (error) => this.#lost(spec.name, error) },
        accept,
      )
      bound.current = { spec, listener, waiting, server: undefined }
      return bound.current
    } catch (error) {
      throw cannotListen(spec, error as Error & { code?: string })
    }
  }

  /** Whoever wanted to connect sees it closed; those who are connected are served. */
  #lost(listener: string, { code }: NetworkError): void {
    const cure = DESCRIPTORS_GONE.includes(code) ? ': raise the limit of open files' : ''
    this.#log.warn(listener, { listener, code }, `a connection could not be accepted${cure}`)
  }

  addresses(): ReadonlyMap<string, Address> {
    return new Map(this.#bound.map(({ spec, listener }) => [spec.name, listener.address]))
  }

  /** Of each listener: who is connected, and what went through it. */
  facts(): ListenerFacts[] {
    return this.#bound.map(({ spec, waiting, server }) => ({
      listener: spec.name,
      connections: server?.connectionCount ?? waiting.length,
      receivedBytes: server?.traffic.receivedBytes ?? 0,
      sentBytes: server?.traffic.sentBytes ?? 0,
    }))
  }

  /** From now on what comes in is served. */
  open(
    rooms: Rooms,
    memory: MemoryAccount,
    facts: () => Hello,
    counts: RequestCounts,
    through?: Through,
  ): void {
    const limits = limitsOf(rooms.config)
    for (const bound of this.#bound) {
      bound.server = new RpcServer(
        this.#env,
        limits,
        memory,
        dispatcher(this.#env, rooms, bound.spec.name, facts, counts, through),
        rooms.directory.frames,
      )
      for (const socket of bound.waiting.splice(0)) bound.server.accept(socket)
    }
  }

  /** No new connections; requests in flight have `finishMs` to end. */
  async close({ finishMs }: { finishMs: number }): Promise<void> {
    await Promise.all(
      this.#bound.map(async ({ listener, waiting, server }) => {
        const closed = listener.close()
        for (const socket of waiting) socket.destroy()
        await server?.close({ finishMs })
        await closed
      }),
    )
  }
}

function limitsOf(config: LiveConfig): ServerLimits {
  const { values } = config
  return {
    ...SERVER_LIMITS,
    frameBytesMax: values['socket.request.max.bytes'],
    requestsInFlightMax: values['max.requests.in.flight.per.connection'],
    idleMs: values['connections.max.idle.ms'],
    firstFrameMs: values['first.frame.timeout.ms'],
    frameMs: values['frame.timeout.ms'],
    unsentBytesMax: values['unsent.max.bytes.per.connection'],
    slowReaderMs: values['slow.reader.timeout.ms'],
    // These may change while the broker runs.
    get connectionsMax() {
      return config.values['max.connections']
    },
    get connectionsPerAddressMax() {
      return config.values['max.connections.per.ip']
    },
  }
}

function cannotListen({ name, bind }: ListenerSpec, error: Error & { code?: string }): StartError {
  const where = `${bind.host}:${bind.port}`
  const cures: Readonly<Record<string, string>> = {
    EADDRINUSE:
      'something else listens there: stop it, or choose another port (--port 0 takes any free one)',
    EADDRNOTAVAIL: 'this machine has no such address: choose one of its own, 127.0.0.1 or 0.0.0.0',
    EACCES: 'this user may not listen there: choose a port above 1023',
  }
  const cure = cures[error.code ?? ''] ?? error.message
  return new StartError(EXIT.unavailable, `listener ${name} at ${where}`, cure, { cause: error })
}
