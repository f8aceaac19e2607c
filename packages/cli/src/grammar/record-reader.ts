// Bytes to records: lines, JSON lines, or a format (-f). Enters: chunks. Leaves: one record after the other.
import { Failure } from '../endings.ts'
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
  /** The next whole record; undefined: that needs more bytes. Errors: a Failure that names the place. */
  next(): ReadRecord | undefined
  /** Where the record stood that `next` gave last: `line 3`. */
  place(): string
}

/** Each line a value, with `keyDelimiter` a key before it; a line without that has no key. */
export function plainLines(delimiter: Buffer, keyDelimiter: Buffer | undefined): RecordReader {
  return readerOfLines(new LineSplitter(delimiter), (line) => {
    const at = keyDelimiter === undefined ? -1 : line.indexOf(keyDelimiter)
    if (keyDelimiter === undefined || at === -1) return { key: null, value: line, headers: [] }
    return {
      key: line.subarray(0, at),
      value: line.subarray(at + keyDelimiter.length),
      headers: [],
    }
  })
}

/** Each line a JSON object; empty lines are passed by. */
export function jsonLines(delimiter: Buffer): RecordReader {
  const splitter = new LineSplitter(delimiter)
  return readerOfLines(splitter, (line) => {
    if (isBlank(line)) return undefined
    try {
      return parseJsonLine(line.toString('utf8'))
    } catch (error) {
      throw new Failure(`line ${splitter.number}: ${(error as Error).message}`, undefined, {
        cause: error,
      })
    }
  })
}

function readerOfLines(
  splitter: LineSplitter,
  read: (line: Buffer) => ReadRecord | undefined,
): RecordReader {
  return {
    push: (chunk) => splitter.push(chunk),
    end: () => splitter.end(),
    next() {
      for (let line = splitter.next(); line !== undefined; line = splitter.next()) {
        const record = read(line)
        if (record !== undefined) return record
      }
      return undefined
    },
    place: () => `line ${splitter.number}`,
  }
}

/** Nothing but spaces and a carriage return. */
function isBlank(line: Buffer): boolean {
  return line.length < 64 && line.toString('latin1').trim() === ''
}
