// Text files that end with their own CRC-32C: meta.json, partition.meta, checkpoints, `sealed`, producer snapshots.
// Enters: text. Leaves: the bytes to write, or the text again if it is whole.
//
//   any lines, each ending with \n
//   crc32c 1a2b3c4d\n          of all bytes before this line
import { crc32c } from '@minikafka/platform'

const LABEL = 'crc32c '
/** Label, eight hexadecimal digits, line feed. */
const LAST_LINE_SIZE = LABEL.length + 8 + 1

export function withChecksum(text: string): Buffer {
  const body = Buffer.from(text.endsWith('\n') ? text : `${text}\n`)
  return Buffer.concat([body, checksumLine(crc32c(body))])
}

/** The last line of a text that has the checksum `crc`. */
export function checksumLine(crc: number): Buffer {
  return Buffer.from(`${LABEL}${hex(crc)}\n`)
}

/** The text without its last line; undefined where the two do not fit. */
export function checkedText(content: Buffer): string | undefined {
  return checkedBody(content)?.toString()
}

/** The same as bytes. */
export function checkedBody(content: Buffer): Buffer | undefined {
  const bodySize = content.length - LAST_LINE_SIZE
  if (bodySize < 0) return undefined
  const body = content.subarray(0, bodySize)
  return checksumLine(crc32c(body)).equals(content.subarray(bodySize)) ? body : undefined
}

/** A JSON object under its checksum; undefined where it is damaged. */
export function checkedJson(content: Buffer): Readonly<Record<string, unknown>> | undefined {
  const text = checkedText(content)
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null
      ? (value as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined // The checksum fits, so somebody wrote this on purpose; it is not ours all the same.
  }
}

export function jsonWithChecksum(value: object): Buffer {
  return withChecksum(JSON.stringify(value, undefined, 2))
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0')
}
