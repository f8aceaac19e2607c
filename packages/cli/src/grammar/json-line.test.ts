import { expect, test } from 'vitest'
import { formatJsonLine, parseJsonLine } from './json-line.ts'
import type { PrintedRecord } from './record-format.ts'

const record: PrintedRecord = {
  topic: 'orders',
  partition: 3,
  offset: 17,
  timestamp: 1_767_225_600_000,
  key: Buffer.from('c-42'),
  value: Buffer.from('hellö'),
  headers: [['source', Buffer.from('web')]],
}

test('the line has the documented shape', () => {
  expect(formatJsonLine(record)).toBe(
    '{"topic":"orders","partition":3,"offset":17,"timestamp":1767225600000,"key":"c-42","value":"hellö","headers":[["source","web"]]}',
  )
  expect(formatJsonLine({ ...record, value: Buffer.from([0xff]) })).toContain(
    '"value":"/w==","valueEncoding":"base64"',
  )
})

test('without its value a line says how large that is', () => {
  const line = formatJsonLine(record, { metaOnly: true })
  expect(JSON.parse(line)).toEqual({
    ...{ topic: 'orders', partition: 3, offset: 17, timestamp: 1_767_225_600_000 },
    ...{ key: 'c-42', valueSize: 6, headers: [['source', 'web']] },
  })
  expect(formatJsonLine({ ...record, value: null }, { metaOnly: true })).toContain('"valueSize":-1')
})

test.each([
  ['text', record],
  ['null', { ...record, key: null, value: null }],
  ['empty', { ...record, key: Buffer.alloc(0), value: Buffer.alloc(0) }],
  ['bytes', { ...record, key: Buffer.from([0xfe]), value: Buffer.from([0xff, 0, 1]) }],
  [
    'odd headers',
    {
      ...record,
      headers: [
        ['a', null],
        ['a', Buffer.from([0xc0])],
        ['', Buffer.alloc(0)],
      ] as const,
    },
  ],
])('a line of %s out of consume goes into produce unchanged', (_, one: PrintedRecord) => {
  const { key, value, headers, partition, timestamp } = parseJsonLine(formatJsonLine(one))
  expect({ key, value, headers, partition, timestamp }).toEqual({
    key: one.key,
    value: one.value,
    headers: [...one.headers],
    partition: 3,
    timestamp: one.timestamp,
  })
})

test('only the value is needed', () =>
  expect(parseJsonLine('{"value":"x","topic":"other","offset":9}')).toEqual({
    partition: undefined,
    timestamp: undefined,
    key: null,
    value: Buffer.from('x'),
    headers: [],
  }))

test('a value that is no string is sent as its JSON text', () =>
  expect(parseJsonLine('{"value":{"id":1}}').value?.toString()).toBe('{"id":1}'))

test.each([
  ['{', /not JSON/],
  ['[]', /expected a JSON object/],
  ['{"key":"k"}', /"value" is missing/],
  ['{"value":"x","partition":"3"}', /"partition" must be an integer/],
  ['{"value":"x","headers":{}}', /"headers" must be/],
  ['{"value":"x","valueEncoding":"hex"}', /must be "base64"/],
  ['{"value":"?!","valueEncoding":"base64"}', /"value" must be a base64 string/],
  ['{"value":{"id":12345678901234567890}}', /a number that would change/],
])('a broken line %j says what is wrong', (line, message) =>
  expect(() => parseJsonLine(line)).toThrow(message),
)
