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
  const range = {
    from: from === '' ? ({ at: 'start' } as const) : parsePoint(from, nowMs),
    ...(to === '' ? {} : { to: parsePoint(to, nowMs) }),
  }
  if (isReversed(range)) throw new UsageError(`the range ${text} ends before it begins`)
  return range
}

/** As far as that can be seen without the log. */
function isReversed({ from, to }: OffsetRange): boolean {
  if (from.at === 'offset') return to?.at === 'offset' && to.offset < from.offset
  if (from.at === 'time') return to?.at === 'time' && to.timestampMs < from.timestampMs
  return false
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
      `${JSON.stringify(text)} is no offset: use start, end, a number, +N, -N or @TIME (minikafka help offsets)`,
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
  if (text.startsWith('-')) return Math.max(0, Math.trunc(nowMs - parseDuration(text.slice(1))))
  const timestampMs = calendarTime(text)
  if (timestampMs === undefined) {
    throw new UsageError(
      `${JSON.stringify(text)} is no time: use epoch ms (13 digits) or s (10), 2026-01-31, 2026-01-31T10:00:00Z (in a range 20260131T100000Z) or -1h`,
    )
  }
  return timestampMs
}

const CALENDAR =
  /^(\d{4})-?(\d\d)-?(\d\d)(?:[Tt](\d\d):?(\d\d)(?::?(\d\d)(?:\.(\d{1,9}))?)?([Zz]|[+-]\d\d:?\d\d)?)?$/

/**
 * A day or RFC 3339 as epoch ms; undefined: it is neither. Read by hand: Date.parse() takes the 31st of February,
 * and local time where no zone is named.
 */
export function calendarTime(text: string): number | undefined {
  const match = CALENDAR.exec(text)
  if (match === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((digits) => Number(digits ?? 0))
  if (hour > 23 || minute > 59 || second > 60) return undefined
  const midnightMs = Date.UTC(year, month - 1, day)
  if (new Date(midnightMs).getUTCDate() !== day || month < 1 || month > 12) return undefined
  const millis = Math.trunc(Number(`0.${match[7] ?? '0'}`) * 1000)
  const ofDayMs = ((hour * 60 + minute) * 60 + second) * 1000 + millis
  return midnightMs + ofDayMs - zoneMs(match[8])
}

/** `+02:00`: how far clocks there are ahead. Nothing, or Z: UTC. */
function zoneMs(zone = 'Z'): number {
  const match = /^([+-])(\d\d):?(\d\d)$/.exec(zone)
  if (match === null) return 0
  const ms = (Number(match[2]) * 60 + Number(match[3])) * 60_000
  return match[1] === '-' ? -ms : ms
}
