// Records of the -f format of produce: the verbs of consume, read backwards. What stands between two verbs ends the first of them;
// a size (%K, %V) read before makes a key or value of exactly so many bytes.
// Enters: a format, then chunks. Leaves: one record after the other, or a BadInput that says where the input does not fit.
import { BadInput } from '../failures.ts'
import { UsageError } from '../usage-error.ts'
import { type Encoding, type FormatPart, parseFormat } from './format.ts'
import { calendarTime } from './offsets.ts'
import type { LineReading, ReadRecord, RecordReader } from './record-reader.ts'

const RECORD_BYTES_MAX = 16 * 1024 * 1024
const NEEDS_MORE = Symbol('needs more bytes')

type Draft = {
  partition?: number
  timestamp?: number
  key: Buffer | null
  value: Buffer | null
  keySize?: number
  valueSize?: number
  headers: [string, Buffer][]
}

export function formatReader(format: string): RecordReader {
  const parts = parseFormat(format)
  checkReadable(parts)
  return new FormatReader(parts, (number) => `record ${number}`)
}

/** One value of the command line. */
export function formatValue(format: string): LineReading {
  const parts = parseFormat(format)
  checkReadable(parts)
  return (value, place) => {
    const reader = new FormatReader(parts, () => place)
    reader.push(value)
    reader.end()
    return reader.next()
  }
}

class FormatReader implements RecordReader {
  readonly #parts: readonly FormatPart[]
  readonly #placeOf: (number: number) => string
  #bytes: Buffer = Buffer.alloc(0)
  #position = 0
  #ended = false
  #number = 0

  constructor(parts: readonly FormatPart[], placeOf: (number: number) => string) {
    this.#parts = parts
    this.#placeOf = placeOf
  }

  push(chunk: Buffer): void {
    const rest = this.#bytes.subarray(this.#position)
    if (rest.length > RECORD_BYTES_MAX)
      throw new BadInput(
        `${this.#placeOf(this.#number + 1)} is longer than ${RECORD_BYTES_MAX} bytes`,
      )
    this.#bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    this.#position = 0
  }

  end(): void {
    this.#ended = true
  }

  place(): string {
    return this.#placeOf(this.#number)
  }

  next(): ReadRecord | undefined {
    if (this.#position >= this.#bytes.length) return undefined
    const draft: Draft = { key: null, value: null, headers: [] }
    let position = this.#position
    for (const [index, part] of this.#parts.entries()) {
      const read = this.#read(part, index, position, draft)
      if (read === NEEDS_MORE) return undefined
      position = read
    }
    this.#position = position
    this.#number++
    const { partition, timestamp, key, value, headers } = draft
    return { partition, timestamp, key, value, headers }
  }

  /** Reads one part from `position`; returns where the next begins. */
  #read(
    part: FormatPart,
    index: number,
    position: number,
    draft: Draft,
  ): number | typeof NEEDS_MORE {
    if (part.is === 'bytes') return this.#literal(part.bytes, index, position)
    const size =
      part.is === 'key' ? draft.keySize : part.is === 'value' ? draft.valueSize : undefined
    if (size === -1) return position
    const end = size === undefined ? this.#endOf(index, position) : position + size
    if (end === NEEDS_MORE) return end
    if (end > this.#bytes.length) {
      if (this.#ended) throw this.#broken(`the input ends inside ${NAMES[part.is]}`)
      return NEEDS_MORE
    }
    this.#take(part, this.#bytes.subarray(position, end), draft)
    return end
  }

  #literal(bytes: Buffer, index: number, position: number): number | typeof NEEDS_MORE {
    const found = this.#bytes.subarray(position, position + bytes.length)
    if (found.equals(bytes)) return position + bytes.length
    if (found.length < bytes.length && bytes.subarray(0, found.length).equals(found)) {
      // The last line of a file may lack its end.
      if (this.#ended && found.length === 0 && index === this.#parts.length - 1) return position
      if (!this.#ended) return NEEDS_MORE
    }
    throw this.#broken(`expected ${JSON.stringify(bytes.toString('utf8'))}`)
  }

  /** Where a part without a size ends: before the bytes that follow it, or with the input. */
  #endOf(index: number, position: number): number | typeof NEEDS_MORE {
    const following = this.#parts[index + 1]
    if (following?.is === 'bytes') {
      const at = this.#bytes.indexOf(following.bytes, position)
      if (at !== -1) return at
      const isLast = index + 2 === this.#parts.length
      if (this.#ended && !isLast)
        throw this.#broken(`no ${JSON.stringify(following.bytes.toString('utf8'))} in what is left`)
    }
    return this.#ended ? this.#bytes.length : NEEDS_MORE
  }

  #take(part: FormatPart, bytes: Buffer, draft: Draft): void {
    switch (part.is) {
      case 'key':
      case 'value':
        draft[part.is] = this.#decoded(bytes, part.encoding)
        return
      case 'keySize':
      case 'valueSize':
        draft[part.is] = this.#integer(bytes, part.is)
        return
      case 'partition':
      case 'timestamp':
        draft[part.is] = this.#integer(bytes, part.is)
        return
      case 'time':
        draft.timestamp = this.#time(bytes)
        return
      case 'header':
        draft.headers.push([part.name, bytes])
        return
      default:
      // Topic and offset are passed by: where a record goes is said by the command.
    }
  }

  #decoded(bytes: Buffer, encoding: Encoding): Buffer | null {
    if (encoding === 'plain') return bytes
    const text = bytes.toString('latin1')
    if (encoding === 'json') return this.#json(bytes)
    const decoded = Buffer.from(text, encoding)
    if (decoded.toString(encoding).toLowerCase() !== text.toLowerCase())
      throw this.#broken(`not ${encoding}: ${JSON.stringify(text.slice(0, 40))}`)
    return decoded
  }

  #json(bytes: Buffer): Buffer | null {
    const text = bytes.toString('utf8')
    try {
      const value: unknown = JSON.parse(text)
      if (value === null) return null
      return typeof value === 'string' ? Buffer.from(value) : bytes
    } catch (error) {
      throw this.#broken(`not JSON: ${(error as Error).message}`)
    }
  }

  #integer(bytes: Buffer, what: keyof typeof NAMES): number {
    const text = bytes.toString('latin1')
    const smallest = what === 'keySize' || what === 'valueSize' ? -1 : 0
    if (!/^-?\d{1,16}$/.test(text) || Number(text) < smallest)
      throw this.#broken(`${NAMES[what]} is no number: ${JSON.stringify(text.slice(0, 40))}`)
    return Number(text)
  }

  #time(bytes: Buffer): number {
    const text = bytes.toString('latin1')
    const timestampMs = calendarTime(text)
    if (timestampMs === undefined)
      throw this.#broken(`${JSON.stringify(text.slice(0, 40))} is no time`)
    return timestampMs
  }

  #broken(what: string): BadInput {
    return new BadInput(`${this.#placeOf(this.#number + 1)}: ${what}`)
  }
}

const NAMES = {
  bytes: 'text',
  topic: 'the topic',
  partition: 'the partition',
  offset: 'the offset',
  timestamp: 'the timestamp',
  time: 'the time',
  keySize: 'the size of the key',
  valueSize: 'the size of the value',
  headers: 'the headers',
  key: 'the key',
  value: 'the value',
  header: 'the header',
} as const

/** Refuses what could be printed and never be read again. */
function checkReadable(parts: readonly FormatPart[]): void {
  if (!parts.some(({ is }) => is === 'key' || is === 'value'))
    throw new UsageError('-f: a format for input needs %v, or at least %k')
  const sized = new Set<string>()
  for (const [index, part] of parts.entries()) {
    if (part.is === 'bytes') continue
    if (part.is === 'headers')
      throw new UsageError('-f: %h cannot be read back; name them one by one, %h{name}')
    if (part.is === 'keySize') sized.add('key')
    if (part.is === 'valueSize') sized.add('value')
    const following = parts[index + 1]
    const hasSize = sized.has(part.is)
    if (hasSize && 'encoding' in part && part.encoding !== 'plain')
      throw new UsageError(`-f: {${part.encoding}} does not go with a size`)
    if (!hasSize && following !== undefined && following.is !== 'bytes')
      throw new UsageError(`-f: something must stand behind ${NAMES[part.is]}, to end it`)
  }
}
