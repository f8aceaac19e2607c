// One value from text, checked against its row. Enters: text from a flag, a variable, a file, a request. Leaves: a value or a sentence.
import type { Row } from './settings.ts'

export type Parsed = { readonly value: number | string | boolean } | { readonly error: string }

const BYTES: Record<string, number> = {
  '': 1,
  b: 1,
  k: 1024,
  kb: 1000,
  kib: 1024,
  m: 1024 ** 2,
  mb: 1000 ** 2,
  mib: 1024 ** 2,
  g: 1024 ** 3,
  gb: 1000 ** 3,
  gib: 1024 ** 3,
  tb: 1000 ** 4,
  tib: 1024 ** 4,
}
const DURATIONS: Record<string, number> = {
  '': 1,
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}
const TEXT_LENGTH_MAX = 4096

export function parseValue(row: Row, text: string): Parsed {
  const trimmed = text.trim()
  switch (row.type) {
    case 'boolean':
      if (trimmed === 'true' || trimmed === 'false') return { value: trimmed === 'true' }
      return { error: 'expected true or false' }
    case 'choice':
      if (row.choices.includes(inOrder(trimmed))) return { value: inOrder(trimmed) }
      return { error: `expected one of ${row.choices.join(', ')}` }
    case 'text':
      if (trimmed.length > TEXT_LENGTH_MAX)
        return { error: `longer than ${TEXT_LENGTH_MAX} characters` }
      return { value: trimmed }
    default:
      return parseNumber(row, trimmed)
  }
}

/** Of choices that name several things the order means nothing: Kafka takes `delete, compact` too. */
function inOrder(text: string): string {
  if (!text.includes(',')) return text
  return text
    .split(',')
    .map((part) => part.trim())
    .sort()
    .join(',')
}

function parseNumber(
  row: Extract<Row, { range: readonly [number, number] }>,
  text: string,
): Parsed {
  // One word that people write where a number would be a riddle.
  if (text === 'off' && row.special?.text === 'off') return { value: row.special.value }
  const match = /^(-?\d{1,19}(?:\.\d{1,3})?)\s*([a-z]*)$/i.exec(text)
  const units = row.type === 'bytes' ? BYTES : row.type === 'duration' ? DURATIONS : { '': 1 }
  const factor = new Map(Object.entries(units)).get((match?.[2] ?? '').toLowerCase())
  if (!match || factor === undefined) return { error: `expected ${expectation(row)}` }
  const value = Number(match[1]) * factor
  if (row.special?.value === value) return { value }
  const [min, max] = row.range
  const isWhole = row.type === 'ratio' || Number.isSafeInteger(value)
  if (!isWhole) return { error: `expected ${expectation(row)}` }
  if (value < min || value > max) return { error: `expected ${expectation(row)}` }
  return { value }
}

/** What a row accepts, in words: for errors, help and docs/config.md. */
export function expectation(row: Row): string {
  switch (row.type) {
    case 'boolean':
      return 'true or false'
    case 'choice':
      return `one of ${row.choices.join(', ')}`
    case 'text':
      return 'text'
    default: {
      const example = {
        int: 'an integer',
        ratio: 'a share such as 0.5',
        bytes: 'a size such as 64MiB',
        duration: 'a time such as 15s or 7d',
      }
      const [min, max] = row.range
      const special = row.special ? ` (or ${row.special.value}: ${row.special.text})` : ''
      return `${example[row.type]}, ${format(row, min)} to ${format(row, max)}${special}`
    }
  }
}

/** A value as people write it: 1073741824 bytes is 1GiB, 604800000 ms is 7d. */
export function format(row: Row, value: number | string | boolean): string {
  if (typeof value !== 'number' || value <= 0) return String(value)
  if (value === Number.MAX_SAFE_INTEGER) return '2^53-1'
  if (row.type === 'bytes')
    return inUnits(value, [
      ['GiB', 1024 ** 3],
      ['MiB', 1024 ** 2],
      ['KiB', 1024],
    ])
  if (row.type === 'duration') {
    return inUnits(value, [
      ['d', 86_400_000],
      ['h', 3_600_000],
      ['min', 60_000],
      ['s', 1000],
      ['ms', 1],
    ])
  }
  return String(value)
}

function inUnits(value: number, units: readonly (readonly [string, number])[]): string {
  const unit = units.find(([, size]) => value % size === 0)
  return unit ? `${value / unit[1]}${unit[0]}` : String(value)
}
