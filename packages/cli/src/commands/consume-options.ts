// The options of consume, checked before anything is asked. Enters: options as typed. Leaves: what to read, which of it, how to print.
import type { ConsumerRecord } from '@minikafka/client'
import { formatJsonLine } from '../grammar/json-line.ts'
import { wholeNumber } from '../grammar/number.ts'
import { type OffsetRange, parseOffsets } from '../grammar/offsets.ts'
import { namePattern, pattern } from '../grammar/pattern.ts'
import { compileFormat, type Printer } from '../grammar/record-format.ts'
import { splitPair } from '../sdk-options.ts'
import type { Session } from '../session.ts'
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
  regex?: boolean
  uncommitted?: boolean
}

export type ReadRecords = ConsumerRecord<string>

export type ConsumePlan = {
  /** Names, or with --regex patterns of them. */
  readonly topics: readonly string[]
  readonly patterns: readonly RegExp[] | undefined
  readonly range: OffsetRange
  /** Stop at the end as it is at the start. */
  readonly untilEnd: boolean
  readonly countMax: number
  readonly group: string | undefined
  readonly partitions: ReadonlySet<number> | undefined
  readonly uncommitted: boolean
  readonly wanted: (record: ReadRecords) => boolean
  readonly print: Printer
}

export function planOf(
  session: Session,
  topics: readonly string[],
  options: ConsumeOptions,
): ConsumePlan {
  const range = parseOffsets(options.offset ?? 'start', session.env.clock.wallMs())
  if (options.group !== undefined) checkGroup(options, range)
  else if (range.from.at === 'committed' || range.to?.at === 'committed')
    throw new UsageError('-o committed: only a group commits offsets; name one with -g')
  const unique = [...new Set(topics)]
  return {
    topics: unique,
    patterns: options.regex ? unique.map((topic) => namePattern(topic)) : undefined,
    range,
    untilEnd: options.exit === true,
    countMax:
      options.count === undefined ? Number.POSITIVE_INFINITY : wholeNumber('-n', options.count),
    group: options.group,
    partitions: partitionsOf(options.partitions),
    uncommitted: options.uncommitted === true,
    wanted: filterOf(options),
    print: printerOf(session, options),
  }
}

/** The coordinator says which partitions are read, and what is committed says from where. */
function checkGroup({ offset, partitions, exit }: ConsumeOptions, range: OffsetRange): void {
  if (offset === undefined)
    throw new UsageError(
      '-g: say with -o where to begin while nothing is committed: start, end or @TIME',
    )
  if (partitions !== undefined)
    throw new UsageError(
      '-p: in a group the coordinator hands out the partitions; leave it out, or -g',
    )
  if (exit)
    throw new UsageError('-e: the end of what a member reads is not known; use -n, or leave out -g')
  const { from, to } = range
  const isStart = from.at === 'start' || from.at === 'end' || from.at === 'time'
  if (to !== undefined || !(isStart || from.at === 'before-end'))
    throw new UsageError(`-o ${offset}: with -g one of start, end, -N or @TIME, and no range`)
}

export function partitionsOf(text: string | undefined): ReadonlySet<number> | undefined {
  if (text === undefined) return undefined
  return new Set(
    text.split(',').map((part) => {
      if (!/^\d{1,9}$/.test(part))
        throw new UsageError(`-p ${text}: expected partition numbers, such as 0,2`)
      return Number(part)
    }),
  )
}

function filterOf({ grep, key, header = [] }: ConsumeOptions): (record: ReadRecords) => boolean {
  const tests: ((record: ReadRecords) => boolean)[] = []
  if (key !== undefined) {
    const bytes = Buffer.from(key)
    tests.push((record) => record.key !== null && bytes.equals(record.key))
  }
  for (const pair of header) {
    const [name, value] = splitPair(pair, '--header')
    const bytes = Buffer.from(value)
    tests.push(({ headers }) =>
      headers.getAll(name).some((one) => one !== null && bytes.equals(one)),
    )
  }
  if (grep !== undefined) {
    const expression = pattern(grep, '--grep')
    tests.push(({ value }) => value !== null && expression.test(value.toString('utf8')))
  }
  return (record) => tests.every((test) => test(record))
}

export function printerOf(
  session: Session,
  { json, metaOnly = false, format }: Pick<ConsumeOptions, 'json' | 'metaOnly' | 'format'>,
): Printer {
  if (!json && !metaOnly && (format !== undefined || !session.wantsJson))
    return compileFormat(format ?? '%v\\n')
  return (record, out) => out.push(Buffer.from(`${formatJsonLine(record, { metaOnly })}\n`))
}
