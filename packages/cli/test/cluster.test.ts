// minikafka cluster info, against a broker that runs.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningBroker, runBroker } from '../../broker/test/running-broker.ts'
import { commandLineOf } from './program.ts'

let broker: RunningBroker
let mk: ReturnType<typeof commandLineOf>['mk']

beforeAll(async () => {
  broker = await runBroker()
  ;({ mk } = commandLineOf(broker.port))
})
afterAll(() => broker[Symbol.asyncDispose]())

test('info prints the cluster and its brokers', async () => {
  const { code, stdout } = await mk(['cluster', 'info'])
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /^cluster +\S+\ncontroller +1\ntopics +0\npartitions +0\n\nBROKER {2}ADDRESS +STATUS {2}VERSION\n +1 {2}127\.0\.0\.1:\d+ +active +0\.1\.0\n$/,
  )
})

test('info -O json and jsonl are one object, indented or in a line', async () => {
  const { stdout } = await mk(['cluster', 'info', '-O', 'json'])
  expect(JSON.parse(stdout)).toMatchObject({ controllerId: 1, brokers: [{ port: broker.port }] })
  const line = await mk(['cluster', 'info', '-O', 'jsonl'])
  expect(line.stdout).toBe(`${JSON.stringify(JSON.parse(stdout))}\n`)
})

test('a table is coloured on a terminal, unless --no-color or NO_COLOR say no', async () => {
  const head = async (args: string[], variables: Record<string, string> = {}) => {
    const tty = ['stdout'] as const
    const { stdout } = await mk(['cluster', 'info', ...args], { tty, variables })
    return stdout.split('\n').find((line) => line.includes('BROKER'))
  }
  expect(await head([])).toContain('\u001b[1mBROKER')
  expect(await head(['--no-color'])).toMatch(/^BROKER/)
  expect(await head([], { NO_COLOR: '1' })).toMatch(/^BROKER/)
  expect((await mk(['cluster', 'info'])).stdout).not.toContain('\u001b')
})

test('-vv says whom it is connected to, -q nothing', async () => {
  const said = async (...flags: string[]) => (await mk([...flags, 'cluster', 'info'])).stderr
  expect(await said('-vv')).toContain(`debug: connected to 127.0.0.1:${broker.port}\n`)
  expect(await said('-v')).toBe('')
  expect(await said('-vv', '-q')).toBe('')
})
