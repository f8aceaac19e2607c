// Reaching a broker. Enters: host and port. Leaves: a socket, or BROKER_UNREACHABLE that says why.
import { type Address, type Env, NetworkError, type Socket } from '@minikafka/platform'
import { MinikafkaError } from '../errors.ts'

type DialOptions = Address & {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** Errors: BROKER_UNREACHABLE; `signal.reason`. */
export async function dial(env: Env, options: DialOptions): Promise<Socket> {
  const { host, port, timeoutMs, signal } = options
  try {
    return await env.network.connect({ host, port, timeoutMs, signal })
  } catch (error) {
    if (signal?.aborted || !(error instanceof NetworkError)) throw error
    throw unreachable(options, error.message, error)
  }
}

export function unreachable({ host, port }: Address, why: string, cause: unknown): MinikafkaError {
  const broker = `${host}:${port}`
  const message = `No connection to ${broker}: ${why}. Check that a broker runs there.`
  return new MinikafkaError(
    'BROKER_UNREACHABLE',
    { message, broker, outcome: 'not-written' },
    { cause },
  )
}
