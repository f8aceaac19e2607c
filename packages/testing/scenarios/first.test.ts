import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { type Outcome, runFirstScenario } from './first-scenario.ts'

const SEEDS = Array.from({ length: 12 }, (_, index) => index + 1)

for (const seed of SEEDS) {
  test(`nothing is lost, doubled or reordered while the broker dies: seed ${seed}`, async () => {
    const outcome = await runFirstScenario(seed)
    expectAckedInLog(outcome)
    expectOrderPerKey(outcome)
    expect(sorted(outcome.read)).toEqual(sorted(outcome.log.map(seen)))
    expect(outcome.leftovers).toEqual([])
  })
}

test('the same seed gives the same run, logs included; another seed another one', async () => {
  const [first, second] = [await runTraced(3), await runTraced(3)]
  expect(firstDifference(first.trace, second.trace)).toBeUndefined()
  expect(second.hash).toBe(first.hash)
  expect((await runTraced(4)).hash).not.toBe(first.hash)
})

test('the same seed gives the same run in another process', async () => {
  const [first, second] = await Promise.all([hashInProcess(5), hashInProcess(5)])
  expect(first).toMatch(/^[0-9a-f]{16}$/)
  expect(second).toBe(first)
})

function expectAckedInLog({ acked, log }: Outcome): void {
  const found = new Map(log.map((record) => [seen(record).value, seen(record)]))
  expect(found.size).toBe(log.length)
  for (const one of acked) expect(found.get(one.value)).toEqual(one)
  expect(log.length).toBe(acked.length)
}

/** Records were sent in the order of their numbers. */
function expectOrderPerKey({ log }: Outcome): void {
  const last = new Map<string, number>()
  for (const { key, value } of log) {
    const number = Number(String(value).replace('order ', ''))
    expect(number).toBeGreaterThan(last.get(String(key)) ?? -1)
    last.set(String(key), number)
  }
}

function seen({ partition, offset, value }: Outcome['log'][number]) {
  return { partition, offset, value: String(value) }
}

function sorted(records: Outcome['read']) {
  return [...records].sort((a, b) => a.partition - b.partition || a.offset - b.offset)
}

async function runTraced(seed: number): Promise<{ hash: string; trace: string[] }> {
  const trace: string[] = []
  const { hash } = await runFirstScenario(seed, (line) => trace.push(line))
  return { hash, trace }
}

/** Where real time or dice leaked in. */
function firstDifference(first: string[], second: string[]): string | undefined {
  const index = first.findIndex((line, position) => line !== second[position])
  return index === -1 ? undefined : `${index}: ${first[index]} / ${second[index]}`
}

async function hashInProcess(seed: number): Promise<string> {
  const script = fileURLToPath(new URL('./print-hash.ts', import.meta.url))
  const flags = ['--import', 'tsx', '--conditions=@minikafka/source']
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, script, String(seed)])
  return stdout.trim()
}
