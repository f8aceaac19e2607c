// minikafka topic copy, within a cluster and to another one.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningBroker, runBroker } from '../../broker/test/running-broker.ts'
import { commandLineOf, run } from './program.ts'

let broker: RunningBroker
let other: RunningBroker
let mk: ReturnType<typeof commandLineOf>['mk']
const home = mkdtempSync(join(tmpdir(), 'minikafka-home-'))

beforeAll(async () => {
  ;[broker, other] = await Promise.all([runBroker(), runBroker()])
  ;({ mk } = commandLineOf(broker.port))
  for (const [name, { port }] of [['here', broker] as const, ['other', other] as const])
    await mk(['profile', 'create', name, '-b', `127.0.0.1:${port}`], { home })
  await mk(['topic', 'create', 'source', '-p', '3', '-c', 'retention.ms=-1'])
  const { code } = await mk(['produce', 'source', '-J'], { input: INPUT })
  expect(code).toBe(0)
})
afterAll(async () => {
  await broker[Symbol.asyncDispose]()
  await other[Symbol.asyncDispose]()
  rmSync(home, { recursive: true, force: true })
})

const INPUT = Array.from({ length: 300 }, (_, n) =>
  JSON.stringify({
    partition: n % 3,
    timestamp: 1_700_000_000_000 + n,
    key: n % 2 === 0 ? `k${n % 10}` : null,
    value: n === 7 ? null : `v${n}`,
    headers: [
      ['a', '1'],
      ['a', null],
    ],
  }),
)
  .map((line) => `${line}\n`)
  .join('')

/** All records, without their topic. */
const read = async (topic: string, port = broker.port) => {
  const { stdout } = await run(['-b', `127.0.0.1:${port}`, 'consume', topic, '-e', '-J']).ended
  return stdout.replaceAll(`"topic":"${topic}",`, '').split('\n').sort()
}

test('copy keeps key, value, headers, timestamp, partition and order, and says so', async () => {
  expect(await mk(['topic', 'copy', 'source', 'twin', '--create'])).toEqual({
    code: 0,
    stdout: '',
    stderr:
      'created twin with 3 partitions\ncopied 300 records, from source to twin: keys, headers and timestamps kept, each to the partition it was in\n',
  })
  expect(await read('twin')).toEqual(await read('source'))
  const { stdout } = await mk(['topic', 'describe', 'twin'])
  expect(stdout).toMatch(/retention\.ms +-1 +topic/)
})

test('a topic with another number of partitions gets each key in one of them', async () => {
  await mk(['topic', 'create', 'wider', '-p', '5'])
  const { stderr } = await mk(['topic', 'copy', 'source', 'wider'])
  expect(stderr).toMatch(/^copied 300 records, from source to wider: .*partitions by key\n$/)
  const { stdout } = await mk(['consume', 'wider', '-e', '-f', '%k %p\\n'])
  const homes = new Set(stdout.split('\n').filter((line) => line.startsWith('k')))
  expect(homes.size).toBe(5)
})

test('--to-profile copies to another cluster, under the same name, from an offset on', async () => {
  const args = ['topic', 'copy', 'source', 'source', '--to-profile', 'other', '--create']
  expect(await mk([...args, '-o', '90:', '-z', 'zstd'], { home })).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/copied 30 records, from source to source of profile other:/),
  })
  expect(await read('source', other.port)).toHaveLength(31)
})

test('--dry-run says what would be copied, and makes nothing', async () => {
  const { stdout } = await mk(['topic', 'copy', 'source', 'planned', '--create', '--dry-run'])
  expect(stdout).toBe(
    'would copy up to 300 records, from source to planned, made with 3 partitions\n',
  )
  expect((await mk(['topic', 'describe', 'planned'])).code).toBe(3)
})

test.each([
  [['source', 'source'], 2, /source cannot be copied to itself/],
  [['source', 'source', '--to-profile', 'here'], 2, /leads to the same cluster/],
  [['source', 'nowhere'], 3, /there is no topic 'nowhere'.*; --create makes it like source/],
  [['sauce', 'x', '--create'], 3, /there is no topic 'sauce'/],
  [['source', 'x', '--to-profile', 'none'], 3, /there is no profile 'none'/],
  [['source', 'x', '-z', 'rar'], 2, /-z rar/],
])('copy %j ends with %i', async (args, code, message) => {
  expect(await mk(['topic', 'copy', ...args], { home })).toMatchObject({
    code,
    stderr: expect.stringMatching(message),
  })
})

test('what the other topic refuses ends the copy, with what was copied before', async () => {
  await mk(['topic', 'create', 'compacted', '-p', '3', '-c', 'cleanup.policy=compact'])
  const { code, stderr } = await mk(['topic', 'copy', 'source', 'compacted'])
  expect(code).toBe(1)
  expect(stderr).toMatch(/key.*; copied before that: \d+ records?, from source to compacted\n$/)
})
