// The options of produce, checked before anything is sent. Enters: options as typed. Leaves: how to read records, what to add to each.
import type { ProducerOptions } from '@minikafka/client'
import { parseDuration } from '../grammar/duration.ts'
import { unescapeText } from '../grammar/escapes.ts'
import { formatReader, formatValue } from '../grammar/format-reader.ts'
import { positive, wholeNumber } from '../grammar/number.ts'
import {
  jsonLine,
  plainLine,
  type ReadRecord,
  type RecordReader,
  readLines,
  readValues,
} from '../grammar/record-reader.ts'
import { splitPair } from '../sdk-options.ts'
import { UsageError } from '../usage-error.ts'

export type ProduceOptions = {
  delimiter?: string
  keyDelimiter?: string
  key?: string
  header?: string[]
  partition?: string
  emptyNull?: boolean
  compression?: string
  acks?: string
  json?: boolean
  format?: string
  file?: string
  count?: string
  rate?: string
  tee?: boolean
}

export type ProducePlan = {
  readonly reader: RecordReader
  /** What the flags say of every record. */
  readonly complete: (record: ReadRecord) => ReadRecord
  readonly producer: ProducerOptions
  readonly countMax: number
  /** Between two records; 0: as fast as it goes. */
  readonly everyMs: number
  readonly tee: boolean
}

export function planOf(values: readonly string[], options: ProduceOptions): ProducePlan {
  const { count, rate } = options
  return {
    reader: readerOf(values, options),
    complete: completion(options),
    producer: producerOptions(options),
    countMax: count === undefined ? Number.POSITIVE_INFINITY : wholeNumber('--count', count),
    everyMs: rate === undefined ? 0 : intervalOf(rate),
    tee: options.tee === true,
  }
}

function readerOf(
  values: readonly string[],
  { delimiter, keyDelimiter, json, format }: ProduceOptions,
): RecordReader {
  if (format !== undefined)
    return values.length > 0 ? readValues(values, formatValue(format)) : formatReader(format)
  const keyEnd = keyDelimiter === undefined ? undefined : delimiterOf('-K', keyDelimiter)
  const line = json ? jsonLine : plainLine(keyEnd)
  const end = delimiterOf('-D', delimiter ?? '\\n')
  return values.length > 0 ? readValues(values, line) : readLines(end, line)
}

function delimiterOf(flag: string, text: string): Buffer {
  const bytes = unescapeText(text)
  if (bytes.length === 0) throw new UsageError(`${flag}: a delimiter has at least one character`)
  return bytes
}

function completion(options: ProduceOptions): (record: ReadRecord) => ReadRecord {
  const headers = (options.header ?? []).map((pair) => {
    const [name, value] = splitPair(pair, '-H')
    return [name, Buffer.from(value)] as const
  })
  const fixed = {
    ...(options.key === undefined ? {} : { key: Buffer.from(options.key) }),
    ...(options.partition === undefined ? {} : { partition: wholeNumber('-p', options.partition) }),
  }
  // JSON lines tell null and empty apart by themselves.
  const emptyIsNull = options.emptyNull === true && !options.json
  return (record) => ({
    ...record,
    ...fixed,
    ...(emptyIsNull
      ? { key: nonEmpty(fixed.key ?? record.key), value: nonEmpty(record.value) }
      : {}),
    headers: headers.length === 0 ? record.headers : [...record.headers, ...headers],
  })
}

function nonEmpty(bytes: Buffer | null): Buffer | null {
  return bytes?.length === 0 ? null : bytes
}

// --- what the producer is told ------------------------------------------------------------------

const COMPRESSIONS = ['none', 'gzip', 'lz4', 'snappy', 'zstd'] as const
const ACKS: ReadonlyMap<string, 'all' | 'leader' | 'none'> = new Map([
  ['all', 'all'],
  ['-1', 'all'],
  ['leader', 'leader'],
  ['1', 'leader'],
  ['none', 'none'],
  ['0', 'none'],
])

function producerOptions({ compression, acks }: ProduceOptions): ProducerOptions {
  return {
    ...(compression === undefined ? {} : { compression: codecOf(compression) }),
    ...(acks === undefined ? {} : { acks: acksOf(acks) }),
  }
}

export function codecOf(text: string): (typeof COMPRESSIONS)[number] {
  const codec = COMPRESSIONS.find((name) => name === text)
  if (codec === undefined)
    throw new UsageError(`-z ${text}: expected one of ${COMPRESSIONS.join(', ')}`)
  return codec
}

export function acksOf(text: string): 'all' | 'leader' | 'none' {
  const acks = ACKS.get(text)
  if (acks === undefined) throw new UsageError(`--acks ${text}: expected all, leader or none`)
  return acks
}

/** 100 (a second), or 10/1m. */
function intervalOf(rate: string): number {
  const [count = '', per = '1s', ...rest] = rate.split('/')
  if (rest.length > 0) throw new UsageError(`--rate ${rate}: expected a number, or 10/1m`)
  return parseDuration(per) / positive('--rate', count)
}
