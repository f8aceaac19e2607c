// minikafka cluster …, against a broker that runs.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningBroker, runBroker } from '../../broker/test/running-broker.ts'
import { commandLineOf, run } from './program.ts'

let broker: RunningBroker
let mk: ReturnType<typeof commandLineOf>['mk']
let start: ReturnType<typeof commandLineOf>['start']

beforeAll(async () => {
  broker = await runBroker()
  ;({ mk, start } = commandLineOf(broker.port))
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

test('brokers prints what each leads and keeps', async () => {
  await mk(['topic', 'create', 'kept', '-p', '3'])
  const { code, stdout } = await mk(['cluster', 'brokers'])
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /^BROKER +ADDRESS +STATUS +LEADS +KEEPS +SIZE +FREE\n +1 +127\.0\.0\.1:\d+ +active +3 +3 +\S+ \S+ +[\d.]+ \wiB\n$/,
  )
  const json = await mk(['cluster', 'brokers', '-O', 'json'])
  expect(JSON.parse(json.stdout)).toMatchObject([{ nodeId: 1, directories: [broker.directory] }])
})

// --- health ----------------------------------------------------------------------------------------

test('health of a broker that is well ends with 0', async () => {
  const { code, stdout } = await mk(['cluster', 'health'])
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringMatching(
      /^CHECK +STATE +ABOUT\nbrokers +ok +all 1 active\ncontroller +ok +broker 1\n/,
    ),
  })
  const json = await mk(['cluster', 'health', '-O', 'jsonl'])
  expect(JSON.parse(json.stdout)).toMatchObject({ healthy: true })
})

test('health with a full disk says what does not work, and ends with 1', async () => {
  await mk(['cluster', 'config', 'set', 'disk.reserve.bytes=1000TiB'])
  const { code, stdout, stderr } = await mk(['cluster', 'health'])
  await mk(['cluster', 'config', 'set', '-d', 'disk.reserve.bytes'])
  expect(code).toBe(1)
  expect(stdout).toMatch(
    /\ndisk space +ill +broker 1: [\d.]+ [GM]iB free, below disk\.reserve\.bytes/,
  )
  expect(stderr).toMatch(/^minikafka: not healthy: disk space: broker 1/)
})

test('health --watch looks again and again, until it is stopped', async () => {
  const running = start(['cluster', 'health', '--watch', '--interval', '10ms', '-O', 'jsonl'])
  await running.printed(/(.+\n){3}/)
  running.signal('SIGINT')
  expect((await running.ended).code).toBe(0)
})

test('health --exit-when-healthy waits until what is ill is well', async () => {
  await mk(['cluster', 'config', 'set', 'disk.reserve.bytes=1000TiB'])
  const running = start(['cluster', 'health', '--exit-when-healthy', '--interval', '10ms'])
  await running.printed(/waiting: not healthy: disk space/, 'stderr')
  await mk(['cluster', 'config', 'set', '-d', 'disk.reserve.bytes'])
  const { code, stdout } = await running.ended
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/disk space +ok/) })
})

test('health --exit-when-healthy without a broker ends with 4 after --timeout', async () => {
  const args = ['-b', '127.0.0.1:1', '--timeout', '200ms', 'cluster', 'health']
  const { code, stderr } = await run([...args, '--exit-when-healthy', '--interval', '20ms']).ended
  expect(code).toBe(4)
  expect(stderr).toMatch(/waiting: .*127\.0\.0\.1:1.*\n(.*\n)*minikafka: .*\(waited 200ms\)\n$/)
})

test('health --interval alone is a usage error', async () => {
  expect((await mk(['cluster', 'health', '--interval', '1s'])).code).toBe(2)
})

// --- config ----------------------------------------------------------------------------------------

test('config get prints settings and where each comes from', async () => {
  const { stdout } = await mk(['cluster', 'config', 'get', 'data.dir', 'num.partitions'])
  expect(stdout).toMatch(
    /^SETTING +VALUE +FROM\ndata\.dir +\S+ +flag\nnum\.partitions +1 +default\n$/,
  )
  const all = await mk(['cluster', 'config', 'get', '--broker', '1', '-O', 'jsonl'])
  expect(all.stdout.split('\n').length).toBeGreaterThan(50)
})

test('config set changes a setting while the broker runs, and takes it back', async () => {
  const value = async () =>
    (await mk(['cluster', 'config', 'get', 'num.partitions', '-O', 'json'])).stdout
  const dry = await mk(['cluster', 'config', 'set', 'num.partitions=3', '--dry-run'])
  expect(dry).toMatchObject({ code: 0, stderr: 'nothing was changed\n' })
  expect(JSON.parse(await value())).toMatchObject([{ value: '1', origin: 'default' }])
  const { code, stdout } = await mk(['cluster', 'config', 'set', 'num.partitions=3'])
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringMatching(/\nnum\.partitions +1 \(default\) +3 \(dynamic\)\n$/),
  })
  await mk(['topic', 'create', 'three'])
  const described = await mk(['topic', 'describe', 'three', '-O', 'jsonl'])
  expect((JSON.parse(described.stdout) as { partitions: unknown[] }).partitions).toHaveLength(3)
  await mk(['cluster', 'config', 'set', '-d', 'num.partitions'])
  expect(JSON.parse(await value())).toMatchObject([{ value: '1', origin: 'default' }])
})

test.each([
  [['get', 'num.partition'], 3, /there is no setting num\.partition/],
  [['get', '--broker', '7'], 3, /there is no broker 7/],
  [['set'], 2, /nothing to change/],
  [['set', 'num.partitions'], 2, /expected name=value/],
  [['set', 'log.level=info', '-d', 'log.level'], 2, /not both/],
  [['set', 'num.partitions=many'], 1, /num\.partitions/],
  [['set', 'log.levl=info'], 1, /log\.level/],
  [['set', 'node.id=4'], 1, /node\.id takes a restart/],
])('config %j ends with %i', async (args, code, message) => {
  const ending = await mk(['cluster', 'config', ...args, '--timeout', '30s'])
  expect(ending).toMatchObject({ code, stderr: expect.stringMatching(message) })
})

test('--broker of one that is not there says at once which there are', async () => {
  for (const args of [['get'], ['set', 'num.partitions=2']])
    expect(await mk(['cluster', 'config', ...args, '--broker', '7'])).toMatchObject({
      ...{ code: 3, stdout: '' },
      stderr: `minikafka: there is no broker 7; there are: 1 (127.0.0.1:${broker.port})\n`,
    })
})
