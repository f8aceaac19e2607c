// The -f format of consume. Enters: a format. Leaves: a function that prints a record, compiled once.
import { type Encoding, type FormatPart, parseFormat } from './format.ts'

export type PrintedRecord = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Iterable<readonly [string, Buffer | null]>
}

/** Appends the bytes of a record to `out`; keys and values are put there as they are, not copied. */
export type Printer = (record: PrintedRecord, out: Uint8Array[]) => void

type Part = (record: PrintedRecord) => string | Uint8Array

export function compileFormat(format: string): Printer {
  const parts = parseFormat(format).map(printerOf)
  return (record, out) => {
    for (const part of parts) {
      const text = part(record)
      out.push(typeof text === 'string' ? Buffer.from(text) : text)
    }
  }
}

function printerOf(part: FormatPart): Part {
  switch (part.is) {
    case 'bytes':
      return () => part.bytes
    case 'topic':
      return ({ topic }) => topic
    case 'partition':
      return ({ partition }) => String(partition)
    case 'offset':
      return ({ offset }) => String(offset)
    case 'timestamp':
      return ({ timestamp }) => String(timestamp)
    case 'time':
      return ({ timestamp }) => isoText(timestamp)
    case 'keySize':
      return ({ key }) => String(key?.length ?? -1)
    case 'valueSize':
      return ({ value }) => String(value?.length ?? -1)
    case 'key':
      return ({ key }) => encoded(key, part.encoding)
    case 'value':
      return ({ value }) => encoded(value, part.encoding)
    case 'headers':
      return allHeaders
    case 'header':
      return (record) => oneHeader(record, part.name)
  }
}

function encoded(bytes: Buffer | null, encoding: Encoding): string | Uint8Array {
  if (encoding === 'json') return JSON.stringify(bytes?.toString('utf8') ?? null)
  if (bytes === null) return ''
  return encoding === 'plain' ? bytes : bytes.toString(encoding)
}

/** A time that no calendar has stays a number. */
function isoText(timestamp: number): string {
  return Math.abs(timestamp) <= TIME_MAX ? new Date(timestamp).toISOString() : String(timestamp)
}

/** The last time of JavaScript's calendar. */
const TIME_MAX = 8.64e15

/** As kcat: name=value,name=value; a null value is NULL. */
function allHeaders({ headers }: PrintedRecord): string {
  return [...headers]
    .map(([name, value]) => `${name}=${value?.toString('utf8') ?? 'NULL'}`)
    .join(',')
}

function oneHeader({ headers }: PrintedRecord, name: string): string | Uint8Array {
  for (const [other, value] of headers) if (other === name) return value ?? ''
  return ''
}
