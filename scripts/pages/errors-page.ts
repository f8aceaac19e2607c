// docs/errors.md. Enters: the table of errors. Leaves: a page with cause and cure of each.
import type { ErrorName, ErrorRow } from '@minikafka/protocol'
import { table } from './table.ts'

const INTRODUCTION = `# Errors

Derived from \`packages/protocol/src/errors.ts\` by \`npm run docs\`; do not edit.

Match by name, never by text. Codes from -1 up are Kafka's own. Codes below -1 are ours: those to -99 travel
on the wire, and the Kafka code beside them is what a client of Kafka's own protocol gets instead; those from
-100 down are made by the client library and never travel.

*Retriable*: the same request may succeed later without a change by you; producers and consumers retry by
themselves. *Outcome*: what a failed write means where the answer does not say: **no** = it is not in the log,
**maybe** = it may be.
`

export function errorsPage(errors: Readonly<Record<string, ErrorRow>>): string {
  const rows = Object.entries(errors) as [ErrorName, ErrorRow][]
  const sections = [
    ['On the wire', rows.filter(([, { code }]) => code > -100)],
    ['In the client', rows.filter(([, { code }]) => code <= -100)],
  ] as const
  const parts = sections.map(([title, part]) => `## ${title}\n\n${errorTable(part)}\n`)
  return [INTRODUCTION, ...parts].join('\n')
}

function errorTable(rows: readonly [ErrorName, ErrorRow][]): string {
  const head = ['code', 'name', 'what it means', 'what to do', 'retriable', 'outcome', 'details']
  return table(head, rows.map(errorCells))
}

function errorCells([name, row]: [ErrorName, ErrorRow]): string[] {
  const { code, kafka, about, cure, retriable, outcome, details = [] } = row
  return [
    kafka === undefined ? `${code}` : `${code} (Kafka: ${kafka})`,
    `\`${name}\``,
    about,
    cure,
    retriable ? 'yes' : 'no',
    outcome === 'unknown' ? 'maybe' : 'no',
    details.map((detail) => `\`${detail}\``).join(', '),
  ]
}
