// Spans of time as people write them in tests.

type Unit = 'ms' | 's' | 'm' | 'h' | 'd'

/** Milliseconds, or `'250ms'`, `'10s'`, `'5m'`, `'2h'`, `'7d'`. */
export type Duration = number | `${number}${Unit}`

/** Also backwards: `-1000`, `'-1h'`. */
export type SignedDuration = Duration | `-${number}${Unit}`

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

export function durationMs(duration: Duration): number {
  if (typeof duration === 'number' && duration >= 0 && Number.isFinite(duration)) return duration
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(duration))
  const unitMs = UNITS_MS[match?.[2] ?? '']
  if (unitMs === undefined) {
    throw new RangeError(`'${duration}' is no duration: milliseconds, or like '250ms', '10s', '7d'`)
  }
  return Number(match?.[1]) * unitMs
}

export function signedMs(duration: SignedDuration): number {
  if (typeof duration === 'number') return Math.sign(duration) * durationMs(Math.abs(duration))
  if (duration.startsWith('-')) return -durationMs(duration.slice(1) as Duration)
  return durationMs(duration as Duration)
}
