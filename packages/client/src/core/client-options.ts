// The options of a client: checked, then resolved once to a frozen object that is handed down.
import type { Address, Logger } from '@minikafka/platform'
import type { RetrySettings } from './backoff.ts'
import { checkOptions, integer, invalidOption, numeric, type OptionRules, text } from './options.ts'

export type RetryOptions = {
  /** Delay before the first retry. Default 100. */
  readonly minMs?: number | undefined
  /** No delay is longer. Default 5,000. */
  readonly maxMs?: number | undefined
  /** Growth from one delay to the next. Default 2. */
  readonly factor?: number | undefined
  /** Share of the delay by which it varies, either way. Default 0.2. */
  readonly jitter?: number | undefined
}

export type ClientOptions = {
  /** `host:port`, several separated by commas or as a list. Default 127.0.0.1:9092 (`localhost` may mean ::1). */
  readonly brokers?: string | readonly string[] | undefined
  /** How logs and metrics of the brokers call this client. Default `minikafka`. */
  readonly clientId?: string | undefined
  /** Default 5,000. */
  readonly connectTimeoutMs?: number | undefined
  /** How long one request may take; then its connection is closed. Default 30,000. */
  readonly requestTimeoutMs?: number | undefined
  /** Metadata older than this is asked for again. Default 300,000. */
  readonly metadataMaxAgeMs?: number | undefined
  /** Default: warnings and above, to stderr. false: silent. */
  readonly logger?: Logger | false | undefined
  readonly retry?: RetryOptions | undefined
}

export type ClientSettings = {
  readonly seeds: readonly Address[]
  readonly clientId: string
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly metadataMaxAgeMs: number
  readonly logger: Logger | false | undefined
  readonly retry: RetrySettings
}

const PORT_DEFAULT = 9092

export function resolveClientOptions(given: ClientOptions | undefined): ClientSettings {
  const options = checkOptions<ClientOptions>('new Client', given, clientRules)
  const retry = checkOptions<RetryOptions>('new Client: retry', options.retry, retryRules)
  const settings: RetrySettings = {
    minMs: retry.minMs ?? 100,
    maxMs: retry.maxMs ?? 5000,
    factor: retry.factor ?? 2,
    jitter: retry.jitter ?? 0.2,
  }
  if (settings.minMs > settings.maxMs) throw invalidOption('retry: minMs is above maxMs', 'minMs')
  return Object.freeze({
    seeds: seedsOf(options.brokers ?? '127.0.0.1:9092'),
    clientId: options.clientId ?? 'minikafka',
    connectTimeoutMs: options.connectTimeoutMs ?? 5000,
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    metadataMaxAgeMs: options.metadataMaxAgeMs ?? 300_000,
    logger: options.logger,
    retry: Object.freeze(settings),
  })
}

const notYet = () => 'absent: this version speaks plaintext only'

const clientRules: OptionRules<ClientOptions & { tls: unknown; auth: unknown }> = {
  brokers: (value) =>
    typeof value === 'string' ||
    (Array.isArray(value) && value.every((item) => typeof item === 'string'))
      ? undefined
      : `'host:port', or a list of them`,
  clientId: text(255),
  connectTimeoutMs: integer(1, 2 ** 31 - 1),
  requestTimeoutMs: integer(1, 2 ** 31 - 1),
  metadataMaxAgeMs: integer(1),
  logger: (value) =>
    value === false || (typeof value === 'object' && value !== null && 'warn' in value)
      ? undefined
      : 'a pino logger, or false',
  retry: () => undefined,
  tls: notYet,
  auth: notYet,
}

const retryRules: OptionRules<RetryOptions> = {
  minMs: integer(1, 60_000),
  maxMs: integer(1, 600_000),
  factor: numeric(1, 10),
  jitter: numeric(0, 1),
}

function seedsOf(brokers: string | readonly string[]): Address[] {
  const names = (typeof brokers === 'string' ? [brokers] : brokers)
    .flatMap((name) => name.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '')
  if (names.length === 0) throw invalidOption('new Client: brokers names none', 'brokers')
  return names.map(addressOf)
}

/** `host`, `host:port`, `[v6]`, `[v6]:port`. */
function addressOf(name: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]/\s]+))(?::(\d{1,5}))?$/.exec(name)
  const host = match?.[1] ?? match?.[2]
  const port = match?.[3] === undefined ? PORT_DEFAULT : Number(match[3])
  if (host === undefined || port < 1 || port > 65_535) {
    throw invalidOption(`new Client: brokers: '${name}' is not host:port`, 'brokers')
  }
  return { host, port }
}
