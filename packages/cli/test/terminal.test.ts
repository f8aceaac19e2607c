// What is printed on a terminal: it fits, and nobody's names steer it.
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningBroker, runBroker } from '../../broker/test/running-broker.ts'
import { commandLineOf } from './program.ts'

const LONG = 'a-topic-with-a-rather-long-name.for.customers.of.the.company-in-europe'
const STEERING = 'ev\u001b[31mil\nname'
let broker: RunningBroker
let mk: ReturnType<typeof commandLineOf>['mk']
let start: ReturnType<typeof commandLineOf>['start']

beforeAll(async () => {
  broker = await runBroker()
  ;({ mk, start } = commandLineOf(broker.port))
  await mk(['topic', 'create', LONG, ...Array.from({ length: 20 }, (_, n) => `topic-${n}`)])
  await mk(['produce', 'topic-0', 'one'])
  for (const group of ['readers', STEERING])
    await mk(['consume', 'topic-0', '-g', group, '-o', 'start', '-n', '1'])
})
afterAll(() => broker[Symbol.asyncDispose]())

/** The lines on a terminal of that size, without colours. */
async function linesOn(size: readonly [number, number], args: readonly string[]) {
  const { stdout } = await mk(args, { tty: ['stdout'], size })
  return stripVTControlCharacters(stdout).trimEnd().split('\n')
}

test.each([
  [80, ['topic', 'list', '--sizes', '-O', 'wide']],
  [80, ['cluster', 'config', 'get', '-O', 'wide']],
  [120, ['cluster', 'config', 'get', '-O', 'wide']],
  [80, ['group', 'explain', 'readers']],
  [80, ['top', '-n', '1', '--interval', '1ms']],
  [80, ['doctor']],
])('in %i columns no line of %j is longer', async (columns, args) => {
  const lines = await linesOn([columns, 24], args)
  expect(lines.length).toBeGreaterThan(1)
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns)
})

test('of a long name both ends are shown; in a pipe, and where there is room, all of it', async () => {
  const args = ['topic', 'list', '-O', 'wide']
  expect(await linesOn([80, 24], args)).toContainEqual(
    expect.stringMatching(/^a-topic-\S*…\S*europe /),
  )
  expect(await linesOn([160, 24], args)).toContainEqual(expect.stringContaining(`${LONG} `))
  expect((await mk(args)).stdout).toContain(`${LONG} `)
})

test('what a setting is about stands below it where it has no room beside it', async () => {
  const args = ['cluster', 'config', 'get', 'flush', 'group.consumer.assignors', '-O', 'wide']
  const lines = await linesOn([80, 24], args)
  expect(lines[0]).toMatch(/^SETTING +VALUE +FROM +CHANGES$/)
  expect(lines[1]).toMatch(/^flush +\w+ +\w+ +now$/)
  expect(lines[2]).toMatch(/^ {4}group: nothing is committed before/)
  const piped = await mk(args)
  expect(piped.stdout).toMatch(/^SETTING .* ABOUT\nflush .* now +group: nothing .*\ngroup\..*\n$/)
})

test('a terminal of one column, or one that does not know its size, is written to as well', async () => {
  for (const args of [['cluster', 'config', 'get', '-O', 'wide'], ['doctor']])
    expect(await mk(args, { tty: ['stdout'], size: [1, 1] })).toMatchObject({ code: 0 })
})

test('names with control characters steer no terminal, and break no table', async () => {
  const { stdout } = await mk(['group', 'list'])
  expect(stdout).toMatch(/^ev\\x1b\[31mil\\x0aname +Empty$/m)
  const explained = await mk(['group', 'explain', STEERING])
  expect(explained.stdout).not.toContain('\u001b')
})

test.each([
  [12, 4],
  [24, 16],
])('top takes no more than the %i rows of a terminal', async (rows, topics) => {
  const running = start(['top', '--interval', '1ms'], { tty: ['stdout'], size: [100, rows] })
  await running.printed(/BEHIND[\s\S]+BEHIND[\s\S]+UTC/)
  running.signal('SIGINT')
  const { code, stdout, stderr } = await running.ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: 'rates over 1ms …\n' })
  const [, look = ''] = stdout.split('\u001b[H\u001b[J').map(stripVTControlCharacters)
  expect(look.split('\n').length).toBeLessThanOrEqual(rows)
  expect(look.match(/^topic-\d+|^a-topic/gm)).toHaveLength(topics)
  expect(look).toMatch(/\nGROUP[\s\S]+\nreaders /)
})
