// minikafka doctor, check and debug bundle, against a broker that runs.
import { lstatSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { quietEnv, type RunningBroker, runBroker } from '../../broker/test/running-broker.ts'
import { commandLineOf } from './program.ts'

let broker: RunningBroker
let mk: ReturnType<typeof commandLineOf>['mk']

beforeAll(async () => {
  broker = await runBroker()
  ;({ mk } = commandLineOf(broker.port))
  await mk(['topic', 'create', 'orders', '-p', '2'])
  await mk(['produce', 'orders', 'a', 'b', 'c'])
  await mk(['consume', 'orders', '-g', 'billing', '-o', 'start', '-n', '2'])
})
afterAll(() => broker[Symbol.asyncDispose]())

type Found = { about: string; state: string; what: string; todo?: string }

/** What doctor of that broker finds besides what is well. */
async function troubles(args: string[] = [], doctor = mk) {
  const { code, stdout } = await doctor(['doctor', '-O', 'json', ...args])
  const findings = JSON.parse(stdout) as Found[]
  return { code, findings, bad: findings.filter(({ state }) => state !== 'ok') }
}

test('doctor looks at everything, and ends with 0 where nothing is wrong', async () => {
  const { code, findings } = await troubles()
  expect(findings.map(({ about }) => about)).toEqual(
    expect.arrayContaining(['address', 'clock', 'disk', 'files', 'flush', 'version', 'node']),
  )
  expect(findings.filter(({ state }) => state === 'problem')).toEqual([])
  expect(code).toBe(0)
})

test('doctor in words fits into 80 columns', async () => {
  const { stdout } = await mk(['doctor'])
  for (const line of stdout.trimEnd().split('\n')) {
    expect(line).toMatch(/^(ok|warning|problem| ) +/)
    if (!line.includes(broker.directory)) expect(line.length).toBeLessThanOrEqual(80)
  }
})

test('doctor finds an address that cannot be reached from here, and says what to do', async () => {
  await using hidden = await runBroker({ advertised: 'default=127.0.0.1:1' })
  const { code, bad } = await troubles([], commandLineOf(hidden.port).mk)
  expect(code).toBe(1)
  expect(bad).toMatchObject([
    {
      about: 'address',
      state: 'problem',
      what: expect.stringMatching(/^broker 1 advertises 127\.0\.0\.1:1, which does not answer/),
      todo: expect.stringContaining('advertised=default=HOST:PORT'),
    },
  ])
})

test('doctor finds a clock that is wrong, and a flush policy that promises less', async () => {
  const env = quietEnv()
  const clock = Object.create(env.clock, { wallMs: { value: () => env.clock.wallMs() - 60_000 } })
  await using late = await runBroker({ flush: 'os' }, { ...env, clock })
  const { code, bad } = await troubles([], commandLineOf(late.port).mk)
  expect(code).toBe(1)
  const about = (name: string) => bad.find((one) => one.about === name)
  expect(about('clock')).toMatchObject({
    state: 'problem',
    what: expect.stringMatching(
      /^the clock of broker 1 is (59|6\d) s behind the one of this machine/,
    ),
  })
  expect(about('flush')).toMatchObject({
    state: 'warning',
    what: expect.stringContaining('flush=os'),
    todo: expect.stringContaining('set flush=group'),
  })
})

test('doctor names topics that give up the promise by themselves', async () => {
  await mk(['topic', 'create', 'loose', '-c', 'flush=os'])
  const { code, bad } = await troubles()
  expect({ code, flush: bad.filter(({ about }) => about === 'flush') }).toMatchObject({
    code: 0,
    flush: [{ state: 'warning', what: expect.stringContaining('loose') }],
  })
  await mk(['topic', 'delete', 'loose', '--yes'])
})

test('where no broker answers doctor still says what to do', async () => {
  const { code, bad } = await troubles(['--timeout', '300ms'], commandLineOf(1).mk)
  expect(code).toBe(1)
  expect(bad).toMatchObject([{ about: 'address', todo: expect.stringContaining('start one') }])
})

// --- check -----------------------------------------------------------------------------------------

test('checks in words: one line for each, exit code 0', async () => {
  expect(await mk(['check', 'connection'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^ok {7}address {3}broker 1 answers at 127\.0\.0\.1:\d+, in /),
  })
  expect(await mk(['check', 'topic', 'orders'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('orders: all 2 partitions have a leader'),
  })
  expect(await mk(['check', 'topic', 'order'])).toMatchObject({ code: 3 })
})

test('of several that are checked one is not there: it is told, and the others are looked at', async () => {
  const { code, stdout } = await mk(['check', 'topic', 'order', 'orders', '-O', 'json'])
  expect({ code, found: JSON.parse(stdout) }).toMatchObject({
    code: 3,
    found: [
      { state: 'problem', isMissing: true, todo: 'which there are: minikafka topic list' },
      { state: 'ok' },
    ],
  })
  // Something else that is wrong weighs more.
  expect(await mk(['check', 'group', 'nobody', 'billing'])).toMatchObject({ code: 1 })
})

test('a group that nobody reads for, or that is too far behind, fails its check', async () => {
  expect(await mk(['check', 'group', 'billing'])).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(
      /^problem {2}group {5}billing: Empty, 0 members, 1 record behind, /,
    ),
    stderr: 'minikafka: 1 problem found\n',
  })
  const { code, stdout } = await mk(['check', 'group', 'billing', '--max', '0', '-O', 'json'])
  expect({ code, found: JSON.parse(stdout) }).toMatchObject({
    code: 1,
    found: [{ todo: 'why: minikafka group explain billing', figures: { group_lag_records: 1 } }],
  })
})

test('--format nagios: one line with figures, and the exit codes of a plugin', async () => {
  const nagios = (...args: string[]) => mk(['check', ...args, '--format', 'nagios', '-q'])
  expect(await nagios('topic', 'orders')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^MINIKAFKA TOPIC OK - orders: [^|\n]+ \| 'orders partitions'=2 'orders partitions_without_leader'=0 /,
    ),
  })
  expect(await nagios('group', 'billing')).toMatchObject({
    code: 2,
    stdout: expect.stringMatching(/^MINIKAFKA GROUP CRITICAL - billing: /),
  })
  expect(await nagios('group', 'nobody')).toMatchObject({
    code: 3,
    stdout: "MINIKAFKA GROUP UNKNOWN - there is no group 'nobody'\n",
  })
})

test('--format prometheus: metrics in text', async () => {
  const { code, stdout } = await mk(['check', 'connection', '--format', 'prometheus'])
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /^# TYPE minikafka_check_ok gauge\nminikafka_check_ok\{check="connection",broker="1",address="[^"]+"\} 1\n# TYPE minikafka_check_round_trip_seconds gauge\nminikafka_check_round_trip_seconds\{[^}]+\} 0\.\d+\n$/,
  )
  const group = await mk(['check', 'group', 'billing', '--format', 'prometheus'])
  expect(group.code).toBe(1)
  const missing = await mk(['check', 'topic', 'order', '--format', 'prometheus'])
  expect(missing).toMatchObject({
    code: 3,
    stdout: '# TYPE minikafka_check_ok gauge\nminikafka_check_ok{check="topic",topic="order"} 0\n',
  })
  const args = ['check', 'connection', '--format', 'prometheus', '--timeout', '300ms']
  expect(await commandLineOf(1).mk(args)).toMatchObject({
    code: 4,
    stdout: '# TYPE minikafka_check_ok gauge\nminikafka_check_ok{check="connection"} 0\n',
  })
  expect(group.stdout).toContain('minikafka_check_ok{check="group",group="billing"} 0\n')
})

// --- debug bundle ----------------------------------------------------------------------------------

test('debug bundle writes the state of all brokers into one file, for its owner only', async () => {
  const file = join(broker.directory, 'bundle.json')
  const { code, stdout } = await mk(['debug', 'bundle', '--to', file])
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${file}\n` })
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const bundle = JSON.parse(readFileSync(file, 'utf8'))
  expect(bundle).toMatchObject({
    made: { by: expect.stringMatching(/^minikafka \d/), node: process.versions.node },
    cluster: { controllerId: 1 },
    brokers: [{ nodeId: 1, process: { brokerId: 1, platform: process.platform } }],
    groups: [
      { description: { group: 'billing' }, lag: [{ topic: 'orders' }, { topic: 'orders' }] },
    ],
    errors: [],
  })
  expect(bundle.topics.map(({ name }: { name: string }) => name)).toContain('orders')
  expect(bundle.brokers[0].logDirs[0].topics.length).toBeGreaterThan(0)
  expect(bundle.brokers[0].config.length).toBeGreaterThan(20)
})

test('debug bundle --to - writes to stdout, and no record is in it', async () => {
  await mk(['produce', 'orders', 'a value that nobody may see'])
  const { code, stdout } = await mk(['debug', 'bundle', '--to', '-'])
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ errors: [] })
  expect(stdout).not.toContain('nobody may see')
})

test('debug bundle puts nothing but a file out of its way, and says where it cannot write', async () => {
  const link = join(broker.directory, 'link')
  symlinkSync('/dev/null', link)
  for (const [to, words] of [
    [link, 'it is there already, and is no file'],
    [broker.directory, 'it is there already, and is no file'],
    [join(broker.directory, 'no/where'), 'there is no folder'],
  ] as const)
    expect(await mk(['debug', 'bundle', '--to', to])).toMatchObject({
      ...{ code: 1, stdout: '' },
      stderr: expect.stringMatching(`^minikafka: ${to} cannot be written: ${words}`),
    })
  expect(lstatSync(link).isSymbolicLink()).toBe(true)
})
