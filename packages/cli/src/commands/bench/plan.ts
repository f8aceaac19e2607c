// The options of a bench, checked before anything is asked. Enters: options as typed. Leaves: what to do, and how.
import type { ProducerOptions } from '@minikafka/client'
import { parseDuration } from '../../grammar/duration.ts'
import { positive, wholeNumber } from '../../grammar/number.ts'
import { checkPlace } from '../../save-file.ts'
import type { Session } from '../../session.ts'
import { UsageError } from '../../usage-error.ts'
import { acksOf, codecOf } from '../produce-options.ts'

export type BenchKind = 'produce' | 'consume' | 'e2e' | 'latency'

export type BenchOptions = {
  size?: string
  records?: string
  duration?: string
  clients?: string
  partitions?: string
  rate?: string
  acks?: string
  linger?: string
  compression?: string
  batch?: string
  payloadFile?: string
  warmup?: string
  histogram?: string
}

export type BenchPlan = {
  readonly kind: BenchKind
  /** undefined: one of its own. */
  readonly topic: string | undefined
  readonly partitions: number
  readonly clients: number
  readonly recordsMax: number
  readonly durationMs: number
  readonly warmupMs: number
  /** Records a second of all clients; 0: as many as go. */
  readonly rate: number
  readonly producer: ProducerOptions
  readonly payloads: readonly Buffer[]
  readonly histogram: string | undefined
}

const DURATION = '10s'
const WARMUP = '1s'
const E2E_RATE = '1000'
const SIZE = '1024'
/** Of the topic that `consume` fills. */
const FILLED = '100000'
const NEWLINE = 0x0a

export async function planOf(
  session: Session,
  kind: BenchKind,
  topic: string | undefined,
  options: BenchOptions,
): Promise<BenchPlan> {
  const { records, duration, histogram } = options
  if (topic !== undefined && options.partitions !== undefined)
    throw new UsageError('--partitions is for the topic that is made; leave it out, or the name')
  if (histogram !== undefined) await checkPlace(session.env, histogram)
  const fills = kind === 'consume' && topic === undefined
  const stated = records ?? (fills ? FILLED : undefined)
  return {
    kind,
    topic,
    histogram,
    partitions: positive('--partitions', options.partitions ?? '1'),
    clients: positive('--clients', options.clients ?? '1'),
    recordsMax: stated === undefined ? Number.POSITIVE_INFINITY : positive('--records', stated),
    durationMs: durationOf(kind, stated, duration),
    warmupMs: kind === 'consume' ? 0 : parseDuration(options.warmup ?? WARMUP),
    rate: rateOf(kind, options.rate),
    producer: producerOptions(session, options),
    payloads: await payloadsOf(session, options),
  }
}

/** Whatever is stated ends it; reading ends by itself at the end of the topic. */
function durationOf(kind: BenchKind, records: string | undefined, duration: string | undefined) {
  if (duration !== undefined) return parseDuration(duration)
  return records !== undefined || kind === 'consume'
    ? Number.POSITIVE_INFINITY
    : parseDuration(DURATION)
}

function rateOf(kind: BenchKind, rate: string | undefined): number {
  const text = rate ?? (kind === 'e2e' ? E2E_RATE : undefined)
  return text === undefined ? 0 : positive('--rate', text)
}

function producerOptions({ partOptions }: Session, options: BenchOptions): ProducerOptions {
  const { acks, linger, compression, batch } = options
  return {
    ...partOptions,
    ...(acks === undefined ? {} : { acks: acksOf(acks) }),
    ...(linger === undefined ? {} : { lingerMs: parseDuration(linger) }),
    ...(compression === undefined ? {} : { compression: codecOf(compression) }),
    ...(batch === undefined ? {} : { maxBatchBytes: positive('--batch', batch) }),
  }
}

async function payloadsOf({ env }: Session, options: BenchOptions): Promise<Buffer[]> {
  const { size, payloadFile } = options
  if (payloadFile === undefined) return [env.random.bytes(wholeNumber('--size', size ?? SIZE))]
  if (size !== undefined) throw new UsageError('give --size or --payload-file, not both')
  const content = await env.disk
    .readFile(payloadFile, { links: 'follow' })
    .catch((error: Error) => {
      throw new UsageError(`--payload-file ${payloadFile}: ${error.message}`)
    })
  if (content === undefined) throw new UsageError(`--payload-file ${payloadFile}: no such file`)
  const lines = linesOf(content)
  if (lines.length === 0) throw new UsageError(`--payload-file ${payloadFile}: it is empty`)
  return lines
}

function linesOf(content: Buffer): Buffer[] {
  const lines: Buffer[] = []
  for (let at = 0; at < content.length; ) {
    const newline = content.indexOf(NEWLINE, at)
    const end = newline < 0 ? content.length : newline
    lines.push(content.subarray(at, end))
    at = end + 1
  }
  return lines
}
