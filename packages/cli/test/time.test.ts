// What takes time, on a clock that the test holds.
import { TestBroker } from '@minikafka/testing'
import { expect, test } from 'vitest'
import { type Running, run, type Surroundings } from './program.ts'

/** The program at work, on a node of its own, next to a broker in the same world. */
async function startIn(
  broker: TestBroker,
  args: readonly string[],
  surroundings: Surroundings = {},
): Promise<Running> {
  const env = broker.world.env('cli')
  const running = run(['-b', broker.address, ...args], { ...surroundings, env })
  await seen(broker, () => broker.clock.pending().some((line) => / {2}cli {2}/.test(line)))
  await broker.world.settled()
  return running
}

/** Looks in turns of the real loop, in which modules are loaded; the world's time stands still meanwhile. */
async function seen(broker: TestBroker, holds: () => boolean): Promise<void> {
  while (!holds()) {
    await broker.world.settled()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('--rate lets so many through in the time given', async () => {
  await using broker = await TestBroker.start({ topics: { paced: 1 } })
  const values = Array.from({ length: 25 }, (_, n) => `${n}`)
  const running = await startIn(broker, ['produce', 'paced', '--rate', '10/1m', ...values])
  await broker.clock.advance('59s')
  expect(await broker.read('paced')).toHaveLength(10)
  await broker.clock.advance('60s')
  expect(await broker.read('paced')).toHaveLength(20)
  await broker.clock.advance('60s')
  expect(await broker.world.complete(running.ended)).toMatchObject({ code: 0 })
})

test('work of more than half a second draws a bar on a terminal: share, rate, time left', async () => {
  await using broker = await TestBroker.start({ topics: { drawn: 1 } })
  const args = ['produce', 'drawn', '--rate', '10', '--count', '40']
  const running = await startIn(broker, args, { tty: ['stderr'], input: 'x\n'.repeat(40) })
  await broker.clock.advance('450ms')
  expect(running.stderr()).toBe('')
  await broker.clock.advance('100ms')
  await seen(broker, () => running.stderr().includes('produced'))
  await broker.clock.advance('1500ms')
  const bar = /produced █+░+ 5\d % {2}2\d records {2}1\d\/s {2}\S+ left/
  await seen(broker, () => bar.test(running.stderr()))
  await broker.clock.advance('2s')
  expect(await broker.world.complete(running.ended)).toMatchObject({
    code: 0,
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the bar is wiped away.
    stderr: expect.stringMatching(/\u001b\[2Kproduced 40 records to drawn\n$/),
  })
})

test('where nobody knows how much there is, it counts', async () => {
  await using broker = await TestBroker.start({ topics: { counted: 1 } })
  const args = ['produce', 'counted', '--rate', '10']
  const running = await startIn(broker, args, { tty: ['stderr'], input: 'x\n'.repeat(40) })
  await broker.clock.advance('550ms')
  await seen(broker, () => running.stderr().includes('produced'))
  await broker.clock.advance('1500ms')
  await seen(broker, () => /produced 2\d records {2}1\d\/s/.test(running.stderr()))
  await broker.clock.advance('2s')
  await broker.world.complete(running.ended)
})

test.each([
  ['stderr is no terminal', [], []],
  ['-q says so', ['stderr'], ['-q']],
  ['what is printed on the terminal shows it already', ['stderr', 'stdout'], ['-v']],
] as const)('nothing is drawn where %s', async (_, tty, options) => {
  await using broker = await TestBroker.start({ topics: { plain: 1 } })
  const args = ['produce', 'plain', '--rate', '10', ...options]
  const running = await startIn(broker, args, { tty, input: 'x\n'.repeat(20) })
  await broker.clock.advance('3s')
  expect((await broker.world.complete(running.ended)).stderr).not.toContain('\u001b')
})

test('consume draws, too, where its records go elsewhere', async () => {
  await using broker = await TestBroker.start({ topics: { read: 1 } })
  const running = await startIn(broker, ['consume', 'read', '-n', '2'], { tty: ['stderr'] })
  await broker.world.complete(broker.client().producer().send('read', { value: 'a' }))
  await broker.clock.advance('2s')
  expect(running.stdout()).toBe('a\n')
  await seen(broker, () => /consumed █+░+ 50 % {2}1 records/.test(running.stderr()))
  running.signal('SIGINT')
  expect((await broker.world.complete(running.ended)).code).toBe(1)
})

test('a broker that stays away is told of, and that it is back', async () => {
  await using broker = await TestBroker.start({ topics: { away: 1 } })
  const running = await startIn(broker, ['consume', 'away'])
  await broker.kill()
  await broker.clock.advance('3s')
  expect(running.stderr()).toMatch(/^the connection to \S+ was lost, trying again\n$/)
  await broker.restart()
  await broker.clock.advance('10s')
  expect(running.stderr()).toMatch(/trying again\nconnected to \S+ again\n$/)
  running.signal('SIGINT')
  expect((await broker.world.complete(running.ended)).code).toBe(0)
})

test('so it is where something to produce comes long after it went', async () => {
  await using broker = await TestBroker.start({ topics: { away: 1 } })
  const running = await startIn(broker, ['produce', 'away', '-v'])
  running.type('a\n')
  await seen(broker, () => running.stdout() !== '')
  await broker.kill()
  await broker.clock.advance('20s')
  expect(running.stderr()).toBe('')
  running.type('b\n')
  await broker.clock.advance('5s')
  expect(running.stderr()).toMatch(/^the connection to \S+ was lost, trying again\n$/)
  await broker.restart()
  await broker.clock.advance('10s')
  expect(running.stderr()).toMatch(/trying again\nconnected to \S+ again\n$/)
  running.signal('SIGINT')
  expect((await broker.world.complete(running.ended)).code).toBe(0)
})

test('an ending that takes long is explained', async () => {
  await using broker = await TestBroker.start({ topics: { slow: 1 } })
  const running = await startIn(broker, ['produce', 'slow', '-X', 'retry.maxMs=200'])
  await broker.kill()
  running.type('in hand as long as its broker is away\n')
  await broker.world.settled()
  running.signal('SIGINT')
  await broker.clock.advance('1500ms')
  expect(running.stderr()).toBe('finishing what is in hand; once more ends at once\n')
  await broker.restart()
  await broker.clock.advance('10s')
  expect(await running.ended).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/\nproduced 1 record to slow\n$/),
  })
})

test('an address that swallows everything is given up after --timeout', async () => {
  await using broker = await TestBroker.start()
  broker.world.network.cut('cli', 'broker-0')
  const running = await startIn(broker, ['cluster', 'info', '--timeout', '4s'])
  expect(await broker.world.complete(running.ended)).toMatchObject({
    code: 4,
    stderr: expect.stringMatching(/^minikafka: no broker can be reached; .* \(waited 4s\)\n$/),
  })
})

test('stats measures for a while, and shows that it does', async () => {
  await using broker = await TestBroker.start({ topics: { measured: 1 } })
  const args = ['topic', 'stats', 'measured', '--interval', '4s']
  const running = await startIn(broker, args, { tty: ['stderr'] })
  await broker.clock.advance('550ms')
  await seen(broker, () => running.stderr().includes('measuring'))
  await broker.clock.advance('1500ms')
  await seen(broker, () => /measuring █+░+ 5\d % {2}\S+ left/.test(running.stderr()))
  await broker.clock.advance('3s')
  await seen(broker, () => running.stdout().includes('PARTITION'))
  expect(await broker.world.complete(running.ended)).toMatchObject({ code: 0 })
})

test.each([
  [['cluster', 'health', '--watch'], 'CHECK'],
  [['group', 'lag', 'readers', '--watch'], 'PARTITION'],
  [['top'], 'UTC'],
])('%j goes on where no broker answers for a while, and says so', async (args, mark) => {
  await using broker = await TestBroker.start({ topics: { watched: 1 } })
  const reader = broker
    .client()
    .consumer({ group: 'readers', topics: ['watched'], start: 'latest' })
  await broker.world.complete(reader.poll({ maxWaitMs: 2_000 }))
  const running = await startIn(broker, [...args, '--timeout', '1s'])
  const looks = () => running.stdout().split(mark).length
  await advanced(broker, () => looks() > 2)
  broker.world.network.cut('cli', 'broker-0')
  await advanced(broker, () => running.stderr().startsWith('waiting: '))
  const before = looks()
  broker.world.network.heal()
  await advanced(broker, () => looks() > before)
  running.signal('SIGINT')
  const { code, stderr } = await broker.world.complete(running.ended)
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringMatching(/^waiting: .* took longer than 1000 ms.*\nanswered again\n$/),
  })
  await broker.world.complete(reader.close())
})

/** The world's time goes on until that holds. */
async function advanced(broker: TestBroker, holds: () => boolean): Promise<void> {
  while (!holds()) {
    await broker.clock.advance('100ms')
    await new Promise((resolve) => setImmediate(resolve))
  }
}
