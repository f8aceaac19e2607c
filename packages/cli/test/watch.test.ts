// minikafka top, rtt and trace, against a broker that runs.
import type { Client } from '@minikafka/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningBroker, runBroker } from '../../broker/test/running-broker.ts'
import { commandLineOf } from './program.ts'

let broker: RunningBroker
let client: Client
let mk: ReturnType<typeof commandLineOf>['mk']
let start: ReturnType<typeof commandLineOf>['start']

beforeAll(async () => {
  broker = await runBroker()
  client = broker.client()
  ;({ mk, start } = commandLineOf(broker.port))
  await mk(['topic', 'create', 'orders', '-p', '2'])
})
afterAll(() => broker[Symbol.asyncDispose]())

const jsonLines = (text: string) =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))

test('rtt prints each round trip, and a summary for people', async () => {
  const { code, stdout, stderr } = await mk(['rtt', '-n', '3', '--interval', '1ms'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^(broker 1: seq=[123] time=\d+\.\d{3} ms\n){3}$/)
  expect(stderr).toMatch(/^3 answered, 0 lost, min\/median\/mean\/max = (\d+\.\d+\/?){4} ms\n$/)
})

test('rtt -O jsonl is for programs; a signal ends it well, unless -n is undone', async () => {
  const running = start(['rtt', '-O', 'jsonl'])
  await running.printed(/"seq":1/)
  running.signal('SIGTERM')
  const { code, stdout } = await running.ended
  expect(code).toBe(0)
  expect(jsonLines(stdout)[0]).toEqual({ seq: 1, brokerId: 1, roundTripMs: expect.any(Number) })
  const counted = start(['rtt', '-n', '100'])
  await counted.printed(/seq=1/)
  counted.signal('SIGINT')
  expect(await counted.ended).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('stopped before the end: '),
  })
})

test('top shows what is written and committed between two looks', async () => {
  await mk(['consume', 'orders', '-g', 'readers', '-o', 'start', '-n', '0'])
  await client.producer().send('orders', { value: 'first', partition: 0 })
  await mk(['consume', 'orders', '-g', 'readers', '-o', 'start', '-n', '1'])
  const running = start(['top', '-O', 'jsonl', '--interval', '50ms'])
  await running.printed(/"topics"/)
  const records = Array.from({ length: 50 }, (_, n) => ({ value: `${n}`, partition: n % 2 }))
  await client.producer().sendMany('orders', records)
  await mk(['consume', 'orders', '-g', 'readers', '-o', 'start', '-n', '50'])
  await running.printed(/"group":"readers","state":"\w+","lag":0,.*"recordsPerSecond":[1-9]/)
  running.signal('SIGINT')
  const { code, stdout } = await running.ended
  expect(code).toBe(0)
  const looks = jsonLines(stdout)
  const written = looks.map(({ seconds, topics }) => seconds * topics[0].recordsPerSecond)
  expect(Math.round(written.reduce((sum, count) => sum + count, 0))).toBe(50)
  expect(looks.at(-1).topics[0]).toMatchObject({ topic: 'orders', records: 51 })
})

test('top -n 1 is one look, as tables; the internal topics only where wanted', async () => {
  const args = ['top', '-n', '1', '--interval', '1ms']
  const { code, stdout } = await mk(args)
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /^\d\d:\d\d:\d\d UTC {2}topics 1, in \S+ records\/s {2}groups 1, .*\n(?:.+\n)*\nTOPIC +PARTITIONS +RECORDS\/S +BYTES\/S +RECORDS +SIZE\norders .*\n\nGROUP +STATE +COMMITTED\/S +LAG +BEHIND\nreaders +Empty .*\n$/,
  )
  expect((await mk([...args, '--internal'])).stdout).toContain('__consumer_offsets')
})

test('top says where produce is refused for want of room', async () => {
  await mk(['cluster', 'config', 'set', 'disk.reserve.bytes=1000TiB'])
  const { code, stdout } = await mk(['top', '-n', '1', '--interval', '1ms'])
  const json = await mk(['top', '-n', '1', '--interval', '1ms', '-O', 'jsonl'])
  await mk(['cluster', 'config', 'set', '-d', 'disk.reserve.bytes'])
  expect(code).toBe(0)
  expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
    /groups 1, behind \S+ records problem: broker 1 has .* free .* its reserve of 1000\.0 TiB, produce is refused TOPIC/,
  )
  expect(jsonLines(json.stdout)).toMatchObject([
    { disks: [{ state: 'problem', labels: { broker: '1' } }] },
  ])
})

test('trace times one record through every room, of the broker as well', async () => {
  const { code, stdout } = await mk(['trace', 'orders', '-n', '2', '-p', '1', '-O', 'jsonl'])
  expect(code).toBe(0)
  const traced = jsonLines(stdout)
  expect(traced).toMatchObject([
    { topic: 'orders', partition: 1 },
    { topic: 'orders', partition: 1 },
  ])
  expect(traced[1].offset).toBe(traced[0].offset + 1)
  for (const { rooms } of traced) {
    const ms = new Map<string, number>(
      rooms.map(({ room, ms }: { room: string; ms: number }) => [room, ms]),
    )
    for (const time of ms.values()) expect(time).toBeGreaterThanOrEqual(0)
    const onTheWay = [...ms].slice(0, 5).reduce((sum, [, time]) => sum + time, 0)
    expect(onTheWay).toBeCloseTo(ms.get('= send() to acknowledged') ?? -1, 1)
  }
})

test('trace of a topic or partition that is not there says so', async () => {
  expect(await mk(['trace', 'orders', '-n', '6'])).toMatchObject({ code: 2 })
  expect(await mk(['trace', 'order'])).toMatchObject({ code: 3 })
  expect(await mk(['trace', 'orders', '-p', '7'])).toMatchObject({
    code: 2,
    stderr: 'minikafka: -p 7: orders has the partitions 0 to 1\n',
  })
})
