// minikafka verifiable-producer and verifiable-consumer: events and fields of Kafka's tools, against a broker that runs.
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

const eventsOf = (text: string) =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)

test('the producer tells of each record, and of all at the end', async () => {
  await mk(['topic', 'create', 'numbers'])
  const args = ['--max-messages', '3', '--value-prefix', '7', '--repeating-keys', '2']
  const { code, stdout } = await mk(['verifiable-producer', '--topic', 'numbers', ...args])
  expect(code).toBe(0)
  const events = eventsOf(stdout)
  const success = { timestamp: expect.any(Number), name: 'producer_send_success' }
  const place = { topic: 'numbers', partition: 0 }
  expect(events).toEqual([
    { timestamp: expect.any(Number), name: 'startup_complete' },
    { ...success, key: '0', value: '7.0', ...place, offset: 0 },
    { ...success, key: '1', value: '7.1', ...place, offset: 1 },
    { ...success, key: '0', value: '7.2', ...place, offset: 2 },
    { timestamp: expect.any(Number), name: 'shutdown_complete' },
    {
      ...{ timestamp: expect.any(Number), name: 'tool_data', sent: 3, acked: 3 },
      ...{ target_throughput: -1, avg_throughput: expect.any(Number) },
    },
  ])
  expect(stdout.startsWith('{"timestamp":')).toBe(true)
})

test('a record that fails is told, and the exit code is 1', async () => {
  await mk(['topic', 'create', 'picky', '-c', 'cleanup.policy=compact'])
  const args = ['verifiable-producer', '--topic', 'picky', '--max-messages', '1']
  const { code, stdout } = await mk(args)
  expect(code).toBe(1)
  const error = eventsOf(stdout).find(({ name }) => name === 'producer_send_error')
  expect(error).toMatchObject({
    topic: 'picky',
    key: null,
    value: '0',
    exception: 'INVALID_RECORD',
  })
  expect(error?.message).toEqual(expect.any(String))
})

test('the consumer tells what it was given, read and committed', async () => {
  await mk(['topic', 'create', 'counted'])
  await mk(['verifiable-producer', '--topic', 'counted', '--max-messages', '5'])
  const group = ['--topic', 'counted', '--group-id', 'counters']
  const args = ['verifiable-consumer', ...group, '--max-messages', '5', '--verbose']
  const { code, stdout } = await mk(args)
  expect(code).toBe(0)
  const events = eventsOf(stdout)
  expect(events[0]).toMatchObject({ name: 'startup_complete' })
  expect(events[1]).toMatchObject({
    ...{ name: 'partitions_assigned', partitions: [{ topic: 'counted', partition: 0 }] },
  })
  const named = (name: string) => events.filter((event) => event.name === name)
  expect(named('record_data').map(({ value, offset }) => [value, offset])).toEqual(
    [0, 1, 2, 3, 4].map((n) => [`${n}`, n]),
  )
  expect(named('records_consumed').reduce((sum, { count }) => sum + Number(count), 0)).toBe(5)
  expect(named('records_consumed')[0]).toMatchObject({
    partitions: [{ topic: 'counted', partition: 0, minOffset: 0, maxOffset: expect.any(Number) }],
  })
  expect(named('offsets_committed').at(-1)).toMatchObject({
    offsets: [{ topic: 'counted', partition: 0, offset: 5 }],
    success: true,
  })
  expect(events.at(-1)).toMatchObject({ name: 'shutdown_complete' })
  const lag = await mk(['group', 'lag', 'counters', '-O', 'jsonl'])
  expect(JSON.parse(lag.stdout)).toMatchObject({ committed: 5, lag: 0 })
})

test('a signal ends both well; what was to be done and is not is 1', async () => {
  await mk(['topic', 'create', 'endless'])
  const producer = start(['verifiable-producer', '--topic', 'endless', '--throughput', '100'])
  await producer.printed(/producer_send_success/)
  producer.signal('SIGTERM')
  const produced = await producer.ended
  expect(produced.code).toBe(0)
  const { sent, acked } = eventsOf(produced.stdout).at(-1) ?? {}
  expect(sent).toBe(acked)
  const group = ['--topic', 'endless', '--group-id', 'endless']
  const args = ['verifiable-consumer', ...group, '--max-messages', '1000000']
  const consumer = start(args)
  await consumer.printed(/offsets_committed/)
  consumer.signal('SIGTERM')
  expect(await consumer.ended).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/"shutdown_complete"\}\n$/),
    stderr: expect.stringContaining('stopped before the end: '),
  })
})
