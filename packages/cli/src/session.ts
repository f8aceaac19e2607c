// What a command has: its streams, the global options, a client of its own that is closed at the end.
// Enters: global options as parsed. Leaves: output on stdout, words on stderr.
import {
  type Admin,
  type Client,
  type ClientOptions,
  createClient,
  type Env,
} from '@minikafka/client'
import { parseDuration } from './grammar/duration.ts'
import { OUTPUTS, type Preferences, type Profile, preferencesOf, sdkPairs } from './preferences.ts'
import { type Part, type SdkOptions, sdkOptions } from './sdk-options.ts'
import { UsageError } from './usage-error.ts'
import { wordsLogger } from './words-logger.ts'

export type OutputFormat = (typeof OUTPUTS)[number]

export type Clock = Env['clock']

export type GlobalOptions = {
  readonly brokers?: string
  readonly option?: readonly string[]
  readonly output?: string
  readonly timeout?: string
  readonly quiet?: boolean
  readonly verbose?: number
  readonly color?: boolean
  readonly yes?: boolean
  readonly profile?: string
}

const CONNECT_TIMEOUT_MS = 5_000

export class Session {
  readonly env: Env
  readonly output: OutputFormat
  readonly quiet: boolean
  readonly yes: boolean
  readonly verbose: number
  readonly timeoutMs: number
  /** As --timeout says it. */
  readonly timeout: string
  readonly brokers: string
  /** --timeout was given: it bounds also what otherwise waits longer. */
  readonly hasTimeout: boolean
  /** Aborts at the first SIGINT or SIGTERM, with an Interrupted: finish what is in hand. */
  readonly signal: AbortSignal
  /** What -X may speak of besides the client. */
  readonly part: Part
  readonly preferences: Preferences
  readonly #globals: GlobalOptions
  readonly #color: boolean
  readonly #sdk: SdkOptions
  #client: Client | undefined
  readonly #others: Client[] = []

  constructor(
    env: Env,
    globals: GlobalOptions,
    signal: AbortSignal,
    { part, profile }: { part?: Part; profile?: Profile | undefined } = {},
  ) {
    const { variables } = env.program
    const preferences = preferencesOf(variables, globals, profile)
    this.preferences = preferences
    this.#globals = globals
    this.env = env
    this.signal = signal
    this.part = part
    this.output = outputOf(preferences.output.value)
    this.quiet = globals.quiet === true
    this.yes = globals.yes === true
    this.verbose = this.quiet ? 0 : (globals.verbose ?? 0)
    this.hasTimeout = globals.timeout !== undefined
    this.timeout = preferences.timeout.value
    this.timeoutMs = parseDuration(this.timeout)
    this.#color = globals.color !== false && !variables.NO_COLOR
    this.#sdk = sdkOptions(sdkPairs(globals, profile), part)
    const { value, origin } = preferences.brokers
    this.brokers = origin === 'default' ? String(this.#sdk.client.brokers ?? value) : value
  }

  /** The same on another cluster. Whoever asks for it closes it. */
  elsewhere(profile: Profile): Session {
    const { brokers = [], ...rest } = profile
    if (brokers.length === 0) throw new UsageError(`profile ${profile.name} names no brokers`)
    const globals = { ...this.#globals, brokers: brokers.join(','), option: [] }
    return new Session(this.env, globals, this.signal, { profile: rest })
  }

  /** `defaults`: what this command would rather have than the SDK's defaults; -X wins. */
  open(defaults: ClientOptions = {}): Client {
    const level = this.quiet ? 'silent' : (['warn', 'info'] as const)[this.verbose]
    if (this.#client !== undefined) return this.#client
    this.#client = createClient(this.env, {
      clientId: 'minikafka-cli',
      connectTimeoutMs: Math.max(1, Math.min(CONNECT_TIMEOUT_MS, this.timeoutMs)),
      logger: wordsLogger(this.env, level ?? 'debug'),
      ...defaults,
      ...this.#sdk.client,
      brokers: this.brokers,
    })
    if (this.verbose > 1)
      this.#client.on('connect', ({ broker }) => void this.say(`debug: connected to ${broker}`))
    return this.#client
  }

  get client(): Client {
    return this.open()
  }

  /** One more client, with connections of its own; closed at the end as the first one is. */
  another(options: ClientOptions = {}): Client {
    const client = createClient(this.env, {
      clientId: 'minikafka-cli',
      connectTimeoutMs: Math.max(1, Math.min(CONNECT_TIMEOUT_MS, this.timeoutMs)),
      logger: false,
      ...this.#sdk.client,
      brokers: this.brokers,
      ...options,
    })
    this.#others.push(client)
    return client
  }

  get admin(): Admin {
    return this.client.admin()
  }

  /** Options of the command's producer or consumer that -X named. */
  get partOptions(): Readonly<Record<string, unknown>> {
    return this.#sdk.part
  }

  get wait(): { timeoutMs: number } {
    return { timeoutMs: this.timeoutMs }
  }

  /** Settles as `work` does, or with the first signal: a question may be left unanswered, a change may not. */
  async ask<T>(work: Promise<T>): Promise<T> {
    const { signal } = this
    signal.throwIfAborted()
    let interrupt: (() => void) | undefined
    const interrupted = new Promise<never>((_, reject) => {
      interrupt = () => reject(signal.reason)
      signal.addEventListener('abort', interrupt, { once: true })
    })
    try {
      return await Promise.race([work, interrupted])
    } finally {
      if (interrupt) signal.removeEventListener('abort', interrupt)
    }
  }

  get colors(): boolean {
    return this.#color && this.env.program.stdout.isTTY
  }

  get wantsJson(): boolean {
    return this.output === 'json' || this.output === 'jsonl'
  }

  print(text: string | Uint8Array): Promise<void> {
    return this.env.program.stdout.write(text)
  }

  /** Words for people: stderr, nothing with -q. That nobody reads them ends no work. */
  async say(text: string): Promise<void> {
    if (!this.quiet) await this.env.program.stderr.write(`${text}\n`).catch(() => undefined)
  }

  /** Frees what is open. What was to be waited for was waited for before. */
  async close(): Promise<void> {
    for (const client of [this.#client, ...this.#others]) await client?.close({ timeoutMs: 0 })
  }
}

function outputOf(text: string): OutputFormat {
  const found = OUTPUTS.find((output) => output === text)
  if (found === undefined) throw new UsageError(`-O ${text}: expected one of ${OUTPUTS.join(', ')}`)
  return found
}
