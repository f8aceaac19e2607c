// -X name=value: options of the SDK by their names, each handed to the part that knows it.
// Enters: the pairs as typed and what the command uses. Leaves: the options of the client and of that part, or a UsageError.
import type {
  ClientOptions,
  ConsumerTuning,
  ProducerOptions,
  RetryOptions,
} from '@minikafka/client'
import { UsageError } from './usage-error.ts'

export type Part = 'producer' | 'consumer' | undefined
type Values = Readonly<Record<string, unknown>>
export type SdkOptions = { readonly client: Values; readonly part: Values }

type Flags<O> = Readonly<Partial<Record<keyof O, true>>>

/** What can be said in a word. The compiler tells where the SDK has no such option any more. */
const CLIENT: Flags<ClientOptions> = {
  brokers: true,
  clientId: true,
  connectTimeoutMs: true,
  requestTimeoutMs: true,
  metadataMaxAgeMs: true,
}
const RETRY: Flags<RetryOptions> = {
  minMs: true,
  maxMs: true,
  factor: true,
  jitter: true,
}
const PRODUCER: Flags<ProducerOptions> = {
  acks: true,
  idempotent: true,
  lingerMs: true,
  maxBatchBytes: true,
  maxBufferedBytes: true,
  maxInFlight: true,
  onFull: true,
  deliveryTimeoutMs: true,
  compression: true,
}
const CONSUMER: Flags<ConsumerTuning> = {
  onOutOfRange: true,
  isolation: true,
  prefetchBytes: true,
  fetchMinBytes: true,
  fetchMaxBytes: true,
  fetchMaxWaitMs: true,
  stalledAfterMs: true,
}
const PARTS = { producer: PRODUCER, consumer: CONSUMER } as const

export function sdkOptions(pairs: readonly string[], part: Part): SdkOptions {
  const ofPart: object = part === undefined ? {} : PARTS[part]
  const client: Record<string, unknown> = {}
  const retry: Record<string, unknown> = {}
  const given: Record<string, unknown> = {}
  for (const pair of pairs) {
    const [name, text] = splitPair(pair, '-X')
    const retryName = name.startsWith('retry.') ? name.slice('retry.'.length) : ''
    if (Object.hasOwn(CLIENT, name)) client[name] = scalar(text)
    else if (Object.hasOwn(ofPart, name)) given[name] = scalar(text)
    else if (Object.hasOwn(RETRY, retryName)) retry[retryName] = scalar(text)
    else throw unknownOption(name, ofPart)
  }
  if (Object.keys(retry).length > 0) client.retry = retry
  return { client, part: given }
}

function unknownOption(name: string, ofPart: object): UsageError {
  for (const [part, options] of Object.entries(PARTS)) {
    if (Object.hasOwn(options, name))
      return new UsageError(`-X ${name}: that is an option of a ${part}, which is not used here`)
  }
  const retryNames = Object.keys(RETRY).map((option) => `retry.${option}`)
  const known = [...Object.keys(CLIENT), ...retryNames, ...Object.keys(ofPart)]
  const near = known.find((one) => one.toLowerCase() === name.toLowerCase())
  const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean ${near}?`
  return new UsageError(`-X ${name}: the SDK has no such option; ${hint}`)
}

export function splitPair(pair: string, flag: string): [string, string] {
  const equals = pair.indexOf('=')
  if (equals <= 0) throw new UsageError(`${flag} ${pair}: expected name=value`)
  return [pair.slice(0, equals), pair.slice(equals + 1)]
}

function scalar(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  return /^-?\d{1,15}(\.\d+)?$/.test(text) ? Number(text) : text
}
