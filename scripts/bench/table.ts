// One line of the result, and the table of all of them.
import type { RecordableHistogram } from 'node:perf_hooks'

export type Row = {
  readonly what: string
  readonly recordsPerSecond?: number
  readonly mebibytesPerSecond?: number
  /** Milliseconds. */
  readonly p50?: number
  readonly p99?: number
  readonly p999?: number
  /** Share of the limit of the same run. */
  readonly ofLimit?: number
  readonly aim?: string
}

const COLUMNS = [
  'what',
  'records/s',
  'MiB/s',
  'of limit',
  'p50 ms',
  'p99 ms',
  'p99.9 ms',
  'aim',
] as const

export function printTable(rows: readonly Row[]): void {
  const cells = rows.map((row) => [
    row.what,
    number(row.recordsPerSecond, 0),
    number(row.mebibytesPerSecond, 1),
    row.ofLimit === undefined ? '' : `${(row.ofLimit * 100).toFixed(0)} %`,
    number(row.p50, 2),
    number(row.p99, 2),
    number(row.p999, 2),
    row.aim ?? '',
  ])
  printColumns(COLUMNS, cells)
}

/** Numbers to the right; the first column and `aim` are text. */
export function printColumns(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const widths = columns.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 0 || columns[column] === 'aim'
          ? cell.padEnd(widths[column] ?? 0)
          : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd()
  console.log(line(columns))
  for (const row of rows) console.log(line(row))
}

function number(value: number | undefined, digits: number): string {
  if (value === undefined) return ''
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
}

/** Percentiles in milliseconds of a histogram in microseconds. */
export function percentiles(histogram: RecordableHistogram) {
  const at = (percentile: number) => histogram.percentile(percentile) / 1000
  return { p50: at(50), p99: at(99), p999: at(99.9) }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
