import { expect, test } from 'vitest'
import { parseOffsets, parseTime } from './offsets.ts'

const NOW = Date.UTC(2026, 0, 31, 12)
const at = (hour: number) => ({ at: 'time', timestampMs: Date.UTC(2026, 0, 31, hour) })

test.each([
  ['start', { from: { at: 'start' } }],
  ['earliest', { from: { at: 'start' } }],
  ['beginning', { from: { at: 'start' } }],
  ['end', { from: { at: 'end' } }],
  ['latest', { from: { at: 'end' } }],
  ['committed', { from: { at: 'committed' } }],
  ['42', { from: { at: 'offset', offset: 42 } }],
  ['+5', { from: { at: 'after-start', count: 5 } }],
  ['-10', { from: { at: 'before-end', count: 10 } }],
  ['5:9', { from: { at: 'offset', offset: 5 }, to: { at: 'offset', offset: 9 } }],
  ['+1:-1', { from: { at: 'after-start', count: 1 }, to: { at: 'before-end', count: 1 } }],
  [':end', { from: { at: 'start' }, to: { at: 'end' } }],
  [':', { from: { at: 'start' } }],
  ['-5:', { from: { at: 'before-end', count: 5 } }],
  ['@-1h:', { from: at(11) }],
  ['@2026-01-31T10:00:00Z', { from: at(10) }],
  ['@20260131T100000Z:@20260131T110000Z', { from: at(10), to: at(11) }],
  [':@2026-01-31T10:00:00Z', { from: { at: 'start' }, to: at(10) }],
])('offset %s', (text, range) => expect(parseOffsets(text, NOW)).toEqual(range))

test.each(['', 'begin', '1.5', '99999999999999999', '@', '@yesterday', '1:2:3'])(
  '%j is no offset',
  (text) => expect(() => parseOffsets(text, NOW)).toThrow(/is no/),
)

test('a range of times with colons is told how to write them', () =>
  expect(() => parseOffsets('@2026-01-31T10:00:00Z:@2026-01-31T11:00:00Z', NOW)).toThrow(
    /in a range 20260131T100000Z/,
  ))

test.each([
  ['1767225600000', 1_767_225_600_000],
  ['1767225600', 1_767_225_600_000],
  ['2026-01-31', Date.UTC(2026, 0, 31)],
  ['20260131', Date.UTC(2026, 0, 31)],
  ['2026-01-31T10:00:00', Date.UTC(2026, 0, 31, 10)],
  ['2026-01-31T10:00', Date.UTC(2026, 0, 31, 10)],
  ['2026-01-31t10:00:00.25z', Date.UTC(2026, 0, 31, 10, 0, 0, 250)],
  ['2026-01-31T10:00:00+02:00', Date.UTC(2026, 0, 31, 8)],
  ['20260131T100000-0130', Date.UTC(2026, 0, 31, 11, 30)],
  ['-1d', Date.UTC(2026, 0, 30, 12)],
])('time %s is UTC', (text, ms) => expect(parseTime(text, NOW)).toBe(ms))

test.each([
  '2026-02-30',
  '2026-13-01',
  '2026-01-00',
  '2026-01-31T25:00:00Z',
  '2026-01-31 10:00',
  '123456789',
])('%j is no time', (text) => expect(() => parseTime(text, NOW)).toThrow(/is no time/))

test.each(['5:2', '@20260131T100000Z:@20260130T100000Z'])('%s ends before it begins', (text) =>
  expect(() => parseOffsets(text, NOW)).toThrow(/ends before it begins/),
)

test('a time before 1970 is the beginning', () => expect(parseTime('-9999w', NOW)).toBe(0))
