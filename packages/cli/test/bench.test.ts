// minikafka bench …, against a broker that runs: what it counts, and what it leaves behind.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningBroker, runBroker } from '../../broker/test/running-broker.ts'
import { commandLineOf } from './program.ts'

let broker: RunningBroker
let mk: ReturnType<typeof commandLineOf>['mk']
let start: ReturnType<typeof commandLineOf>['start']

beforeAll(async () => {
  broker = await runBroker()
  ;({ mk, start } = commandLineOf(broker.port))
})
afterAll(() => broker[Symbol.asyncDispose]())

/** Short ones: what is counted matters here, not how fast it is. */
const bench = (kind: string, ...args: string[]) =>
  mk(['bench', kind, '-O', 'json', ...(kind === 'consume' ? [] : ['--warmup', '0s']), ...args])

test.each([
  ['produce', ['--clients', '2', '--partitions', '3']],
  ['produce', ['--rate', '2000']],
  ['consume', ['--clients', '2', '--partitions', '3']],
  ['e2e', ['--rate', '2000', '--partitions', '2', '--clients', '2']],
  ['latency', ['--acks', 'leader']],
])('%s %j counts every record once and removes its topic', async (kind, args) => {
  const { code, stdout, stderr } = await bench(kind, '--records', '300', '--size', '10', ...args)
  // Nobody misses the topic that is removed.
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const result = JSON.parse(stdout)
  expect(result).toMatchObject({ bench: kind, records: 300, bytes: 3000, failed: 0 })
  const { p50, p99, p999, max } = result.latencyMs
  expect(p50).toBeGreaterThan(0)
  expect([p50, p99, p999, max]).toEqual([p50, p99, p999, max].sort((a, b) => a - b))
  expect((await mk(['topic', 'list'])).stdout).not.toContain('bench-')
})

test('a topic that is named is used, and stays', async () => {
  await mk(['topic', 'create', 'mine', '-p', '2'])
  expect(await bench('produce', 'mine', '--records', '40')).toMatchObject({ code: 0 })
  const { stdout } = await bench('consume', 'mine')
  expect(JSON.parse(stdout)).toMatchObject({ topic: 'mine', partitions: 2, records: 40 })
})

test('values are the lines of --payload-file, in turn; what was named must be there', async () => {
  const file = join(broker.directory, 'payloads')
  const { writeFileSync } = await import('node:fs')
  writeFileSync(file, 'one\nthree\n')
  await mk(['topic', 'create', 'lines'])
  await bench('produce', 'lines', '--records', '3', '--payload-file', file)
  expect((await mk(['consume', 'lines', '-e'])).stdout).toBe('one\nthree\none\n')
  expect(await bench('produce', '--payload-file', `${file}.gone`)).toMatchObject({ code: 2 })
})

test('--histogram writes the percentiles as HdrHistogram plots them', async () => {
  const file = join(broker.directory, 'latency.hgrm')
  await bench('latency', '--records', '50', '--histogram', file)
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  expect(lines[0]).toMatch(/^ +Value +Percentile +TotalCount +1\/\(1-Percentile\)$/)
  expect(lines[2]).toMatch(/^ +\d+\.\d{3} 0\.0{12} +\d+ +1\.00$/)
  expect(lines.at(-1)).toMatch(/^#\[Max +=.*Total count +=\s+50\]$/)
})

test('a file that cannot be written is told before anything is measured', async () => {
  const file = join(broker.directory, 'no', 'latency.hgrm')
  expect(await bench('latency', '--records', '50', '--histogram', file)).toMatchObject({
    ...{ code: 1, stdout: '' },
    stderr: expect.stringContaining(`${file} cannot be written: there is no folder`),
  })
})

test('records that fail are counted, told, and end it with 1', async () => {
  await mk(['topic', 'create', 'small', '-c', 'max.message.bytes=2000'])
  const { code, stdout, stderr } = await bench(
    'produce',
    ...['small', '--records', '5', '--size', '5000'],
  )
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({ records: 0, failed: 5, latencyMs: null })
  expect(stderr).toMatch(/^minikafka: 5 records failed, the first one: .*2000/)
})

test('a signal ends it early: with what was measured, and its topic removed', async () => {
  const running = start(['bench', 'latency', '-O', 'json', '--duration', '1h', '--warmup', '0s'])
  const client = broker.client()
  const isAtWork = async () =>
    (await client.admin().listTopics()).some(({ name }) => name.startsWith('bench-'))
  while (!(await isAtWork())) await new Promise((resolve) => setImmediate(resolve))
  running.signal('SIGINT')
  const { code, stdout } = await running.ended
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ bench: 'latency', failed: 0 })
  expect(await isAtWork()).toBe(false)
})

test.each([
  [['produce', 'mine', '--partitions', '2'], '--partitions is for the topic that is made'],
  [['produce', '--rate', 'much'], '--rate much: expected a number'],
  [['consume', '--rate', '5'], "unknown option '--rate'"],
  [['produce', '--size', '5', '--payload-file', 'f'], 'give --size or --payload-file, not both'],
])('%j is a usage error', async (args, words) => {
  const { code, stderr } = await mk(['bench', ...args])
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(words) })
})
