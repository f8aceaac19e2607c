// minikafka group …, and consume -g, against a broker that runs.
import { Client, type Consumer } from '@minikafka/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningBroker, runBroker } from '../../broker/test/running-broker.ts'
import { commandLineOf } from './program.ts'

let broker: RunningBroker
let client: Client
let mk: ReturnType<typeof commandLineOf>['mk']
let start: ReturnType<typeof commandLineOf>['start']

beforeAll(async () => {
  broker = await runBroker()
  ;({ mk, start } = commandLineOf(broker.port))
  client = new Client({ brokers: `127.0.0.1:${broker.port}`, clientId: 'app', logger: false })
  await mk(['topic', 'create', 'orders', '-p', '2'])
  for (let i = 0; i < 10; i++)
    await client.producer().send('orders', { value: `v${i}`, partition: i % 2 })
})
afterAll(async () => {
  await client.close()
  await broker[Symbol.asyncDispose]()
})

const lines = (text: string) => text.split('\n').filter(Boolean)
const jsonLines = (text: string) => lines(text).map((line) => JSON.parse(line) as unknown)

/** A group that has read all there is and left. */
async function read(group: string, count = 10): Promise<void> {
  const { code, stdout } = await mk([
    ...['consume', 'orders', '-g', group, '-o', 'start', '-n', String(count)],
  ])
  expect({ code, lines: lines(stdout).length }).toEqual({ code: 0, lines: count })
}

/** A member that holds everything, until it is closed. */
async function join(group: string): Promise<Consumer<'orders'>> {
  const consumer = client.consumer({ group, topics: ['orders'], start: 'earliest' })
  const assigned = new Promise((resolve) => consumer.on('assigned', resolve))
  void consumer.poll({ max: 1, maxWaitMs: 60_000 }).catch(() => undefined)
  await assigned
  return consumer
}

test('consume -g commits what it printed, and nothing more; the next one goes on there', async () => {
  await read('counted', 4)
  expect(jsonLines((await mk(['group', 'lag', 'counted', '-O', 'jsonl'])).stdout)).toHaveLength(2)
  await read('counted', 6)
  const { stdout } = await mk(['group', 'lag', 'counted', '-O', 'jsonl'])
  expect(jsonLines(stdout)).toMatchObject([
    { topic: 'orders', partition: 0, committed: 5, end: 5, lag: 0 },
    { topic: 'orders', partition: 1, committed: 5, end: 5, lag: 0 },
  ])
})

test('consume -g without -o is a usage error, as is what only reading without a group can do', async () => {
  expect(await mk(['consume', 'orders', '-g', 'x'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('-o'),
  })
  for (const more of [['-p', '0'], ['-e'], ['-o', '1:2']])
    expect(await mk(['consume', 'orders', '-g', 'x', '-o', 'start', ...more])).toMatchObject({
      code: 2,
    })
  expect(await mk(['consume', 'orders', '-o', 'committed'])).toMatchObject({ code: 2 })
})

test('list, describe and members show a group; one that does not exist is not found', async () => {
  const member = await join('shown')
  expect(jsonLines((await mk(['group', 'list', '-O', 'jsonl'])).stdout)).toContainEqual(
    expect.objectContaining({ group: 'shown', state: 'Stable' }),
  )
  const { stdout } = await mk(['group', 'describe', 'shown'])
  expect(stdout).toMatch(/^group +shown\nstate +Stable\n/)
  expect(stdout).toMatch(/MEMBER +CLIENT +HOST/)
  expect(stdout).toMatch(/orders +0 +- +5 +5/)
  expect((await mk(['group', 'members', 'shown'])).stdout).toMatch(/ app +127\.0\.0\.1 +stable +2 /)
  await member.close()
  expect(await mk(['group', 'describe', 'shwon'])).toEqual({
    code: 3,
    stdout: '',
    stderr: "minikafka: there is no group 'shwon'; did you mean 'shown'?\n",
  })
})

test('lag --max ends with 1 where a partition is further behind, and says which', async () => {
  await read('behind', 1)
  expect(await mk(['group', 'lag', 'behind', '--max', '5', '-q'])).toMatchObject({ code: 0 })
  expect(await mk(['group', 'lag', 'behind', '--max', '3', '-q'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /further behind than 3 records in \d of 2 partitions; most in orders-/,
    ),
  })
  expect(await mk(['group', 'lag', 'behind', '--max', '1h', '-q'])).toMatchObject({ code: 0 })
  expect(await mk(['group', 'lag', 'behind', '--max', 'much'])).toMatchObject({ code: 2 })
})

test('lag --watch looks again until it is stopped', async () => {
  await read('watched')
  const running = start(['group', 'lag', 'watched', '--watch', '--interval', '10ms'])
  await running.printed(/(?:TOPIC.*\n(?:.+\n)+\n){2}/)
  running.signal('SIGINT')
  expect((await running.ended).code).toBe(0)
})

test('seek prints old and new, does nothing with --dry-run, and asks elsewhere for --yes', async () => {
  await read('sought')
  const plan = await mk(['group', 'seek', 'sought', '--to', 'start', '--dry-run', '-O', 'jsonl'])
  expect(jsonLines(plan.stdout)).toMatchObject([
    { partition: 0, committed: 5, nextOffset: 0, lag: 5 },
    { partition: 1, committed: 5, nextOffset: 0, lag: 5 },
  ])
  expect(await mk(['group', 'seek', 'sought', '--to', 'start'])).toMatchObject({ code: 2 })
  const committed = async () => {
    const { stdout } = await mk(['group', 'lag', 'sought', '-O', 'jsonl'])
    return jsonLines(stdout).map((row) => (row as { committed: number }).committed)
  }
  expect(await committed()).toEqual([5, 5])
  expect(await mk(['group', 'seek', 'sought', '--to', 'shift:-2', '--yes'])).toMatchObject({
    code: 0,
  })
  expect(await committed()).toEqual([3, 3])
  expect(await mk(['group', 'seek', 'sought', '--to', '-1', '--yes'])).toMatchObject({ code: 0 })
  expect(await committed()).toEqual([4, 4])
})

test('seek takes the places of another group, and those of a file', async () => {
  await read('first')
  const topics = ['--topics', 'orders', '--yes']
  expect(await mk(['group', 'seek', 'second', '--to-group', 'first', ...topics])).toMatchObject({
    code: 0,
  })
  expect((await mk(['group', 'lag', 'second', '--max', '0'])).code).toBe(0)
  expect(await mk(['group', 'seek', 'second', '--to-file', '/nonexistent', '--yes'])).toMatchObject(
    {
      code: 1,
      stderr: expect.stringContaining('/nonexistent'),
    },
  )
})

test('seek and delete refuse a group with members, and say what to do', async () => {
  const member = await join('active')
  for (const words of [
    ['group', 'seek', 'active', '--to', 'end', '--topics', 'orders', '--yes'],
    ['group', 'delete', 'active', '--yes'],
  ]) {
    const { code, stderr } = await mk(words)
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/members/) })
  }
  await member.close()
  expect(await mk(['group', 'delete', 'active'])).toMatchObject({ code: 2 })
  expect(await mk(['group', 'delete', 'active', '--yes'])).toMatchObject({
    code: 0,
    stderr: "deleted group 'active'\n",
  })
  expect(await mk(['group', 'describe', 'active'])).toMatchObject({ code: 3 })
})

test('members --remove takes one out', async () => {
  const member = await join('pruned')
  const { stdout } = await mk(['group', 'members', 'pruned', '-O', 'jsonl'])
  const [{ memberId }] = jsonLines(stdout) as [{ memberId: string }]
  const lost = new Promise((resolve) => member.on('lost', resolve))
  expect(await mk(['group', 'members', 'pruned', '--remove', memberId])).toMatchObject({ code: 0 })
  await lost
  await member.close()
})

test('explain says who reads what and what happened last', async () => {
  const member = await join('explained')
  const { code, stdout } = await mk(['group', 'explain', 'explained'])
  expect(code).toBe(0)
  const words = stdout.replaceAll(/\s+/g, ' ')
  expect(words).toMatch(/^Group 'explained' is Stable: its 1 member has what the sticky assignor/)
  expect(words).toMatch(/\(app on 127\.0\.0\.1\) reads orders 0-1\./)
  expect(stdout).toMatch(/joined/)
  await member.close()
  expect((await mk(['group', 'explain', 'explained'])).stdout).toMatch(/is Empty: nobody is in it/)
})
