// Tables without borders, and the JSON forms of the same rows. Enters: rows. Leaves: text for stdout.
import type { Session } from './session.ts'

export type Column<T> = {
  readonly title: string
  readonly of: (row: T) => string
  readonly right?: boolean
  readonly wide?: boolean
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
  await session.print(await layOut(rows, shown, session.colors))
}

async function layOut<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  colors: boolean,
): Promise<string> {
  const { default: Table } = await import('cli-table3')
  const { default: picocolors } = await import('picocolors')
  const { bold } = picocolors.createColors(colors)
  const table = new Table({
    head: columns.map(({ title }) => bold(title)),
    colAligns: columns.map(({ right }) => (right ? 'right' : 'left')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    chars: NO_BORDERS,
  })
  for (const row of rows) table.push(columns.map(({ of }) => of(row)))
  return `${table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`
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
  const lines = Object.entries(facts).map(([name, value]) => `${name.padEnd(width)}  ${value}`)
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
