// minikafka consume T…: records to stdout, from an offset, to an end or for ever.
import type { ConsumerRecord, OffsetSpec, TopicPartition } from '@minikafka/client'
import { formatJsonLine } from '../grammar/json-line.ts'
import { type OffsetRange, type Point, parseOffsets } from '../grammar/offsets.ts'
import { compileFormat } from '../grammar/record-format.ts'
import { progressOf } from '../progress.ts'
import { type Session, splitPair } from '../session.ts'
import { UsageError } from '../usage-error.ts'

export type ConsumeOptions = {
  offset?: string
  exit?: boolean
  count?: string
  partitions?: string
  group?: string
  format?: string
  json?: boolean
  grep?: string
  key?: string
  header?: string[]
  metaOnly?: boolean
  uncommitted?: boolean
}

type Record = ConsumerRecord<string>
type Target = TopicPartition & { readonly start: number; readonly end: number }

export async function consume(
  session: Session,
  topics: readonly string[],
  options: ConsumeOptions,
): Promise<void> {
  if (options.group !== undefined) {
    throw new UsageError('-g: consumer groups are not there yet; leave it out to read without one')
  }
  const range = parseOffsets(options.offset ?? 'start', session.env.clock.wallMs())
  const countMax = countOf(options.count)
  const targets = await targetsOf(session, topics, options, range)
  const wanted = filterOf(options)
  const print = printerOf(options)
  const bounded = options.exit === true || range.to !== undefined
  const left = new Map(
    targets.filter(({ start, end }) => start < end).map((target) => [idOf(target), target]),
  )
  if (bounded && left.size === 0) return
  const consumer = session.client.consumer({
    assign: targets.map(({ topic, partition, start }) => ({ topic, partition, start })),
    isolation: options.uncommitted ? 'read_uncommitted' : 'read_committed',
  })
  session.signal.addEventListener('abort', () => consumer.stop(), { once: true })
  const progress = progressOf(session, 'consumed')
  let printed = 0
  for await (const { records, topic, partition } of consumer.batches()) {
    const id = idOf({ topic, partition })
    const end = bounded ? (left.get(id)?.end ?? 0) : Number.POSITIVE_INFINITY
    const lines: Buffer[] = []
    for (const record of records) {
      if (record.offset >= end || printed >= countMax) break
      if (!wanted(record)) continue
      lines.push(print(record))
      printed++
    }
    if (lines.length > 0) await session.print(Buffer.concat(lines))
    progress.add(records.length)
    const next = consumer.nextOffset({ topic, partition }) ?? (records.at(-1)?.offset ?? -1) + 1
    if (bounded && next >= end) {
      left.delete(id)
      consumer.pause([{ topic, partition }])
    }
    if (printed >= countMax || (bounded && left.size === 0)) break
  }
  progress.stop()
  if (session.signal.aborted && options.count !== undefined && printed < countMax) {
    throw new Error(`stopped after ${printed} of ${countMax} records`)
  }
}

// --- where to begin and end --------------------------------------------------------------------

async function targetsOf(
  session: Session,
  topics: readonly string[],
  options: ConsumeOptions,
  range: OffsetRange,
): Promise<Target[]> {
  const only = partitionsOf(options.partitions)
  const targets: Target[] = []
  for (const topic of topics) {
    const starts = await offsetsAt(session, topic, range.from)
    const ends = await offsetsAt(session, topic, range.to ?? { at: 'end' })
    for (const [partition, start] of starts) {
      if (only !== undefined && !only.has(partition)) continue
      targets.push({ topic, partition, start, end: ends.get(partition) ?? 0 })
    }
    for (const partition of only ?? []) {
      if (!starts.has(partition))
        throw new UsageError(
          `-p ${partition}: ${topic} has ${starts.size} partitions, 0 to ${starts.size - 1}`,
        )
    }
  }
  return targets
}

/** A point as an offset of each partition. */
async function offsetsAt(
  session: Session,
  topic: string,
  point: Point,
): Promise<Map<number, number>> {
  const at = async (spec: OffsetSpec) => {
    const offsets = await session.admin.offsets(topic, spec, session.wait)
    return new Map(offsets.map(({ partition, offset }) => [partition, offset]))
  }
  const shifted = (offsets: Map<number, number>, by: number) =>
    new Map([...offsets].map(([partition, offset]) => [partition, offset + by]))
  switch (point.at) {
    case 'start':
      return at('earliest')
    case 'end':
      return at('latest')
    case 'committed':
      throw new UsageError('-o committed: only a group has committed offsets')
    case 'offset': {
      const starts = await at('earliest')
      return new Map(
        [...starts].map(([partition, start]) => [partition, Math.max(start, point.offset)]),
      )
    }
    case 'after-start':
      return shifted(await at('earliest'), point.count)
    case 'before-end':
      return at({ last: point.count })
    case 'time':
      return at({ timestamp: point.timestampMs })
  }
}

function partitionsOf(text: string | undefined): ReadonlySet<number> | undefined {
  if (text === undefined) return undefined
  return new Set(
    text.split(',').map((part) => {
      if (!/^\d{1,9}$/.test(part))
        throw new UsageError(`-p ${text}: expected partition numbers, such as 0,2`)
      return Number(part)
    }),
  )
}

function countOf(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`-n ${text}: expected a number`)
  return Number(text)
}

function idOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

// --- what to print -----------------------------------------------------------------------------

function filterOf({ grep, key, header = [] }: ConsumeOptions): (record: Record) => boolean {
  const tests: ((record: Record) => boolean)[] = []
  if (grep !== undefined) {
    const expression = regularExpression(grep)
    tests.push(({ value }) => value !== null && expression.test(value.toString('utf8')))
  }
  if (key !== undefined) {
    const bytes = Buffer.from(key)
    tests.push((record) => record.key !== null && bytes.equals(record.key))
  }
  for (const pair of header) {
    const [name, value] = splitPair(pair, '--header')
    tests.push(({ headers }) =>
      headers.getAll(name).some((bytes) => bytes?.toString('utf8') === value),
    )
  }
  return (record) => tests.every((test) => test(record))
}

function regularExpression(text: string): RegExp {
  try {
    return new RegExp(text, 'u')
  } catch (error) {
    throw new UsageError(`--grep ${text}: ${(error as Error).message}`)
  }
}

function printerOf({ json, metaOnly, format }: ConsumeOptions): (record: Record) => Buffer {
  if (json || metaOnly)
    return (record) => Buffer.from(`${formatJsonLine(record, { metaOnly: metaOnly === true })}\n`)
  return compileFormat(format ?? '%v\\n')
}
