// The dashboard and the alerts speak of metrics that are there, in PromQL that is PromQL; each alert is explained.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parser } from '@prometheus-io/lezer-promql'
import { Pages } from 'minikafka-broker'
import parsePrometheus from 'parse-prometheus-text-format'
import { beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { quietEnv, runBroker } from './running-broker.ts'

type Alerts = {
  groups: {
    rules: {
      alert: string
      expr: string
      labels: { severity: string }
      annotations: { summary: string }
    }[]
  }[]
}
type Dashboard = { panels: { title: string; targets?: { expr: string }[] }[] }

const root = join(import.meta.dirname, '../../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const rules = (parse(read('docker/prometheus/alerts.yml')) as Alerts).groups.flatMap(
  (group) => group.rules,
)
const { panels } = JSON.parse(read('docker/grafana/minikafka.json')) as Dashboard
const expressions = [
  ...rules.map(({ alert, expr }) => ({ of: alert, expr })),
  ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ of: title, expr }))),
]

/** Prometheus makes it of each scrape. */
const OF_PROMETHEUS = 'up'
const OF_HISTOGRAMS = ['_bucket', '_count', '_sum']
let onThePage: ReadonlySet<string>

beforeAll(async () => {
  await using running = await runBroker()
  const pages = await Pages.open(quietEnv(), { host: '127.0.0.1', port: 0 })
  pages.serving(running.broker.watched)
  const page = await fetch(`http://127.0.0.1:${pages.address.port}/metrics`)
  const families = parsePrometheus(await page.text())
  await pages.close()
  const names = families.flatMap(({ name, type }) =>
    type === 'HISTOGRAM' ? OF_HISTOGRAMS.map((ending) => name + ending) : [name],
  )
  onThePage = new Set([OF_PROMETHEUS, ...names])
})

/** Names of the metrics in an expression. Errors: an Error where it is no PromQL. */
function metricsIn(expression: string): string[] {
  // What Grafana puts in.
  const query = expression.replaceAll('$__rate_interval', '5m')
  const names: string[] = []
  parser.parse(query).iterate({
    enter: ({ type, from, to, node }) => {
      if (type.isError) throw new Error(`no PromQL at ${from}: ${query}`)
      if (type.name === 'Identifier' && node.parent?.type.name === 'VectorSelector')
        names.push(query.slice(from, to))
    },
  })
  return names
}

test.each(expressions)('$of: $expr', ({ expr }) => {
  const names = metricsIn(expr)
  expect(names.length).toBeGreaterThan(0)
  for (const name of names) expect(onThePage).toContain(name)
})

test('a slip in an expression would be noticed', () => {
  expect(metricsIn('rate(no_such_metric[5m]) > 1')).toEqual(['no_such_metric'])
  expect(() => metricsIn('rate(minikafka_partitions[5m]')).toThrow('no PromQL')
})

test('each alert has a heading on the page for operators, and nothing else is there', () => {
  const headings = [...read('docs/operating.md').matchAll(/^### (Minikafka\w+)$/gm)]
  expect(headings.map(([, name]) => name).sort()).toEqual(rules.map(({ alert }) => alert).sort())
  for (const { labels, annotations } of rules) {
    expect(['critical', 'warning']).toContain(labels.severity)
    expect(annotations.summary).not.toBe('')
  }
})
