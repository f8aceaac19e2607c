// minikafka profile …, and --profile for the other commands.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type RunningBroker, runBroker } from '../../broker/test/running-broker.ts'
import { run, type Surroundings } from './program.ts'

let broker: RunningBroker
let home: string
let file: string

beforeAll(async () => {
  broker = await runBroker()
})
afterAll(() => broker[Symbol.asyncDispose]())
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'minikafka-home-'))
  file = join(home, '.config/minikafka/config.yaml')
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const mk = (args: readonly string[], surroundings: Surroundings = {}) =>
  run(args, { input: '', home, ...surroundings }).ended

const write = (text: string) => {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

test('the first profile is in use, its file for its owner alone', async () => {
  const address = `127.0.0.1:${broker.port}`
  expect(await mk(['profile', 'create', 'here', '-b', address, '--timeout', '30s'])).toEqual({
    code: 0,
    stdout: '',
    stderr: `created profile here in ${file}; it is in use\n`,
  })
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readFileSync(file, 'utf8')).toContain('current: here\n')
  expect(await mk(['cluster', 'info', '-O', 'json'])).toMatchObject({ code: 0 })
})

test('use, list and delete; comments stay', async () => {
  write('# mine\ncurrent: a\nprofiles:\n  a: { brokers: [k1:9092, k2:9092] }\n  b: {}\n')
  expect((await mk(['profile', 'list'])).stdout).toBe(
    'PROFILE  IN USE  BROKERS\na        yes     k1:9092,k2:9092\nb                -\n',
  )
  await mk(['profile', 'use', 'b'])
  expect(readFileSync(file, 'utf8')).toMatch(/^# mine\ncurrent: b\n/)
  expect((await mk(['profile', 'delete', 'b'])).code).toBe(2)
  expect((await mk(['profile', 'delete', 'b', '--dry-run'])).stdout).toBe('would delete b\n')
  expect((await mk(['profile', 'delete', 'b', '-y'])).code).toBe(0)
  expect(readFileSync(file, 'utf8')).toBe(
    '# mine\ncurrent: null\nprofiles:\n  a: { brokers: [ k1:9092, k2:9092 ] }\n',
  )
})

test('flag goes before environment, that before profile, that before default', async () => {
  write(
    'current: a\nprofiles: { a: { brokers: [k1:1], timeout: 7s, options: { clientId: me } } }\n',
  )
  const show = async (args: string[] = [], variables: Record<string, string> = {}) =>
    (await mk(['profile', 'show', '--show-origin', ...args], { variables })).stdout
  expect(await show()).toBe(
    [
      'SETTING   VALUE  FROM',
      'profile   a      current',
      'brokers   k1:1   profile a',
      'output    text   default',
      'timeout   7s     profile a',
      'clientId  me     profile a\n',
    ].join('\n'),
  )
  const variables = { MINIKAFKA_BROKERS: 'k2:2', MINIKAFKA_TIMEOUT: '' }
  expect(await show([], variables)).toMatch(/brokers +k2:2 +MINIKAFKA_BROKERS\n.*\ntimeout +7s/)
  expect(await show(['-b', 'k3:3', '-X', 'clientId=you'], variables)).toMatch(
    /brokers +k3:3 +--brokers\n(.*\n)+clientId +you +-X\n$/,
  )
  expect((await mk(['profile', 'show'])).stdout).not.toContain('FROM')
  write('profiles: {}\n')
  expect(await show()).toMatch(/\nprofile +none +default\n/)
})

test('--profile and MINIKAFKA_PROFILE name another; a missing one ends with 3', async () => {
  write(`profiles: { here: { brokers: ['127.0.0.1:${broker.port}'], output: json } }\n`)
  const info = (args: string[], variables: Record<string, string> = {}) =>
    mk(['cluster', 'info', '--timeout', '30s', ...args], { variables })
  expect(JSON.parse((await info(['--profile', 'here'])).stdout)).toHaveProperty('clusterId')
  expect(await info([], { MINIKAFKA_PROFILE: 'here' })).toMatchObject({ code: 0 })
  expect(await info(['--profile', 'there'])).toEqual({
    code: 3,
    stdout: '',
    stderr: `minikafka: there is no profile 'there' in ${file}; there are here\n`,
  })
})

test.each([
  ['profiles: { a: { password: x } }', /profiles\.a\.password: secrets do not belong here/],
  ['profiles: { a: { broker: x } }', /profiles\.a\.broker: there is no such field; there are bro/],
  ['profiles: { a: { brokers: x } }', /profiles\.a\.brokers: expected a list of host:port/],
  ['profiles: { a: { timeout: 10 } }', /profiles\.a\.timeout: expected a duration/],
  ['profiles: { a: { output: xml } }', /profiles\.a\.output: expected one of text/],
  ['profiles: [a]', /profiles: expected names with values/],
  ['profiles: {', /config\.yaml: /],
])('a file with %j is refused, but for help', async (text, message) => {
  write(`${text}\n`)
  const ending = await mk(['topic', 'list'])
  expect(ending).toMatchObject({ code: 1, stderr: expect.stringMatching(message) })
  expect((await mk(['help', 'topic'])).code).toBe(0)
})

test.each([
  [['create', 'a/b', '-b', 'x'], 2, /a name is letters/],
  [['create', 'a'], 2, /say what the profile shall hold/],
  [['create', 'a', '-X', 'nothing=1'], 2, /the SDK has no such option/],
  [['create', 'old', '-b', 'x'], 1, /profile old exists already/],
  [['use', 'nothing'], 3, /there is no profile 'nothing'/],
  [['delete', 'nothing', '-y'], 3, /there is no profile 'nothing'/],
])('profile %j ends with %i', async (args, code, message) => {
  write('profiles: { old: {} }\n')
  expect(await mk(['profile', ...args])).toMatchObject({
    code,
    stderr: expect.stringMatching(message),
  })
})
