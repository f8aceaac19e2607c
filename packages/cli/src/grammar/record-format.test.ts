import { expect, test } from 'vitest'
import { compileFormat, type PrintedRecord } from './record-format.ts'

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

function printed(format: string, one: PrintedRecord = record): Buffer {
  const out: Uint8Array[] = []
  compileFormat(format)(one, out)
  return Buffer.concat(out)
}

test.each([
  ['%v\\n', 'hellö\n'],
  ['%s|%S', 'hellö|6'],
  ['%t[%p]@%o', 'orders[3]@17'],
  ['%k %K %V', 'c-42 4 6'],
  ['%T %d{iso} %d %%', '1767225600000 2026-01-01T00:00:00.000Z 2026-01-01T00:00:00.000Z %'],
  ['%h|%h{source}|%h{no}', 'source=web,none=NULL|web|'],
  ['%k{hex} %v{base64} %v{json}', '632d3432 aGVsbMO2 "hellö"'],
  ['\\x41\\t\\0\\r\\\\', 'A\t\0\r\\'],
  ['{"p":%p,"t":"%t"}', '{"p":3,"t":"orders"}'],
  ['%p{%o}', '3{17}'],
])('format %j', (format, text) => expect(printed(format).toString()).toBe(text))

test.each(['%q', '\\q', '%d{unix}', '%v{rot13}', '100%', '%5', 'a\\'])(
  'format %j is refused',
  (format) => expect(() => compileFormat(format)).toThrow(/verb|escape|known|use \{hex\}/),
)

test('null prints as nothing, its size as -1', () =>
  expect(printed('[%k][%K][%v{json}][%v]', { ...record, key: null, value: null }).toString()).toBe(
    '[][-1][null][]',
  ))

test('bytes that are not UTF-8 come out as they are', () => {
  const value = Buffer.from([0xff, 0, 0x80])
  expect(printed('%v\\xff', { ...record, value })).toEqual(Buffer.from([0xff, 0, 0x80, 0xff]))
})

test('a time that no calendar has is printed as a number', () =>
  expect(printed('%d', { ...record, timestamp: 9e15 }).toString()).toBe('9000000000000000'))
