// A broker of this process on a real disk and a real port, for integration tests.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, type ClientOptions, createClient } from '@minikafka/client'
import { type Env, nodeEnv } from '@minikafka/platform'
import { type Broker, LiveConfig, startBroker } from 'minikafka-broker'

export type RunningBroker = AsyncDisposable & {
  readonly directory: string
  readonly broker: Broker
  readonly port: number
  client(options?: ClientOptions): Client
  /** Stops and starts again, on the same directory and port. */
  restart(between?: () => void | Promise<void>): Promise<void>
}

export async function runBroker(
  flags: Record<string, string> = {},
  env: Env = quietEnv(),
): Promise<RunningBroker> {
  const directory = mkdtempSync(join(tmpdir(), 'minikafka-test-'))
  const clients: Client[] = []
  let broker = await start(env, directory, { port: '0', ...flags })
  const { port } = broker.address
  return {
    directory,
    get broker() {
      return broker
    },
    port,
    client: (options) => {
      const client = createClient(env, { brokers: `127.0.0.1:${port}`, logger: false, ...options })
      clients.push(client)
      return client
    },
    restart: async (between) => {
      await broker.close()
      await between?.()
      broker = await start(env, directory, { ...flags, port: String(port) })
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) await client.close()
      await broker.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

export function start(env: Env, directory: string, flags: Record<string, string>): Promise<Broker> {
  return startBroker(
    env,
    new LiveConfig({ flags: new Map(Object.entries({ 'data.dir': directory, ...flags })) }),
  )
}

/** Node's Env with a logger that says nothing: tests look at behaviour. */
export function quietEnv(): Env {
  const env = nodeEnv()
  return { ...env, logger: env.logger.child({}, { level: 'silent' }) }
}
