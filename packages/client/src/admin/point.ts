// Checking a point of a partition as users write it.
import { integer, invalidOption } from '../core/index.ts'
import type { OffsetSpec } from '../words.ts'

export const POINT_WORDS = "'earliest', 'latest', { timestamp } or { last }"

/** undefined where `value` is an OffsetSpec, else what it must be. */
export function pointRule(value: unknown): string | undefined {
  if (value === 'earliest' || value === 'latest') return undefined
  const complaint = `an offset, ${POINT_WORDS}`
  const [entry, ...rest] = Object.entries((typeof value === 'object' && value) || {})
  const isKnown = entry?.[0] === 'timestamp' || entry?.[0] === 'last'
  const number = typeof value === 'number' ? value : isKnown && rest.length === 0 && entry?.[1]
  return integer(0)(number) === undefined ? undefined : complaint
}

/** Errors: INVALID_OPTION. */
export function checkPoint(what: string, point: OffsetSpec): void {
  const complaint = pointRule(point)
  if (complaint !== undefined) throw invalidOption(`${what}: the point must be ${complaint}`)
}
