// JSON lines, the same out of `consume` and into `produce`. Bytes that are not UTF-8 are base64 and say so.
// Enters: a record, or one line of text. Leaves: the line, or a record; an Error that names the field.
import { isUtf8 } from 'node:buffer'
import type { PrintedRecord } from './record-format.ts'
import type { ReadRecord } from './record-reader.ts'

export function formatJsonLine(
  record: PrintedRecord,
  options: { metaOnly?: boolean } = {},
): string {
  const { topic, partition, offset, timestamp, key, value, headers } = record
  const shownKey = shown(key)
  return JSON.stringify({
    ...{ topic, partition, offset, timestamp },
    key: shownKey.text,
    ...(shownKey.isBase64 ? { keyEncoding: 'base64' } : {}),
    ...(options.metaOnly ? { valueSize: value?.length ?? -1 } : valueFields(value)),
    headers: [...headers].map(([name, bytes]) => {
      const { text, isBase64 } = shown(bytes)
      return isBase64 ? [name, text, 'base64'] : [name, text]
    }),
  })
}

function valueFields(value: Buffer | null): Record<string, string | null> {
  const { text, isBase64 } = shown(value)
  return isBase64 ? { value: text, valueEncoding: 'base64' } : { value: text }
}

function shown(bytes: Buffer | null): { text: string | null; isBase64: boolean } {
  if (bytes === null) return { text: null, isBase64: false }
  if (isUtf8(bytes)) return { text: bytes.toString('utf8'), isBase64: false }
  return { text: bytes.toString('base64'), isBase64: true }
}

/** Only `value` is needed; topic and offset are ignored. Errors: an Error that says what is wrong with which field. */
export function parseJsonLine(line: string): ReadRecord {
  const json = parseObject(line)
  const value = json.get('value')
  if (value === undefined) throw new Error('"value" is missing (null is allowed)')
  return {
    partition: integer(json, 'partition'),
    timestamp: integer(json, 'timestamp'),
    key: bytesOf('key', json.get('key') ?? null, json.get('keyEncoding')),
    value: bytesOf('value', value, json.get('valueEncoding')),
    headers: headersOf(json.get('headers') ?? []),
  }
}

function parseObject(line: string): ReadonlyMap<string, unknown> {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch (error) {
    throw new Error(`not JSON: ${(error as Error).message}`, { cause: error })
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new Error('expected a JSON object')
  return new Map(Object.entries(json))
}

function integer(json: ReadonlyMap<string, unknown>, name: string): number | undefined {
  const value = json.get(name) ?? undefined
  if (value === undefined) return undefined
  if (!Number.isSafeInteger(value)) throw new Error(`"${name}" must be an integer`)
  return value as number
}

/** A string, null, or any other JSON value, which is then sent as its JSON text. */
function bytesOf(name: string, value: unknown, encoding: unknown): Buffer | null {
  if (value === null) return null
  if (encoding === 'base64') {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : undefined
    // Node passes by what it cannot decode: nothing may be lost unseen.
    if (bytes === undefined || bytes.toString('base64') !== padded(value as string))
      throw new Error(`"${name}" must be a base64 string`)
    return bytes
  }
  if (encoding !== undefined && encoding !== null)
    throw new Error(`"${name}Encoding" must be "base64"`)
  return Buffer.from(typeof value === 'string' ? value : jsonText(name, value))
}

function jsonText(name: string, value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === 'number' && Math.abs(item) > Number.MAX_SAFE_INTEGER)
      throw new Error(`"${name}" holds a number that would change: write it all as a string`)
    return item
  })
}

function padded(base64: string): string {
  return base64.padEnd(Math.ceil(base64.length / 4) * 4, '=')
}

function headersOf(value: unknown): (readonly [string, Buffer | null])[] {
  if (!Array.isArray(value)) throw new Error('"headers" must be an array of [name, value]')
  return value.map((item: unknown) => {
    if (!Array.isArray(item) || typeof item[0] !== 'string')
      throw new Error('"headers" must be an array of [name, value]')
    return [item[0], bytesOf(`header ${item[0]}`, item[1] ?? null, item[2])] as const
  })
}
