// \n \t \r \0 \\ \xNN in delimiters and formats. Enters: text as typed. Leaves: its bytes (UTF-8), or a UsageError.
import { UsageError } from '../usage-error.ts'

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
  ['0', '\0'],
  ['\\', '\\'],
])

export function unescapeText(text: string): Buffer {
  const parts: Buffer[] = []
  for (const [, hex, escaped, plain] of text.matchAll(
    /\\x([0-9a-fA-F]{2})|\\([\s\S]?)|([^\\]+)/g,
  )) {
    if (hex !== undefined) parts.push(Buffer.from(hex, 'hex'))
    else parts.push(Buffer.from(plain ?? letter(escaped ?? '')))
  }
  return Buffer.concat(parts)
}

function letter(escaped: string): string {
  const text = ESCAPES.get(escaped)
  if (text === undefined)
    throw new UsageError(`\\${escaped} is no escape: use \\n \\t \\r \\0 \\\\ or \\xNN`)
  return text
}
