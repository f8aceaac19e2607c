// The first SIGINT or SIGTERM finishes what is in hand; against a broker that runs.
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

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s ends a consumer that follows, with 0',
  async (name) => {
    const topic = `followed-${name}`
    await mk(['topic', 'create', topic])
    await mk(['produce', topic, 'a'])
    const running = start(['consume', topic])
    await running.printed(/^a\n/)
    running.signal(name)
    expect(await running.ended).toEqual({ code: 0, stdout: 'a\n', stderr: '' })
  },
)

test('a consumer with -n that is stopped before ends with 1', async () => {
  await mk(['topic', 'create', 'counted'])
  await mk(['produce', 'counted', 'a'])
  const running = start(['consume', 'counted', '-n', '5'])
  await running.printed(/^a\n/)
  running.signal('SIGINT')
  expect(await running.ended).toEqual({
    code: 1,
    stdout: 'a\n',
    stderr: 'minikafka: stopped after 1 of 5 records\n',
  })
})

test('a producer of lines finishes those it has, and ends with 0', async () => {
  await mk(['topic', 'create', 'typed'])
  const running = start(['produce', 'typed', '-v'])
  running.type('a\nb\nhalf a line')
  await running.printed(/typed\[0\]@1\n/)
  running.signal('SIGINT')
  expect(await running.ended).toMatchObject({ code: 0, stderr: 'produced 2 records to typed\n' })
  expect((await mk(['consume', 'typed', '-e'])).stdout).toBe('a\nb\n')
})

test.each([
  ['--count', ['--count', '5']],
  ['values', ['v1', 'v2', 'v3']],
])('a producer with %s that is stopped before ends with 1', async (what, args) => {
  const topic = `undone-${what.replaceAll('-', '')}`
  await mk(['topic', 'create', topic])
  const running = start(['produce', topic, '-v', '--rate', '1/1h', ...args])
  running.type('a\n')
  await running.printed(/@0\n/)
  running.signal('SIGTERM')
  expect(await running.ended).toMatchObject({
    code: 1,
    stderr: 'minikafka: stopped before the end: 1 record was produced\n',
  })
})

test('a question that waits for a broker is left, with 1', async () => {
  const running = start(['topic', 'list', '-b', '127.0.0.1:1', '--timeout', '1h'])
  await running.printed(/^waiting up to 1h for 127\.0\.0\.1:1\n/, 'stderr')
  running.signal('SIGINT')
  expect(await running.ended).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/\nminikafka: interrupted\n$/),
  })
})

test('a question to the user is left, and nothing is deleted', async () => {
  await mk(['topic', 'create', 'kept'])
  const running = start(['topic', 'delete', 'kept'], { tty: ['stdin', 'stderr'] })
  await running.printed(/\[y\/N\] $/, 'stderr')
  running.signal('SIGINT')
  expect((await running.ended).code).toBe(1)
  expect((await mk(['topic', 'list'])).stdout).toContain('kept')
})
