// `minikafka-broker repair` as a person types it: words, the question, exit codes. What it does: src/log/repair.test.ts.
import { TestBroker, type World } from '@minikafka/testing'
import { expect, test } from 'vitest'
// The commands are loaded when they are asked for, in real time, which stands still in a world.
import '../src/program/inspect.ts'
import '../src/program/repair.ts'
import { main } from '../src/program/main.ts'

const ROOT = '/var/lib/minikafka'
const NODE = 'broker-0'
const LOG = `${ROOT}/orders-0/00000000000000000000.log`

/** A stopped broker with ten records, the third of which is damaged. */
async function damaged(): Promise<TestBroker> {
  const broker = await TestBroker.start({ topics: { orders: 1 } })
  const producer = broker.client().producer()
  for (let count = 0; count < 10; count++)
    await producer.send('orders', { value: `${count}`.padEnd(1000, '.') })
  await broker.clock.advance('6s')
  await broker.kill()
  broker.world.disk(NODE).flipBit(LOG, 2_500, 3)
  return broker
}

async function run(world: World, ...words: string[]) {
  const env = world.start(NODE, { arguments: words })
  void main(env)
  await world.until(() => world.exitCode(NODE) !== undefined, { what: 'its exit' })
  return { code: world.exitCode(NODE), out: world.stdout(NODE), err: world.stderr(NODE) }
}

test('it says what is lost, changes nothing without a yes, and repairs with one', async () => {
  await using broker = await damaged()
  const { world } = broker
  const command = ['repair', ROOT, 'orders-0', '--keep-hole']
  const lost = `${LOG}: bytes 2140 to 3209: a wrong CRC; offset 2\n--keep-hole: offset 2 will be lost (1 offsets)\n`
  const before = world.disk(NODE).read(LOG)
  expect(await run(world, ...command)).toEqual({
    code: 1,
    out: lost,
    err: 'this destroys data: say --yes\nnothing was changed\n',
  })
  expect(await run(world, ...command, '--dry-run')).toMatchObject({ code: 0, out: lost, err: '' })
  expect(world.disk(NODE).read(LOG)).toEqual(before)
  expect(await run(world, 'verify', '--deep', ROOT)).toMatchObject({ code: 1 })
  const done = await run(world, ...command, '--yes')
  expect(done).toMatchObject({ code: 0, err: expect.stringContaining('repaired') })
  expect(done.out).toMatch(/kept a copy: .*\.log\.corrupt-\d+\n$/)
  expect(await run(world, 'verify', '--deep', ROOT)).toMatchObject({ code: 0 })
  expect(await run(world, ...command, '--yes')).toMatchObject({
    code: 0,
    err: 'nothing to repair\n',
  })
  await broker.restart()
  await expect(broker.read('orders')).rejects.toMatchObject({
    message: expect.stringContaining('offset 2 cannot be read: they were given up by a repair'),
  })
  expect(await broker.read('orders', { from: 3 })).toHaveLength(7)
})

test('a consumer stops at the hole or passes it by, as its policy says', async () => {
  await using broker = await damaged()
  await run(broker.world, 'repair', ROOT, 'orders-0', '--keep-hole', '--yes')
  await broker.restart()
  const read = async (onError: 'stop' | 'skip') => {
    const consumer = broker.client().consumer({ topics: ['orders'], start: 'earliest', onError })
    const offsets: number[] = []
    const reading = (async () => {
      for await (const { offset } of consumer) if (offsets.push(offset) === 9) break
    })()
    await broker.world.complete(reading).catch((error: unknown) => offsets.push(error as never))
    await broker.world.complete(consumer.close())
    return offsets
  }
  expect(await read('skip')).toEqual([0, 1, 3, 4, 5, 6, 7, 8, 9])
  expect(await read('stop')).toEqual([
    0,
    1,
    expect.objectContaining({ name: 'KAFKA_STORAGE_ERROR', partition: 0, offset: 2 }),
  ])
})

test('wrong words are usage errors; a directory in use and a name that is none are refused', async () => {
  await using broker = await damaged()
  const { world } = broker
  expect(await run(world, 'repair', ROOT, 'orders-0')).toMatchObject({ code: 2 })
  expect(await run(world, 'repair', ROOT, 'orders-0', '--truncate', '--keep-hole')).toMatchObject({
    code: 2,
    err: expect.stringContaining('--keep-hole'),
  })
  expect(await run(world, 'repair', ROOT, 'orders-7', '--truncate')).toMatchObject({ code: 74 })
  expect(await run(world, 'repair', '/nowhere', 'orders-0', '--truncate')).toMatchObject({
    code: 74,
  })
  await run(world, 'repair', ROOT, 'orders-0', '--truncate', '--yes')
  await broker.restart()
  const second = world.start(NODE, { arguments: ['repair', ROOT, 'orders-0', '--truncate'] })
  void main(second)
  await world.until(() => world.exitCode(NODE) !== undefined)
  expect(world.exitCode(NODE)).toBe(69)
})

test('verify names what is wrong with the metadata, too', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  await broker.clock.advance('6s')
  await broker.kill()
  const { world } = broker
  expect(await run(world, 'verify', ROOT)).toMatchObject({ code: 0 })
  const size = world.disk(NODE).read(`${ROOT}/metadata.log`)?.length ?? 0
  world.disk(NODE).flipBit(`${ROOT}/metadata.log`, size >> 1, 4)
  expect(await run(world, 'verify', ROOT)).toMatchObject({
    code: 1,
    out: expect.stringMatching(/metadata\.log: damaged at byte \d+, below byte \d+/),
  })
})
