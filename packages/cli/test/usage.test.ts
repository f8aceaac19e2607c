// What needs no broker: words that do not exist, help, the version, a broker that cannot be reached.
import { createServer } from 'node:http'
import { createServer as createTcpServer, type Server } from 'node:net'
import { expect, test } from 'vitest'
import { run } from './program.ts'

const mk = (args: readonly string[], variables: Record<string, string> = {}) =>
  run(args, { input: '', variables }).ended

test.each([
  [['topik'], "unknown command 'topik'; did you mean topic?"],
  [['topic', 'lst'], "unknown command 'lst'; did you mean list?"],
  [['produce', 't', '--fike', 'x'], "unknown option '--fike'; did you mean --file?"],
  [
    ['consume', 't', '--partition', '1'],
    "unknown option '--partition'; did you mean --partitions?",
  ],
  [['consume', 't', '-x'], "unknown option '-x' (see minikafka consume --help)"],
  [['consume'], "missing required argument 'topic' (see minikafka consume --help)"],
  [
    ['topic', 'create', 'x', '-p'],
    "option '-p, --partitions <n>' argument missing (see minikafka topic create --help)",
  ],
  [['-O', 'yaml', 'topic', 'list'], '-O yaml: expected one of text, wide, json, jsonl'],
  [
    ['--timeout', '10', 'topic', 'list'],
    'expected a duration such as 250ms, 30s, 15m, 4h, 7d or 2w, not "10"',
  ],
  [['-b', 'a:b:c', 'topic', 'list'], "new Client: brokers: 'a:b:c' is not host:port"],
  [
    ['help', 'nothing'],
    "no help for 'nothing'; there is help for formats, offsets, exit-codes, topic, produce, consume, group, cluster, top, rtt, trace, doctor, check, debug, bench, profile, completion, verifiable-producer, verifiable-consumer, help",
  ],
])('%j is a usage error of one line', async (args, line) => {
  expect(await mk(args)).toEqual({ code: 2, stdout: '', stderr: `minikafka: ${line}\n` })
})

test('without a command the help goes to stderr, as a usage error', async () => {
  for (const args of [[], ['topic'], ['cluster']]) {
    const { code, stdout, stderr } = await mk(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^Usage: minikafka/)
  }
})

const COMMANDS = [
  ...[['topic'], ['produce'], ['consume'], ['group'], ['cluster'], ['help']],
  ...['create', 'list', 'describe', 'alter', 'delete'].map((verb) => ['topic', verb]),
  ...['add-partitions', 'trim', 'offsets', 'tail', 'copy', 'stats'].map((verb) => ['topic', verb]),
  ...['list', 'describe', 'explain', 'lag', 'seek', 'members', 'delete'].map((verb) => [
    'group',
    verb,
  ]),
  ...['info', 'brokers', 'health', 'config'].map((verb) => ['cluster', verb]),
  ['profile'],
  ['completion'],
  ...['create', 'use', 'list', 'show', 'delete'].map((verb) => ['profile', verb]),
  ...['get', 'set'].map((verb) => ['cluster', 'config', verb]),
]

test.each([[[]], ...COMMANDS.map((words) => [words])])(
  '%j --help has examples and fits into 80 columns',
  async (words) => {
    const { code, stdout, stderr } = await mk([...words, '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^Usage: minikafka/)
    expect(stdout).toMatch(/\nExamples?:\n {2}minikafka /)
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
  },
)

test('help prints the help of a command', async () => {
  expect((await mk(['help', 'topic', 'create'])).stdout).toBe(
    (await mk(['topic', 'create', '--help'])).stdout,
  )
})

test.each(['formats', 'offsets', 'exit-codes'])('help %s fits into 80 columns', async (page) => {
  const { code, stdout } = await mk(['help', page])
  expect(code).toBe(0)
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
})

test('no help speaks of what is not there yet', async () => {
  const pages = await Promise.all([[], ...COMMANDS].map((words) => mk([...words, '--help'])))
  expect(pages.map(({ stdout }) => stdout).join('')).not.toMatch(
    /--tls|--user|password|--transaction/,
  )
})

test('--version prints the version', async () => {
  expect(await mk(['--version'])).toEqual({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    stderr: '',
  })
})

test.each([
  [['topic', 'list']],
  [['topic', 'delete', 'x', '--yes']],
  [['cluster', 'info']],
  [['consume', 'x']],
  [['produce', 'x', 'value']],
])('%j without a broker ends with 4 after --timeout and says what was tried', async (args) => {
  const port = await freePort()
  const ending = await mk([...args, '-b', `127.0.0.1:${port}`, '--timeout', '1s'])
  expect(ending).toMatchObject({ code: 4, stdout: '' })
  expect(ending.stderr.split('\n').at(-2)).toBe(
    `minikafka: no broker can be reached; tried 127.0.0.1:${port} (ECONNREFUSED). Is one running there? (waited 1s)`,
  )
})

test('MINIKAFKA_BROKERS names brokers where -b does not', async () => {
  const port = await freePort()
  const args = ['cluster', 'info', '--timeout', '1ms']
  const from = (variables: Record<string, string>, more: string[] = []) =>
    mk([...args, ...more], variables).then(({ stderr }) => stderr)
  const variables = { MINIKAFKA_BROKERS: `127.0.0.1:${port}` }
  expect(await from(variables)).toContain(`127.0.0.1:${port}`)
  expect(await from(variables, ['-b', 'nowhere.invalid'])).toContain('nowhere.invalid')
})

test('a port that speaks something else is named at once', async () => {
  const server = createServer()
  const port = await listen(server)
  const { code, stderr } = await mk(['cluster', 'info', '-b', `127.0.0.1:${port}`])
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/^minikafka: 127\.0\.0\.1:\d+: this port speaks HTTP/),
  })
  server.close()
})

async function freePort(): Promise<number> {
  const server = createTcpServer()
  const port = await listen(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as { port: number }).port
}
