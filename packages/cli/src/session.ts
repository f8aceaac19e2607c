// What a command has: its streams, the global options, a client of its own that is closed at the end.
// Enters: global options as parsed. Leaves: output on stdout, words on stderr, one exit code.
import {
  type Admin,
  type Client,
  type ClientOptions,
  createClient,
  type Env,
} from '@minikafka/client'
import { parseDuration } from './grammar/duration.ts'
import { UsageError } from './usage-error.ts'

export const OUTPUTS = ['text', 'wide', 'json', 'jsonl'] as const
export type OutputFormat = (typeof OUTPUTS)[number]

export type GlobalOptions = {
  readonly brokers?: string
  readonly option?: readonly string[]
  readonly output?: string
  readonly timeout?: string
  readonly quiet?: boolean
  readonly verbose?: number
  readonly color?: boolean
  readonly yes?: boolean
}

const TIMEOUT_MS = 10_000

export class Session {
  readonly env: Env
  readonly output: OutputFormat
  readonly quiet: boolean
  readonly yes: boolean
  readonly verbose: number
  readonly timeoutMs: number
  /** Aborts at the first SIGINT or SIGTERM: finish what is in hand. */
  readonly signal: AbortSignal
  readonly #globals: GlobalOptions
  readonly #stop = new AbortController()
  #client: Client | undefined

  constructor(env: Env, globals: GlobalOptions) {
    this.env = env
    this.#globals = globals
    this.output = outputOf(globals.output ?? 'text')
    this.quiet = globals.quiet === true
    this.yes = globals.yes === true
    this.verbose = globals.verbose ?? 0
    this.timeoutMs = globals.timeout === undefined ? TIMEOUT_MS : parseDuration(globals.timeout)
    this.signal = this.#stop.signal
  }

  get client(): Client {
    this.#client ??= createClient(this.env, clientOptions(this.env, this.#globals))
    return this.#client
  }

  get admin(): Admin {
    return this.client.admin()
  }

  get wait(): { timeoutMs: number } {
    return { timeoutMs: this.timeoutMs }
  }

  get colors(): boolean {
    const { variables, stdout } = this.env.program
    return this.#globals.color !== false && !variables.NO_COLOR && stdout.isTTY
  }

  stop(): void {
    this.#stop.abort()
  }

  print(text: string | Uint8Array): Promise<void> {
    return this.env.program.stdout.write(text)
  }

  /** Words for people: stderr, nothing with -q. */
  async say(text: string): Promise<void> {
    if (!this.quiet) await this.env.program.stderr.write(`${text}\n`)
  }

  async close(): Promise<void> {
    await this.#client?.close({ timeoutMs: this.timeoutMs })
  }
}

function outputOf(text: string): OutputFormat {
  const found = OUTPUTS.find((output) => output === text)
  if (found === undefined) throw new UsageError(`-O ${text}: expected one of ${OUTPUTS.join(', ')}`)
  return found
}

/** Flag before environment before default; -X passes any option of the SDK by its name. */
function clientOptions({ program }: Env, { brokers, option = [] }: GlobalOptions): ClientOptions {
  const options: Record<string, unknown> = { clientId: 'minikafka-cli' }
  const given = brokers ?? program.variables.MINIKAFKA_BROKERS
  if (given !== undefined) options.brokers = given.split(',').map((one) => one.trim())
  for (const pair of option) {
    const [name, value] = splitPair(pair, '-X')
    options[name] = scalar(value)
  }
  return options as ClientOptions
}

export function splitPair(pair: string, flag: string): [string, string] {
  const equals = pair.indexOf('=')
  if (equals <= 0) throw new UsageError(`${flag} ${pair}: expected name=value`)
  return [pair.slice(0, equals), pair.slice(equals + 1)]
}

function scalar(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  return /^-?\d+$/.test(text) ? Number(text) : text
}
