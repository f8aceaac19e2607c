// A table on a terminal that may be too narrow for it: long names lose their middle, sentences are wrapped, or stand below
// their row where too little is left beside it. Enters: cells, whole. Leaves: cells, and what stands below. Pure.
import { cut, wrap } from './plain-text.ts'

/** Of a column; without one its cells stay whole. At most one of a table is wrapped, the last one. */
export type Fit = 'cut' | 'wrap' | undefined

type Row = readonly string[]
export type Fitted = {
  readonly rows: readonly Row[]
  /** For each row the lines below it; undefined: nothing is, the last column is in the table. */
  readonly below: readonly Row[] | undefined
}

export const GAP = 2
const CUT_MIN = 12
const WRAP_MIN = 24
const INDENT = '    '

/** `titles` are never cut. What is too wide even so is left to the terminal. */
export function fitTable(
  titles: Row,
  rows: readonly Row[],
  fits: readonly Fit[],
  room: number,
): Fitted {
  const natural = titles.map((title, at) =>
    rows.reduce((most, row) => Math.max(most, textAt(row, at).length), title.length),
  )
  const last = natural.length - 1
  if (fits[last] !== 'wrap') return { rows: cutRows(rows, natural, fits, room), below: undefined }
  const names = natural.slice(0, last)
  const left = room - names.reduce((sum, width) => sum + width + GAP, 0)
  if (left >= Math.min(WRAP_MIN, natural[last] ?? 0)) {
    const wrapped = rows.map((row) => [
      ...row.slice(0, last),
      wrap(textAt(row, last), left).join('\n'),
    ])
    return { rows: wrapped, below: undefined }
  }
  const beside = rows.map((row) => row.slice(0, last))
  return {
    rows: cutRows(beside, names, fits, room),
    below: rows.map((row) =>
      wrap(textAt(row, last), room - INDENT.length).map((line) => INDENT + line),
    ),
  }
}

function textAt(row: Row, at: number): string {
  return row[at] ?? ''
}

function cutRows(
  rows: readonly Row[],
  natural: readonly number[],
  fits: readonly Fit[],
  room: number,
): Row[] {
  const widths = cutWidths(natural, fits, room)
  return rows.map((row) => row.map((text, at) => cut(text, widths[at] ?? text.length)))
}

/** The widest name gives way first. Exported for its test. */
export function cutWidths(
  natural: readonly number[],
  fits: readonly Fit[],
  room: number,
): readonly number[] {
  const widths = [...natural]
  let over = natural.reduce((sum, width) => sum + width + GAP, -GAP) - room
  for (; over > 0; over--) {
    const at = widestCut(widths, fits)
    const width = widths[at] ?? 0
    if (width <= CUT_MIN) break
    widths[at] = width - 1
  }
  return widths
}

function widestCut(widths: readonly number[], fits: readonly Fit[]): number {
  let found = -1
  for (const [at, width] of widths.entries())
    if (fits[at] === 'cut' && width > (widths[found] ?? 0)) found = at
  return found
}
