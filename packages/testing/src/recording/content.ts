// What a record says, in a few characters that people can read: what histories tell records apart by.
// Key and value count, headers do not: tracing adds some on the way.
import { hashText } from '../world/generator.ts'

type Bytes = Uint8Array | string

const LENGTH_MAX = 60
/** V8 copies so few characters; of more it would keep the whole text. */
const SHOWN_LENGTH = 12
/** Of the second of two hashes. */
const OTHER_START = 0x5bd1e995
const NULL = '∅'
/** Stands for what is no UTF-8. */
const REPLACEMENT = '\ufffd'

/** The same for a text and for its UTF-8. Long ones end with 64 bits of hashes. */
export function contentOf(key: Bytes | null, value: Bytes | null): string {
  const text = textOf(value)
  return shortened(key === null ? text : `${textOf(key)}: ${text}`)
}

function textOf(bytes: Bytes | null): string {
  if (bytes === null) return NULL
  if (typeof bytes === 'string' && isAscii(bytes)) return bytes
  const buffer =
    typeof bytes === 'string'
      ? Buffer.from(bytes)
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const text = buffer.toString()
  return text.includes(REPLACEMENT) ? buffer.toString('base64') : text
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) return false
  return true
}

function shortened(text: string): string {
  if (text.length <= LENGTH_MAX) return text
  const hash = hex(hashText(text)) + hex(hashText(text, OTHER_START))
  return `${text.slice(0, SHOWN_LENGTH)}… #${hash}, ${text.length} characters`
}

function hex(hash: number): string {
  return (hash >>> 0).toString(16).padStart(8, '0')
}
