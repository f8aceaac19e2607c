// Keys, values and header parts as bytes: their size, and their way into the batch buffer. What is short takes a
// loop of our own, for a call into the runtime costs as much as some 24 characters do (scripts/bench-records.ts).
import { putVarint } from './varint.ts'

const SHORT_CHARS_MAX = 24
const SHORT_BYTES_MAX = 16

/** Bytes of `data` in a batch; -1: null. */
export function bytesSize(data: Uint8Array | string | null): number {
  if (typeof data === 'string') return textSize(data)
  return data === null ? -1 : data.length
}

function textSize(text: string): number {
  const length = text.length
  if (length > SHORT_CHARS_MAX) return Buffer.byteLength(text)
  let bits = 0
  for (let index = 0; index < length; index++) bits |= text.charCodeAt(index)
  return bits < 0x80 ? length : Buffer.byteLength(text)
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
  if (size !== length) {
    buffer.write(text, position, size, 'utf8')
    return
  }
  // As many bytes as characters: all of them are below 128, where Latin-1 is the same and half the price.
  if (length > SHORT_CHARS_MAX) {
    buffer.write(text, position, size, 'latin1')
    return
  }
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
