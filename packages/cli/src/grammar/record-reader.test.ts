import { expect, test } from 'vitest'
import { jsonLine, plainLine, type RecordReader, readLines, readValues } from './record-reader.ts'

function all(reader: RecordReader, ...chunks: string[]): [string | null, string | null][] {
  const found: [string | null, string | null][] = []
  const drain = () => {
    for (let record = reader.next(); record !== undefined; record = reader.next())
      found.push([record.key?.toString() ?? null, record.value?.toString() ?? null])
  }
  for (const chunk of chunks) {
    reader.push(Buffer.from(chunk))
    drain()
  }
  reader.end()
  drain()
  return found
}

const NEWLINE = Buffer.from('\n')

test('each line is a value, an empty one too', () =>
  expect(all(readLines(NEWLINE, plainLine(undefined)), 'a\n\nb', 'c')).toEqual([
    [null, 'a'],
    [null, ''],
    [null, 'bc'],
  ]))

test('the key stands before the first key delimiter; without it there is none', () =>
  expect(all(readLines(NEWLINE, plainLine(Buffer.from(': '))), 'k: v: w\nv\n: e\n')).toEqual([
    ['k', 'v: w'],
    [null, 'v'],
    ['', 'e'],
  ]))

test('values of the command line are whole', () =>
  expect(all(readValues(['a\nb', ''], plainLine(undefined)))).toEqual([
    [null, 'a\nb'],
    [null, ''],
  ]))

test('blank lines between JSON lines are passed by, and counted', () => {
  const reader = readLines(NEWLINE, jsonLine)
  expect(all(reader, '{"value":"a"}\n\n \r\n{"value":"b"}\r\n')).toEqual([
    [null, 'a'],
    [null, 'b'],
  ])
  expect(reader.place()).toBe('line 4')
})

test('a broken JSON line is named by its number, after those before it', () => {
  const reader = readLines(NEWLINE, jsonLine)
  reader.push(Buffer.from('{"value":"a"}\n{"value":\n{"value":"c"}\n'))
  expect(reader.next()?.value?.toString()).toBe('a')
  expect(() => reader.next()).toThrow(/^line 2: not JSON/)
})
