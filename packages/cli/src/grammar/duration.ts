// DURATION = 250ms 30s 15m 4h 7d 2w. Enters: text. Leaves: milliseconds, or a UsageError.
import { UsageError } from '../usage-error.ts'

const UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
  ['w', 604_800_000],
])

export function parseDuration(text: string): number {
  const match = /^(\d{1,12}(?:\.\d{1,3})?)(ms|s|m|h|d|w)$/.exec(text)
  const unit = UNITS.get(match?.[2] ?? '')
  if (match === null || unit === undefined) {
    throw new UsageError(
      `expected a duration such as 250ms, 30s, 15m, 4h, 7d or 2w, not ${JSON.stringify(text)}`,
    )
  }
  return Number(match[1]) * unit
}
