import { expect, test } from 'vitest'
import { formatReader, formatValue } from './format-reader.ts'
import type { ReadRecord } from './record-reader.ts'

function read(format: string, ...chunks: (string | Buffer)[]): ReadRecord[] {
  const reader = formatReader(format)
  const found: ReadRecord[] = []
  const drain = () => {
    for (let record = reader.next(); record !== undefined; record = reader.next())
      found.push(record)
  }
  for (const chunk of chunks) {
    reader.push(Buffer.from(chunk))
    drain()
  }
  reader.end()
  drain()
  return found
}

const keysAndValues = (records: readonly ReadRecord[]) =>
  records.map(({ key, value }) => [key?.toString() ?? null, value?.toString() ?? null])

test('what stands between two verbs ends the first of them', () =>
  expect(keysAndValues(read('%k %v\\n', 'a one thing\n', 'b two\nc ', 'three\n'))).toEqual([
    ['a', 'one thing'],
    ['b', 'two'],
    ['c', 'three'],
  ]))

test('the last record may lack what ends it', () =>
  expect(keysAndValues(read('%k:%v\\n', 'a:1\nb:2'))).toEqual([
    ['a', '1'],
    ['b', '2'],
  ]))

test('a size before makes a value of so many bytes, whatever they are', () =>
  expect(keysAndValues(read('%K %V %k%v;', '1 3 ka;b;', '-1 0 ;', '0 -1 ;'))).toEqual([
    ['k', 'a;b'],
    [null, ''],
    ['', null],
  ]))

test('a format that ends with its value takes all that comes', () =>
  expect(keysAndValues(read('%v', 'a\n', 'b\n'))).toEqual([[null, 'a\nb\n']]))

test('partition, timestamp and headers are read; topic and offset are passed by', () =>
  expect(read('%t[%p]@%o %T %h{source}=%v\\n', 'orders[3]@17 1767225600000 web=x\n')).toEqual([
    {
      partition: 3,
      timestamp: 1_767_225_600_000,
      key: null,
      value: Buffer.from('x'),
      headers: [['source', Buffer.from('web')]],
    },
  ]))

test('encodings are read back', () =>
  expect(
    read('%k{hex} %v{base64} %d\\n', 'fF00 aGVsbMO2 2026-01-01T00:00:00.000Z\n')[0],
  ).toMatchObject({
    key: Buffer.from([0xff, 0]),
    value: Buffer.from('hellö'),
    timestamp: 1_767_225_600_000,
  }))

test('a JSON string is its text, null is null', () =>
  expect(keysAndValues(read('%v{json}\\n', '"a\\nb"\nnull\n{"id":1}\n'))).toEqual([
    [null, 'a\nb'],
    [null, null],
    [null, '{"id":1}'],
  ]))

test.each([
  ['%k %v\\n', 'a b\nnospace', /^record 2: no " " in what is left/],
  ['%p %v\\n', 'x b\n', /^record 1: the partition is no number/],
  ['%V %v\\n', '5 ab\n', /^record 1: the input ends inside the value/],
  ['%V %v\\n', '1 ab\n', /^record 1: expected "\\n"/],
  ['<%v>', '(a>', /^record 1: expected "<"/],
  ['%v{hex}\\n', 'abc\n', /^record 1: not hex/],
  ['%v{json}\\n', '{\n', /^record 1: not JSON/],
  ['%d %v\\n', 'soon x\n', /^record 1: "soon" is no time/],
])('format %j refuses %j', (format, input, message) =>
  expect(() => read(format, input)).toThrow(message),
)

test.each([
  ['%t\\n', /needs %v/],
  ['%k%v\\n', /something must stand behind the key/],
  ['%h %v\\n', /%h cannot be read back/],
  ['%V %v{hex}', /does not go with a size/],
])('format %j cannot be read', (format, message) =>
  expect(() => formatReader(format)).toThrow(message),
)

test('one value of the command line is read by a format, too', () => {
  const { key, value } = formatValue('%k %v\\n')(Buffer.from('a b'), 'value 1') ?? {}
  expect([key?.toString(), value?.toString()]).toEqual(['a', 'b'])
  expect(() => formatValue('%k %v')(Buffer.from('ab'), 'value 7')).toThrow(/^value 7: no " "/)
})
