import { encode } from '@msgpack/msgpack'
import { expect, test } from 'vitest'
import { blob, type Fields, int32, list, nullable, string, struct } from '../define.ts'
import { readBody } from './body-reader.ts'
import { writeBody } from './body-writer.ts'
import { Envelope } from './envelope.ts'
import { structLayout } from './layout.ts'

const item = struct({
  id: int32('Of version 0.'),
  weight: int32('Of version 2.', { since: 2, fallback: 10 }),
})
const layout = structLayout({
  name: string('Of version 0.'),
  note: nullable(string('Of version 1.'), { since: 1, fallback: null }),
  items: list('Of version 2.', item, { countMax: 5, since: 2, fallback: [] }),
})

function read(body: unknown, version: number, fields = layout) {
  const envelope = new Envelope(encode([0, [], body]), 2, 32)
  envelope.int('first')
  envelope.array('head')
  return readBody(envelope.content(fields), version, fields)
}

const newest = { name: 'n', note: 'x', items: [{ id: 1, weight: 2 }] }

test.each([
  [0, ['n']],
  [1, ['n', 'x']],
  [2, ['n', 'x', [[1, 2]]]],
  [9, ['n', 'x', [[1, 2]]]],
])('version %i carries the fields it knows', (version, items) => {
  expect(writeBody(layout, version, newest).items).toEqual(items)
})

test('what the version does not carry has its fallback, even where the sender sent it', () => {
  expect(read(['n'], 0)).toEqual({ name: 'n', note: null, items: [] })
  expect(read(['n', 'x', [[1, 2]]], 1)).toEqual({ name: 'n', note: 'x', items: [] })
  expect(read(['n', 'x', [[1]]], 2)).toEqual({
    name: 'n',
    note: 'x',
    items: [{ id: 1, weight: 10 }],
  })
})

test('a field of the first version is never missing', () => {
  expect(() => read([], 2)).toThrow(expect.objectContaining({ path: '/name', reason: 'value' }))
  expect(() => read(['n', 'x', [[]]], 2)).toThrow(expect.objectContaining({ path: '/items/0/id' }))
})

test('the path of a field in an unknown item is its index', () => {
  const envelope = new Envelope(Buffer.of(0x93, 0, 0x90, 0x93, 0xa0, 0xc0, 0xc1), 2, 32)
  envelope.int('first')
  envelope.array('head')
  const known = structLayout({ name: string('') })
  expect(() => envelope.content(known)).toThrow(expect.objectContaining({ path: '/2' }))
})

test('a definition whose new field has no fallback, or stands before an older one, is a fault', () => {
  const fields: Fields = { a: int32('', { since: 1 }) }
  expect(() => structLayout(fields)).toThrow('a: a field with "since" has a fallback')
  const order: Fields = { a: int32('', { since: 1, fallback: 0 }), b: int32('') }
  expect(() => structLayout(order)).toThrow('b: later fields stand behind earlier')
})

test('an optional blob that is absent is [-1, 0]', () => {
  const optional = structLayout({ data: nullable(blob('')) })
  expect(writeBody(optional, 0, { data: null })).toEqual({ items: [[-1, 0]], blobs: [] })
  expect(read([[-1, 0]], 0, optional)).toEqual({ data: null })
  expect(writeBody(optional, 0, { data: Buffer.of(1) }).items).toEqual([[0, 1]])
})
