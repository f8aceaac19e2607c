// minikafka topic …, against a broker that runs.
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

const list = async () => {
  const { stdout } = await mk(['topic', 'list', '-O', 'jsonl'])
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { name: string; partitions: number })
}
const names = async () => (await list()).map(({ name }) => name)

test('create says on stderr what it made, with partitions and settings', async () => {
  expect(await mk(['topic', 'create', 'orders', '-p', '6', '-c', 'retention.ms=7d'])).toEqual({
    code: 0,
    stdout: '',
    stderr: 'created orders with 6 partitions\n',
  })
  const { stdout } = await mk(['topic', 'describe', 'orders'])
  expect(stdout).toMatch(/SETTING +VALUE +FROM\nretention\.ms +7d +topic\n$/)
})

test('create of several goes on after one that fails, and tells of it at the end', async () => {
  await mk(['topic', 'create', 'there'])
  expect(await mk(['topic', 'create', 'first', 'there', 'second'])).toEqual({
    code: 1,
    stdout: '',
    stderr:
      'created first with 1 partition\ncreated second with 1 partition\nminikafka: topic there exists already\n',
  })
})

test('--if-not-exists lets an existing topic be', async () => {
  await mk(['topic', 'create', 'once'])
  expect(await mk(['topic', 'create', 'once', '-p', '3', '--if-not-exists'])).toEqual({
    code: 0,
    stdout: '',
    stderr: 'once exists already\n',
  })
  expect(await list()).toContainEqual(expect.objectContaining({ name: 'once', partitions: 1 }))
})

test('--dry-run prints the plan and creates nothing', async () => {
  const { code, stdout } = await mk(['topic', 'create', 'planned', '-p', '4', '--dry-run', '-q'])
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'would create planned with 4 partitions\n' })
  expect(await names()).not.toContain('planned')
})

test.each([
  [['-p', '0'], 2, /-p 0: expected a number, 1 or more/],
  [['-c', 'retention.ms'], 2, /-c retention\.ms: expected name=value/],
  [['-c', 'retention.mss=1d'], 1, /did you mean retention\.ms/],
  [['-c', 'retention.ms=soon'], 1, /not "soon"/],
  [['-r', '3'], 1, /replication factor 3 is not possible/],
])('create with %j ends with %i', async (options, code, message) => {
  const ending = await mk(['topic', 'create', 'refused', ...options])
  expect(ending).toMatchObject({ code, stderr: expect.stringMatching(message) })
  expect(await names()).not.toContain('refused')
})

test('list prints a table without borders, -O wide more of it, --sizes the bytes on disk', async () => {
  await mk(['topic', 'create', 'listed', '-p', '2'])
  await mk(['produce', 'listed', 'x'.repeat(2000)])
  const table = async (...options: string[]) =>
    (await mk(['topic', 'list', ...options])).stdout.split('\n')
  expect((await table())[0]).toMatch(/^TOPIC +PARTITIONS {2}REPLICAS$/)
  expect(await table()).toContainEqual(expect.stringMatching(/^listed {11,}2 {9}1$/))
  expect((await table('-O', 'wide'))[0]).toMatch(/^TOPIC +PARTITIONS +REPLICAS +ID$/)
  expect((await table('--sizes')).join('\n')).toMatch(/listed +2 +1 +2\.\d KiB/)
})

test('list -O json is an array, jsonl a line for each topic', async () => {
  await mk(['topic', 'create', 'shown'])
  const { stdout } = await mk(['topic', 'list', '-O', 'json'])
  expect(JSON.parse(stdout)).toEqual(await list())
})

test('describe prints partitions with their offsets, and in JSON the same', async () => {
  await mk(['topic', 'create', 'described', '-p', '2'])
  await mk(['produce', 'described', '-p', '1', 'a', 'b', 'c'])
  const { stdout } = await mk(['topic', 'describe', 'described'])
  expect(stdout).toMatch(/^topic +described\nid +[\w-]+\npartitions +2\nreplicas +1\n\n/)
  expect(stdout).toMatch(
    /PARTITION {2}LEADER {2}REPLICAS {2}IN SYNC {2}START {2}END {2}RECORDS\n +0 +1 +1 +1 +0 +0 +0\n +1 +1 +1 +1 +0 +3 +3\n/,
  )
  expect(stdout).toContain('all settings are at their defaults (-O wide shows them)')
  const json = await mk(['topic', 'describe', 'described', '-O', 'json'])
  expect(JSON.parse(json.stdout)).toMatchObject([
    { name: 'described', partitions: [{ endOffset: 0 }, { startOffset: 0, endOffset: 3 }] },
  ])
})

test('describe of an unknown topic names the nearest, exit 3, and shows the others', async () => {
  await mk(['topic', 'create', 'payments'])
  const ending = await mk(['topic', 'describe', 'payment', 'payments'])
  expect(ending).toMatchObject({
    code: 3,
    stderr: "minikafka: there is no topic 'payment'; did you mean 'payments'?\n",
  })
  expect(ending.stdout).toMatch(/^topic +payments\n/)
})

test('alter sets a setting, and back to its default', async () => {
  await mk(['topic', 'create', 'altered'])
  const settings = async () => (await mk(['topic', 'describe', 'altered'])).stdout
  expect(await mk(['topic', 'alter', 'altered', '-c', 'retention.ms=1d'])).toEqual({
    code: 0,
    stdout: '',
    stderr: 'changed altered: retention.ms=1d\n',
  })
  expect(await settings()).toMatch(/retention\.ms +1d +topic/)
  const dry = await mk(['topic', 'alter', 'altered', '-d', 'retention.ms', '--dry-run'])
  expect(dry.stdout).toBe('would change altered: retention.ms back to its default\n')
  expect(await settings()).toMatch(/retention\.ms +1d/)
  await mk(['topic', 'alter', 'altered', '-d', 'retention.ms'])
  expect(await settings()).toContain('all settings are at their defaults')
})

test.each([
  [['altered'], 2, /nothing to change/],
  [['altered', '-c', 'flush=os', '-d', 'flush'], 2, /flush: set it, or delete it, not both/],
  [['atlered', '-c', 'flush=os'], 3, /did you mean 'altered'/],
])('alter %j ends with %i', async (args, code, message) => {
  await mk(['topic', 'create', 'altered', '--if-not-exists'])
  expect(await mk(['topic', 'alter', ...args])).toMatchObject({
    code,
    stderr: expect.stringMatching(message),
  })
})

test('delete without a terminal needs --yes', async () => {
  await mk(['topic', 'create', 'doomed'])
  expect(await mk(['topic', 'delete', 'doomed'])).toMatchObject({
    code: 2,
    stderr: 'minikafka: this destroys data: say --yes to do it without a question\n',
  })
  expect(await names()).toContain('doomed')
  expect(await mk(['topic', 'delete', 'doomed', '--yes'])).toMatchObject({
    code: 0,
    stderr: 'deleted doomed\n',
  })
  expect(await names()).not.toContain('doomed')
})

test.each([
  ['y\n', 0, false],
  ['YES\n', 0, false],
  ['n\n', 1, true],
  ['\n', 1, true],
])('delete on a terminal asks, and %j is obeyed', async (answer, code, stays) => {
  await mk(['topic', 'create', 'asked', '--if-not-exists'])
  const running = start(['topic', 'delete', 'asked'], { tty: ['stdin', 'stdout', 'stderr'] })
  await running.printed(/Delete asked with all its records\? \[y\/N\] $/, 'stderr')
  running.type(answer)
  expect((await running.ended).code).toBe(code)
  expect((await names()).includes('asked')).toBe(stays)
})

test('delete --dry-run prints what would go, and deletes nothing', async () => {
  await mk(['topic', 'create', 'test-1', 'test-2', 'my-test-3'])
  const { stdout, code } = await mk(['topic', 'delete', '--regex', 'test-.*', '--dry-run'])
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: 'would delete test-1, test-2 with all their records\n',
  })
  expect(await names()).toEqual(expect.arrayContaining(['test-1', 'test-2', 'my-test-3']))
})

test('delete of something mistyped deletes nothing at all', async () => {
  await mk(['topic', 'create', 'spared'])
  expect(await mk(['topic', 'delete', 'spared', 'sparde', '-y'])).toMatchObject({
    code: 3,
    stderr: "minikafka: there is no topic 'sparde'; did you mean 'spared'?\n",
  })
  expect(await names()).toContain('spared')
  expect(await mk(['topic', 'delete', 'sparde', '-y', '--if-exists'])).toMatchObject({
    code: 0,
    stderr: "there is no topic 'sparde'\nnothing to delete\n",
  })
})
