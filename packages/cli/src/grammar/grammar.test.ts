import { expect, test } from 'vitest'
import { parseDuration } from './duration.ts'
import { formatJsonLine, parseJsonLine } from './json-line.ts'
import { parseOffsets, parseTime } from './offsets.ts'
import { compileFormat, type PrintedRecord } from './record-format.ts'

const NOW = Date.UTC(2026, 0, 31, 12)

const record: PrintedRecord = {
  topic: 'orders',
  partition: 3,
  offset: 17,
  timestamp: 1_767_225_600_000,
  key: Buffer.from('c-42'),
  value: Buffer.from('hellö'),
  headers: [
    ['source', Buffer.from('web')],
    ['none', null],
  ],
}

test.each([
  ['250ms', 250],
  ['1.5s', 1500],
  ['15m', 900_000],
  ['2w', 1_209_600_000],
])('duration %s', (text, ms) => expect(parseDuration(text)).toBe(ms))

test.each(['', '5', '-5s', '1y', 's'])('%j is no duration', (text) =>
  expect(() => parseDuration(text)).toThrow(/duration/),
)

test.each([
  ['start', { from: { at: 'start' } }],
  ['latest', { from: { at: 'end' } }],
  ['42', { from: { at: 'offset', offset: 42 } }],
  ['+5', { from: { at: 'after-start', count: 5 } }],
  ['-10', { from: { at: 'before-end', count: 10 } }],
  ['5:9', { from: { at: 'offset', offset: 5 }, to: { at: 'offset', offset: 9 } }],
  [':end', { from: { at: 'start' }, to: { at: 'end' } }],
  ['-5:', { from: { at: 'before-end', count: 5 } }],
  ['@-1h:', { from: { at: 'time', timestampMs: NOW - 3_600_000 } }],
  ['@2026-01-31T10:00:00Z', { from: { at: 'time', timestampMs: Date.UTC(2026, 0, 31, 10) } }],
  [
    '@20260131T100000Z:@20260131T110000Z',
    {
      from: { at: 'time', timestampMs: Date.UTC(2026, 0, 31, 10) },
      to: { at: 'time', timestampMs: Date.UTC(2026, 0, 31, 11) },
    },
  ],
])('offset %s', (text, range) => expect(parseOffsets(text, NOW)).toEqual(range))

test.each(['', 'begin', '1.5', '99999999999999999', '@', '@yesterday'])('%j is no offset', (text) =>
  expect(() => parseOffsets(text, NOW)).toThrow(/is no/),
)

test.each([
  ['1767225600000', 1_767_225_600_000],
  ['1767225600', 1_767_225_600_000],
  ['2026-01-31', Date.UTC(2026, 0, 31)],
  ['2026-01-31T10:00:00', Date.UTC(2026, 0, 31, 10)],
  ['2026-01-31T10:00:00+02:00', Date.UTC(2026, 0, 31, 8)],
])('time %s is UTC', (text, ms) => expect(parseTime(text, NOW)).toBe(ms))

test.each([
  ['%v\\n', 'hellö\n'],
  ['%t[%p]@%o', 'orders[3]@17'],
  ['%k %K %V', 'c-42 4 6'],
  ['%T %d{iso} %%', '1767225600000 2026-01-01T00:00:00.000Z %'],
  ['%h|%h{source}|%h{no}', 'source=web,none=NULL|web|'],
  ['%k{hex} %v{base64} %v{json}', '632d3432 aGVsbMO2 "hellö"'],
  ['\\x41\\t\\0', 'A\t\0'],
])('format %j', (format, text) => expect(compileFormat(format)(record).toString()).toBe(text))

test.each(['%q', '\\q', '%d{unix}', '%v{rot13}'])('format %j is refused', (format) =>
  expect(() => compileFormat(format)).toThrow(),
)

test('null prints as nothing, its size as -1', () => {
  expect(
    compileFormat('[%k][%K][%v{json}]')({ ...record, key: null, value: null }).toString(),
  ).toBe('[][-1][null]')
})

test('a line out of consume goes into produce unchanged', () => {
  const binary = {
    ...record,
    value: Buffer.from([0xff, 0, 1]),
    headers: [['b', Buffer.from([0xfe])] as const],
  }
  for (const one of [record, binary, { ...record, key: null, value: null }]) {
    const { key, value, headers, partition, timestamp } = parseJsonLine(formatJsonLine(one))
    expect({ key, value, headers, partition, timestamp }).toEqual({
      key: one.key,
      value: one.value,
      headers: [...one.headers],
      partition: 3,
      timestamp: one.timestamp,
    })
  }
})

test('the line has the documented shape', () => {
  expect(formatJsonLine({ ...record, headers: [] })).toBe(
    '{"topic":"orders","partition":3,"offset":17,"timestamp":1767225600000,"key":"c-42","value":"hellö","headers":[]}',
  )
  expect(formatJsonLine({ ...record, value: Buffer.from([0xff]) })).toContain(
    '"value":"/w==","valueEncoding":"base64"',
  )
})

test('a value that is no string is sent as its JSON text', () => {
  expect(parseJsonLine('{"value":{"id":1}}').value?.toString()).toBe('{"id":1}')
})

test.each([
  ['{', /not JSON/],
  ['[]', /expected a JSON object/],
  ['{"key":"k"}', /"value" is missing/],
  ['{"value":"x","partition":"3"}', /"partition" must be an integer/],
  ['{"value":"x","headers":{}}', /"headers" must be/],
  ['{"value":"x","valueEncoding":"hex"}', /must be "base64"/],
])('a broken line %j says what is wrong', (line, message) =>
  expect(() => parseJsonLine(line)).toThrow(message),
)
