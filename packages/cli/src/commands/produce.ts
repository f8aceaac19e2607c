// minikafka produce T [value…]: values from the command line, lines of stdin, a file, or JSON lines.
import type { Producer, ProducerOptions } from '@minikafka/client'
import { parseDuration } from '../grammar/duration.ts'
import { parseJsonLine, type ReadRecord } from '../grammar/json-line.ts'
import { linesOf } from '../lines.ts'
import { type Progress, progressOf } from '../progress.ts'
import { type Session, splitPair } from '../session.ts'
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
  file?: string
  count?: string
  rate?: string
  tee?: boolean
}

type Sendable = Omit<ReadRecord, 'headers'> & { readonly headers: ReadRecord['headers'] }

const LINE_BYTES_MAX = 16 * 1024 * 1024

export async function produce(
  session: Session,
  topic: string,
  values: readonly string[],
  options: ProduceOptions,
): Promise<void> {
  const producer = session.client.producer(producerOptions(options))
  const countMax =
    options.count === undefined ? Number.POSITIVE_INFINITY : whole('--count', options.count)
  const records = values.length > 0 ? fromArguments(values, options) : fromInput(session, options)
  const pace = paceOf(session, options.rate)
  const progress = progressOf(session, 'produced')
  let sent = 0
  let failure: unknown
  producer.on('failed', ({ error }) => {
    failure ??= error
  })
  try {
    for await (const record of records) {
      if (failure !== undefined || session.signal.aborted || sent >= countMax) break
      await sendOne(session, producer, topic, record, progress)
      sent++
      if (options.tee && record.value)
        await session.print(Buffer.concat([record.value, Buffer.from('\n')]))
      await pace()
    }
    await producer.flush({ timeoutMs: Math.max(session.timeoutMs, 30_000) })
  } finally {
    progress.stop()
  }
  if (failure !== undefined) throw failure
  if (sent !== 1 || session.verbose === 0)
    await session.say(`produced ${sent} ${sent === 1 ? 'record' : 'records'} to ${topic}`)
  if (session.signal.aborted && (options.file !== undefined || options.count !== undefined)) {
    throw new Error(`stopped before the end: ${sent} records were produced`)
  }
}

/** -v waits for each record to say where it went; otherwise records are pushed, batched, and waited for at the end. */
async function sendOne(
  session: Session,
  producer: Producer,
  topic: string,
  record: Sendable,
  progress: Progress,
): Promise<void> {
  const wanted = {
    key: record.key,
    value: record.value,
    headers: record.headers,
    ...(record.partition === undefined ? {} : { partition: record.partition }),
    ...(record.timestamp === undefined ? {} : { timestamp: record.timestamp }),
  }
  if (session.verbose > 0) {
    const at = await producer.send(topic, wanted)
    await session.print(`${at.topic}[${at.partition}]@${at.offset ?? '?'}\n`)
  } else if (!producer.push(topic, wanted)) await producer.drained()
  progress.add(1)
}

// --- input -------------------------------------------------------------------------------------

async function* fromArguments(
  values: readonly string[],
  options: ProduceOptions,
): AsyncGenerator<Sendable> {
  for (const [index, value] of values.entries()) yield recordOf(value, index + 1, options)
}

async function* fromInput(session: Session, options: ProduceOptions): AsyncGenerator<Sendable> {
  const delimiter = unescapeDelimiter(options.delimiter ?? '\\n')
  const chunks =
    options.file === undefined
      ? session.env.program.stdin.chunks()
      : fileChunks(session, options.file)
  let number = 0
  for await (const line of linesOf(chunks, delimiter, LINE_BYTES_MAX)) {
    number++
    if (options.json && line.length === 0) continue
    yield recordOf(line, number, options)
  }
}

const CHUNK_BYTES = 1024 * 1024

async function* fileChunks({ env }: Session, path: string): AsyncGenerator<Buffer> {
  const file = await env.disk
    .open(path, 'read')
    .catch((error: { code?: string; message: string }) => {
      throw new UsageError(
        error.code === 'ENOENT'
          ? `--file ${path}: there is no such file`
          : `--file ${path}: ${error.message}`,
      )
    })
  try {
    for (let position = 0; ; ) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
      const size = await file.read(chunk, position)
      if (size === 0) return
      position += size
      yield chunk.subarray(0, size)
    }
  } finally {
    await file.close()
  }
}

function recordOf(text: string | Buffer, number: number, options: ProduceOptions): Sendable {
  const extra = (options.header ?? []).map((pair) => headerOf(pair))
  if (options.json) {
    const read = readLine(text, number)
    return withOptions({ ...read, headers: [...read.headers, ...extra] }, options)
  }
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  const { key, value } = splitKey(bytes, options)
  return withOptions({ key, value, headers: extra }, options)
}

function readLine(text: string | Buffer, number: number): ReadRecord {
  try {
    return parseJsonLine(text.toString())
  } catch (error) {
    throw new Error(`line ${number}: ${(error as Error).message}; the lines before it were sent`, {
      cause: error,
    })
  }
}

function splitKey(
  bytes: Buffer,
  options: ProduceOptions,
): { key: Buffer | null; value: Buffer | null } {
  const empty = (part: Buffer) => (options.emptyNull && part.length === 0 ? null : part)
  if (options.keyDelimiter === undefined) return { key: null, value: empty(bytes) }
  const delimiter = unescapeDelimiter(options.keyDelimiter)
  const at = bytes.indexOf(delimiter)
  if (at === -1) return { key: null, value: empty(bytes) }
  return { key: empty(bytes.subarray(0, at)), value: empty(bytes.subarray(at + delimiter.length)) }
}

function withOptions(record: Sendable, options: ProduceOptions): Sendable {
  return {
    ...record,
    ...(options.key === undefined ? {} : { key: Buffer.from(options.key) }),
    ...(options.partition === undefined ? {} : { partition: whole('-p', options.partition) }),
  }
}

function headerOf(pair: string): readonly [string, Buffer] {
  const [name, value] = splitPair(pair, '-H')
  return [name, Buffer.from(value)]
}

// --- options -----------------------------------------------------------------------------------

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

function codecOf(text: string): (typeof COMPRESSIONS)[number] {
  const codec = COMPRESSIONS.find((name) => name === text)
  if (codec === undefined)
    throw new UsageError(`-z ${text}: expected one of ${COMPRESSIONS.join(', ')}`)
  return codec
}

function acksOf(text: string): 'all' | 'leader' | 'none' {
  const acks = ACKS.get(text)
  if (acks === undefined) throw new UsageError(`--acks ${text}: expected all, leader or none`)
  return acks
}

function whole(flag: string, text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new UsageError(`${flag} ${text}: expected a number, 0 or more`)
  return Number(text)
}

function unescapeDelimiter(text: string): Buffer {
  const plain = text.replaceAll(/\\(n|t|r|0|x[0-9a-fA-F]{2})/g, (_, escaped: string) =>
    escaped.startsWith('x')
      ? String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
      : ({ n: '\n', t: '\t', r: '\r', 0: '\0' }[escaped] ?? escaped),
  )
  if (plain === '') throw new UsageError('a delimiter has at least one character')
  return Buffer.from(plain, 'latin1')
}

/** --rate 100 (a second), or 10/1m. Returns what to await after each record. */
function paceOf({ env: { clock } }: Session, rate: string | undefined): () => Promise<void> {
  if (rate === undefined) return async () => {}
  const [countText = '', per = '1s'] = rate.split('/')
  const everyMs = parseDuration(per) / Math.max(1, whole('--rate', countText))
  let dueMs = clock.monotonicMs()
  return () => {
    dueMs = Math.max(dueMs + everyMs, clock.monotonicMs() - everyMs)
    const waitMs = dueMs - clock.monotonicMs()
    return waitMs <= 1 ? Promise.resolve() : new Promise((resolve) => clock.timer(waitMs, resolve))
  }
}
