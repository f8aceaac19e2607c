// The client's numbers in Prometheus' text format, for whoever serves them; no library needed.
import type { ClientStats } from './client.ts'

const COUNTERS = new Set([
  'acked',
  'failed',
  'retries',
  'finished',
  'committed',
  'rebalances',
  'bytesIn',
  'bytesOut',
])

/** One metric per number; the parts of a client are told apart by `index`, in the order they were opened. */
export function toPrometheus(stats: ClientStats): string {
  return [
    ...linesOf('connection', stats.connections),
    ...linesOf('producer', stats.producers),
    ...linesOf('consumer', stats.consumers),
    '',
  ].join('\n')
}

function linesOf(part: string, rows: readonly Record<string, number>[]): string[] {
  return Object.keys(rows[0] ?? {}).flatMap((key) => {
    const kind = COUNTERS.has(key) ? 'counter' : 'gauge'
    const name = `minikafka_client_${part}_${snakeCase(key)}${kind === 'counter' ? '_total' : ''}`
    const values = rows.map((row, index) => `${name}{index="${index}"} ${row[key] ?? 0}`)
    return [`# TYPE ${name} ${kind}`, ...values]
  })
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
