// Keys, values and header parts as bytes: their size, and their way into the batch buffer. Short strings take a
// loop of our own, for a call into the runtime costs more than 48 characters do (PERFORMANCE 3).
import { putVarint } from './varint.ts'

const SHORT_CHARS_MAX = 48
const SHORT_BYTES_MAX = 16

/** Bytes of `data` in a batch; -1: null. */
export function bytesSize(data: Uint8Array | string | null): number {
  if (typeof data === 'string') return textSize(data)
  return data === null ? -1 : data.length
}

function textSize(text: string): number {
  const length = text.length
  if (length > SHORT_CHARS_MAX) return Buffer.byteLength(text)
  for (let index = 0; index < length; index++) {
    if (text.charCodeAt(index) >= 0x80) return Buffer.byteLength(text)
  }
  return length
}

/** Writes the size, then the bytes; returns the position behind them. `size` is what `bytesSize` said. */
export function putSized(
  buffer: Buffer,
  start: number,
  data: Uint8Array | string | null,
  size: number,
): number {
  const position = putVarint(buffer, start, size)
  if (data === null) return position
  if (typeof data === 'string') putText(buffer, position, data, size)
  else putBytes(buffer, position, data)
  return position + size
}

function putText(buffer: Buffer, position: number, text: string, size: number): void {
  const length = text.length
  if (size !== length || length > SHORT_CHARS_MAX) {
    buffer.write(text, position, size, 'utf8')
    return
  }
  // As many bytes as characters: all of them are below 128.
  for (let index = 0; index < length; index++) buffer[position + index] = text.charCodeAt(index)
}

function putBytes(buffer: Buffer, position: number, bytes: Uint8Array): void {
  const length = bytes.length
  if (length > SHORT_BYTES_MAX) {
    buffer.set(bytes, position)
    return
  }
  for (let index = 0; index < length; index++) buffer[position + index] = bytes[index] as number
}
