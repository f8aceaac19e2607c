// Bytes to records: lines, JSON lines, or a format (-f). Enters: chunks. Leaves: one record after the other.
import { BadInput, EXIT } from '../failures.ts'
import { parseJsonLine } from './json-line.ts'
import { LineSplitter } from './line-splitter.ts'

export type ReadRecord = {
  readonly partition?: number | undefined
  readonly timestamp?: number | undefined
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [string, Buffer | null])[]
}

export type RecordReader = {
  /** Takes a chunk and keeps it: records are views of it. */
  push(chunk: Buffer): void
  /** No more chunks. */
  end(): void
  /** The next whole record; undefined: that needs more bytes. Errors: a BadInput that names the place. */
  next(): ReadRecord | undefined
  /** Where the record stood that `next` gave last: `line 3`. */
  place(): string
}

/** What one line, or one value of the command line, means; undefined: nothing. `place` is for the error. */
export type LineReading = (line: Buffer, place: string) => ReadRecord | undefined

/** A value; with `keyDelimiter` a key before it. Where that is missing there is no key. */
export function plainLine(keyDelimiter: Buffer | undefined): LineReading {
  return (line) => {
    const at = keyDelimiter === undefined ? -1 : line.indexOf(keyDelimiter)
    if (keyDelimiter === undefined || at === -1) return { key: null, value: line, headers: [] }
    return {
      key: line.subarray(0, at),
      value: line.subarray(at + keyDelimiter.length),
      headers: [],
    }
  }
}

/** A JSON object; blank lines are passed by. */
export const jsonLine: LineReading = (line, place) => {
  if (isBlank(line)) return undefined
  try {
    return parseJsonLine(line.toString('utf8'))
  } catch (error) {
    throw new BadInput(`${place}: ${(error as Error).message}`, EXIT.failed, { cause: error })
  }
}

/** Nothing but spaces and a carriage return. */
function isBlank(line: Buffer): boolean {
  return line.length < 64 && line.toString('latin1').trim() === ''
}

export function readLines(delimiter: Buffer, read: LineReading): RecordReader {
  const splitter = new LineSplitter(delimiter)
  const place = () => `line ${splitter.number}`
  return {
    push: (chunk) => splitter.push(chunk),
    end: () => splitter.end(),
    next() {
      for (let line = splitter.next(); line !== undefined; line = splitter.next()) {
        const record = read(line, place())
        if (record !== undefined) return record
      }
      return undefined
    },
    place,
  }
}

/** Each value is whole, whatever it holds. */
export function readValues(values: readonly string[], read: LineReading): RecordReader {
  let number = 0
  const place = () => `value ${number}`
  return {
    push: () => {},
    end: () => {},
    next() {
      while (number < values.length) {
        const record = read(Buffer.from(values[number++] ?? ''), place())
        if (record !== undefined) return record
      }
      return undefined
    },
    place,
  }
}
