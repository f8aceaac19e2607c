// Tables without borders, and the JSON forms of the same rows. Enters: rows. Leaves: text for stdout.
import { plain } from './plain-text.ts'
import type { Session } from './session.ts'
import { type Fit, fitTable, GAP } from './table-fit.ts'

export type Column<T> = {
  readonly title: string
  readonly of: (row: T) => string
  readonly right?: boolean
  readonly wide?: boolean
  /** What happens to it on a terminal that is too narrow; elsewhere everything is whole. */
  readonly fit?: Fit
}

/** text and wide: a table; json: one array; jsonl: a line per row. `asJson` says what a row is there. */
export async function printRows<T>(
  session: Session,
  rows: readonly T[],
  columns: readonly Column<T>[],
  asJson: (row: T) => unknown,
): Promise<void> {
  if (session.output === 'json')
    return session.print(`${JSON.stringify(rows.map(asJson), null, 2)}\n`)
  if (session.output === 'jsonl') {
    for (const row of rows) await session.print(`${JSON.stringify(asJson(row))}\n`)
    return
  }
  const shown = columns.filter(({ wide }) => !wide || session.output === 'wide')
  await session.print(await layOut(session, rows, shown))
}

async function layOut<T>(
  session: Session,
  rows: readonly T[],
  columns: readonly Column<T>[],
): Promise<string> {
  const titles = columns.map(({ title }) => title)
  const cells = rows.map((row) => columns.map(({ of }) => plain(of(row))))
  const fits = columns.map(({ fit }) => fit)
  const fitted = fitTable(titles, cells, fits, roomOf(session))
  const { default: picocolors } = await import('picocolors')
  const { bold } = picocolors.createColors(session.colors)
  const { default: Table } = await import('cli-table3')
  const beside = fitted.below === undefined ? columns : columns.slice(0, -1)
  const table = new Table({
    head: beside.map(({ title }) => bold(title)),
    colAligns: beside.map(({ right }) => (right ? 'right' : 'left')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': GAP },
    chars: NO_BORDERS,
  })
  for (const row of fitted.rows) table.push([...row])
  const lines = table.toString().split('\n')
  // With something below each row is one line, after that of the titles.
  const all = fitted.below
    ? lines.flatMap((line, at) => [line, ...(fitted.below?.[at - 1] ?? [])])
    : lines
  return `${all.map((line) => line.trimEnd()).join('\n')}\n`
}

/** Of lines of words: longer ones are hard to read. */
export function lineWidth({ env }: Session): number {
  const { stdout } = env.program
  return Math.min(LINE_MAX, stdout.isTTY ? stdout.columns : LINE_WIDTH)
}

const LINE_MAX = 100
const LINE_WIDTH = 80

/** Only a terminal has an edge. */
function roomOf({ env }: Session): number {
  const { stdout } = env.program
  return stdout.isTTY ? stdout.columns : Number.POSITIVE_INFINITY
}

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
}

/** One thing with its facts: aligned name and value; json as the object itself. */
export async function printFacts(
  session: Session,
  facts: Readonly<Record<string, string | number>>,
  asJson: unknown,
): Promise<void> {
  if (session.output === 'json') return session.print(`${JSON.stringify(asJson, null, 2)}\n`)
  if (session.output === 'jsonl') return session.print(`${JSON.stringify(asJson)}\n`)
  const width = Math.max(...Object.keys(facts).map((name) => name.length))
  const lines = Object.entries(facts).map(
    ([name, value]) => `${name.padEnd(width)}  ${plain(String(value))}`,
  )
  await session.print(`${lines.join('\n')}\n`)
}

export function bytesText(bytes: number): string {
  if (bytes < 0) return '-'
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let unit = 0
  let value = bytes
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
