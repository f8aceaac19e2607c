// What a test pays for the real broker: its start, a record through it, a week that passes, and each example of the kit.
// Ratios are to an empty test of the same run; the process's own time is given beside, for machines that share cores.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { TestBroker } from '@minikafka/testing'
import { median, printColumns } from './table.ts'

const EXAMPLES = 'packages/testing/test/examples'
const EMPTY = 'an empty test'
const ROUNDS = 40
/** The first ones are compiled on the way. */
const WARM_UP = 10

export async function testBroker(): Promise<void> {
  await pieces()
  console.log()
  await examples()
}

async function pieces(): Promise<void> {
  const topics = { orders: 1 }
  const table = [
    await measured('start and close', '< 50', async () => {
      await using _broker = await TestBroker.start({ topics })
    }),
    await measured('start, a record in and out, close', '', async () => {
      await using broker = await TestBroker.start({ topics })
      await broker.client().producer().send('orders', { value: 'x' })
      await broker.read('orders')
    }),
    await measured('the same, and an idle week', '+ < 50', async () => {
      await using broker = await TestBroker.start({ topics })
      await broker.client().producer().send('orders', { value: 'x' })
      await broker.clock.advance('7d')
    }),
  ]
  printColumns(['what', 'ms', 'cpu ms', 'first ms', 'aim'], table)
}

async function measured(what: string, aim: string, work: () => Promise<void>): Promise<string[]> {
  const wall: number[] = []
  const cpu: number[] = []
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const [beganMs, began] = [performance.now(), process.cpuUsage()]
    await work()
    wall.push(performance.now() - beganMs)
    const { user, system } = process.cpuUsage(began)
    cpu.push((user + system) / 1000)
  }
  const typical = [wall, cpu].map((values) => median(values.slice(WARM_UP)).toFixed(1))
  return [what, ...typical, (wall[0] ?? 0).toFixed(0), aim]
}

type Report = {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly title: string; readonly duration: number }[]
  }[]
}

async function examples(): Promise<void> {
  const report = await runExamples()
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults)
  const emptyMs = tests.find(({ title }) => title === EMPTY)?.duration ?? Number.NaN
  const rows = tests.map(({ title, duration }) => [
    title,
    duration.toFixed(1),
    (duration / emptyMs).toFixed(0),
  ])
  printColumns(['example', 'ms', 'of empty'], rows)
  const sorted = tests.map(({ duration }) => duration).sort((a, b) => a - b)
  console.log(`\n${tests.length} tests, median ${median(sorted).toFixed(0)} ms`)
}

/** One file at a time: the first test of each pays for what it is the first to use. */
async function runExamples(): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'minikafka-examples-'))
  try {
    const file = join(folder, 'report.json')
    const flags = ['--project', 'integration', '--reporter=json', `--outputFile=${file}`]
    const vitest = ['vitest', 'run', ...flags, '--no-file-parallelism', EXAMPLES]
    await promisify(execFile)('npx', vitest)
    return JSON.parse(readFileSync(file, 'utf8')) as Report
  } finally {
    rmSync(folder, { recursive: true })
  }
}
