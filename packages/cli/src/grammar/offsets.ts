// OFFSET = POINT | [POINT] ":" [POINT], as `minikafka help offsets` prints it. Pure: the time is an argument.
// Enters: text. Leaves: where to begin and, for a range, where to end; or a UsageError.
import { UsageError } from '../usage-error.ts'
import { parseDuration } from './duration.ts'

export type Point =
  | { readonly at: 'start' }
  | { readonly at: 'end' }
  | { readonly at: 'committed' }
  | { readonly at: 'offset'; readonly offset: number }
  | { readonly at: 'after-start'; readonly count: number }
  | { readonly at: 'before-end'; readonly count: number }
  | { readonly at: 'time'; readonly timestampMs: number }

/** `to` absent: follow. A range ends before its second point. */
export type OffsetRange = { readonly from: Point; readonly to?: Point }

const WORDS: ReadonlyMap<string, Point> = new Map([
  ['start', { at: 'start' }],
  ['earliest', { at: 'start' }],
  ['beginning', { at: 'start' }],
  ['end', { at: 'end' }],
  ['latest', { at: 'end' }],
  ['committed', { at: 'committed' }],
])

export function parseOffsets(text: string, nowMs: number): OffsetRange {
  const colon = rangeColon(text)
  if (colon === -1) return { from: parsePoint(text, nowMs) }
  const from = text.slice(0, colon)
  const to = text.slice(colon + 1)
  return {
    from: from === '' ? { at: 'start' } : parsePoint(from, nowMs),
    ...(to === '' ? {} : { to: parsePoint(to, nowMs) }),
  }
}

/** The colon of the range. A time with colons (RFC 3339) stands alone: in a range it is written in the basic form. */
function rangeColon(text: string): number {
  if (/^@\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text)) return -1
  return text.indexOf(':')
}

export function parsePoint(text: string, nowMs: number): Point {
  const word = WORDS.get(text)
  if (word !== undefined) return word
  if (text.startsWith('@')) return { at: 'time', timestampMs: parseTime(text.slice(1), nowMs) }
  const match = /^([+-]?)(\d{1,16})$/.exec(text)
  const count = Number(match?.[2])
  if (match === null || !Number.isSafeInteger(count)) {
    throw new UsageError(
      `${JSON.stringify(text)} is no offset: use start, end, committed, a number, +N, -N or @TIME (minikafka help offsets)`,
    )
  }
  if (match[1] === '+') return { at: 'after-start', count }
  if (match[1] === '-') return { at: 'before-end', count }
  return { at: 'offset', offset: count }
}

/** Epoch milliseconds (13 digits) or seconds (10), a day, RFC 3339 (basic or extended form), or -DURATION ago. UTC. */
export function parseTime(text: string, nowMs: number): number {
  if (/^\d{13}$/.test(text)) return Number(text)
  if (/^\d{10}$/.test(text)) return Number(text) * 1000
  if (text.startsWith('-')) return nowMs - parseDuration(text.slice(1))
  const parsed = Date.parse(extended(text))
  if (Number.isNaN(parsed) || !/^\d{4}-?\d\d-?\d\d/.test(text)) {
    throw new UsageError(
      `${JSON.stringify(text)} is no time: use epoch ms or s, 2026-01-31, RFC 3339 or -1h`,
    )
  }
  return parsed
}

/** 20260131T100000Z is 2026-01-31T10:00:00Z; without a zone it is UTC. */
function extended(text: string): string {
  const basic = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(Z|[+-]\d\d:?\d\d)?$/.exec(text)
  if (basic !== null) {
    const [, year, month, day, hour, minute, second, zone = 'Z'] = basic
    return `${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`
  }
  return /T[\d:.]+$/.test(text) ? `${text}Z` : text
}
