// The -f format of consume and produce, kcat's verbs where tools disagree (`minikafka help formats`).
// Enters: a format. Leaves: a function from record to bytes, compiled once. Formats for input are in `record-reader.ts`.
import { UsageError } from '../usage-error.ts'

export type PrintedRecord = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Iterable<readonly [string, Buffer | null]>
}

type Part = (record: PrintedRecord) => string | Buffer

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
  ['0', '\0'],
  ['\\', '\\'],
])

export function compileFormat(format: string): (record: PrintedRecord) => Buffer {
  const parts = parse(format)
  return (record) => Buffer.concat(parts.map((part) => toBuffer(part(record))))
}

function toBuffer(text: string | Buffer): Buffer {
  return typeof text === 'string' ? Buffer.from(text) : text
}

function parse(format: string): Part[] {
  const parts: Part[] = []
  const pattern = /\\x([0-9a-fA-F]{2})|\\(.)|%(%|[a-zA-Z])(?:\{([^}]*)\})?|([^\\%]+)|([\s\S])/g
  for (const [, hex, escaped, verb, argument, literal, stray] of format.matchAll(pattern)) {
    if (hex !== undefined) parts.push(constant(Buffer.from(hex, 'hex')))
    else if (escaped !== undefined) parts.push(constant(unescaped(escaped)))
    else if (verb !== undefined) parts.push(partOf(verb, argument))
    else parts.push(constant(literal ?? stray ?? ''))
  }
  return parts
}

function constant(text: string | Buffer): Part {
  return () => text
}

function unescaped(letter: string): string {
  const text = ESCAPES.get(letter)
  if (text === undefined)
    throw new UsageError(`\\${letter} is no escape: use \\n \\t \\r \\0 \\\\ or \\xNN`)
  return text
}

function partOf(verb: string, argument: string | undefined): Part {
  switch (verb) {
    case '%':
      return constant('%')
    case 't':
      return ({ topic }) => topic
    case 'p':
      return ({ partition }) => String(partition)
    case 'o':
      return ({ offset }) => String(offset)
    case 'T':
      return ({ timestamp }) => String(timestamp)
    case 'd':
      if (argument !== undefined && argument !== 'iso')
        throw new UsageError(`%d{${argument}}: only %d{iso} is known`)
      return ({ timestamp }) => new Date(timestamp).toISOString()
    case 'k':
      return bytesPart(({ key }) => key, argument)
    case 'v':
    case 's':
      return bytesPart(({ value }) => value, argument)
    case 'K':
      return ({ key }) => String(key?.length ?? -1)
    case 'V':
    case 'S':
      return ({ value }) => String(value?.length ?? -1)
    case 'h':
      return argument === undefined ? allHeaders : oneHeader(argument)
    default:
      throw new UsageError(`%${verb} is no verb of a format: see minikafka help formats`)
  }
}

function bytesPart(
  of: (record: PrintedRecord) => Buffer | null,
  encoding: string | undefined,
): Part {
  switch (encoding) {
    case undefined:
      return (record) => of(record) ?? ''
    case 'hex':
    case 'base64':
      return (record) => of(record)?.toString(encoding) ?? ''
    case 'json':
      return (record) => JSON.stringify(of(record)?.toString('utf8') ?? null)
    default:
      throw new UsageError(`{${encoding}}: use {hex}, {base64} or {json}`)
  }
}

/** As kcat: name=value,name=value; a null value is NULL. */
function allHeaders({ headers }: PrintedRecord): string {
  return [...headers]
    .map(([name, value]) => `${name}=${value?.toString('utf8') ?? 'NULL'}`)
    .join(',')
}

function oneHeader(name: string): Part {
  return ({ headers }) => {
    for (const [other, value] of headers) if (other === name) return value ?? ''
    return ''
  }
}
