// How a measure moves with time. Enters: points. Leaves: its slope and how sure that is, by least squares.
export type Slope = { readonly perHour: number; readonly errorPerHour: number }

export type Point = { readonly atMs: number; readonly value: number }

const HOUR_MS = 3_600_000

export function slopeOf(points: readonly Point[]): Slope {
  const hours = points.map(({ atMs }) => atMs / HOUR_MS)
  const values = points.map(({ value }) => value)
  const [meanX, meanY] = [mean(hours), mean(values)]
  const spread = sum(hours.map((x) => (x - meanX) ** 2))
  const perHour = sum(hours.map((x, at) => (x - meanX) * ((values[at] ?? 0) - meanY))) / spread
  const residuals = hours.map((x, at) => (values[at] ?? 0) - meanY - perHour * (x - meanX))
  const variance = sum(residuals.map((one) => one ** 2)) / Math.max(1, points.length - 2)
  return { perHour, errorPerHour: Math.sqrt(variance / spread) }
}

/** Steeper than `boundPerHour` beyond what chance explains, by more than two standard errors; or not known at all. */
export function isBeyond({ perHour, errorPerHour }: Slope, boundPerHour: number): boolean {
  return !(perHour - 2 * errorPerHour <= boundPerHour)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length
}
