// What a record says, in a few characters that people can read: what histories tell records apart by.
// Key and value count, headers do not: tracing adds some on the way.
import { crc32c } from '@minikafka/platform'
import { hashText } from '../world/generator.ts'

type Bytes = Uint8Array | string

const LENGTH_MAX = 60
const SHOWN_LENGTH = 24
const NULL = '∅'
/** Stands for what is no UTF-8. */
const REPLACEMENT = '\ufffd'

/** The same for a text and for its UTF-8. Long ones end with 64 bits of checksums. */
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
  const sums = [crc32c(Buffer.from(text)), hashText(text)]
  const digits = sums.map((sum) => (sum >>> 0).toString(16).padStart(8, '0')).join('')
  return `${text.slice(0, SHOWN_LENGTH)}… #${digits}, ${text.length} characters`
}
