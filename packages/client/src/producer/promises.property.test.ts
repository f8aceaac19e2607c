// Whatever brokers, networks and answers do, the promises of a producer hold: what it says of a record is true, none is
// in the log twice, and those of a partition are in order (REPLICATION 2.10). A model of two sentences checks it.
import { isMinikafkaError } from '@minikafka/protocol'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import type { BrokerTwin, IdPlan, Plan } from '../../test/broker-twin.ts'
import { closeStages, type Stage, stage, times } from '../../test/stage.ts'
import type { ProducerOptions } from './index.ts'

afterEach(closeStages)

const PARTITIONS = 2
const RUNS = 60
const SECOND = 1000

const partition = fc.integer({ min: 0, max: PARTITIONS - 1 })
const node = fc.integer({ min: 1, max: 2 })
const ms = fc.integer({ min: 1, max: 4 * SECOND })
const only = fc.option(partition, { nil: undefined })

const definite = fc.constantFrom(
  'NOT_LEADER_OR_FOLLOWER' as const,
  'NOT_ENOUGH_REPLICAS' as const,
  'STORAGE_FULL' as const,
  'INVALID_RECORD' as const,
  'INVALID_TIMESTAMP' as const,
  'CORRUPT_MESSAGE' as const,
)
const ambiguous = fc.constantFrom(
  'REQUEST_TIMED_OUT' as const,
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND' as const,
  'NOT_LEADER_OR_FOLLOWER' as const,
  'KAFKA_STORAGE_ERROR' as const,
  'UNKNOWN_SERVER_ERROR' as const,
)
const plan: fc.Arbitrary<Plan> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Plan>('serve') },
  { weight: 3, arbitrary: fc.constantFrom<Plan>('lose answer', 'lose request', 'never answer') },
  {
    weight: 3,
    arbitrary: fc.record({ refuse: definite, only }).map((one) => refusalOf(one, { written: 0 })),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({ refuse: ambiguous, only, append: fc.boolean() })
      .map(({ append, ...one }) => refusalOf(one, { written: 1, append })),
  },
  { weight: 2, arbitrary: ms.map((lateMs) => ({ lateMs })) },
  { weight: 2, arbitrary: ms.map((slowMs) => ({ slowMs })) },
)
const idPlan: fc.Arbitrary<IdPlan> = fc.oneof(
  fc.constantFrom<IdPlan>('serve', 'never answer', { refuse: 'COORDINATOR_NOT_AVAILABLE' }),
  ms.map((slowMs) => ({ slowMs })),
)

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      partition,
      count: fc.integer({ min: 1, max: 12 }),
      // Small ones share a batch, a large one has its own.
      bytes: fc.constantFrom(20, 600),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('pass' as const), ms }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), node }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restart' as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('move' as const), partition, node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const) }) },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

const history = fc.record({
  // By default fast-check tries short ones, in which little can go wrong.
  steps: fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }),
  plans: fc.array(plan, { maxLength: 80, size: 'max' }),
  idPlans: fc.array(idPlan, { maxLength: 6, size: 'max' }),
})

type Said = {
  readonly partition: number
  readonly offset?: number | undefined
  readonly outcome: 'written' | 'not-written' | 'unknown'
}

test('idempotent: no lie, no duplicate, no reordering', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(history, async (given) => {
      const { logs, said } = await play(given, {})
      for (const [at, log] of logs.entries()) {
        const order = log.map(({ index }) => index)
        expect(order, `partition ${at}`).toEqual([...new Set(order)].sort((a, b) => a - b))
      }
      tellsTheTruth(logs, said)
    }),
    { numRuns: RUNS },
  )
})

test('without idempotence duplicates may come, lies may not', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(history, async (given) => {
      const { logs, said } = await play(given, { acks: 'leader' })
      tellsTheTruth(logs, said)
    }),
    { numRuns: RUNS / 3 },
  )
})

/** An acknowledged record is where it was said to be; one that is not written is nowhere. */
function tellsTheTruth(logs: readonly Log[], said: readonly Said[]): void {
  for (const [index, { partition: at, offset, outcome }] of said.entries()) {
    const offsets = logs[at]?.filter((one) => one.index === index).map((one) => one.offset)
    if (outcome === 'written') expect(offsets, `record ${index}`).toContain(offset)
    if (outcome === 'not-written') expect(offsets, `record ${index}`).toEqual([])
  }
}

async function play(
  { steps, plans, idPlans }: { steps: Step[]; plans: Plan[]; idPlans: IdPlan[] },
  options: ProducerOptions,
): Promise<{ logs: readonly Log[]; said: readonly Said[] }> {
  const set = await stage({
    twin: { topics: { orders: PARTITIONS } },
    client: { requestTimeoutMs: 3 * SECOND },
    producer: { maxBatchBytes: 1024, deliveryTimeoutMs: 6 * SECOND, ...options },
  })
  const twins = await cluster(set)
  for (const twin of twins) {
    twin.next(...plans)
    twin.nextIds(...idPlans)
  }
  const sending: Promise<Said>[] = []
  for (const each of steps) await take(set, twins, sending, each)
  for (const twin of twins) {
    twin.forgetPlans()
    if (!twin.running) await twin.restart()
  }
  const said = await quiet(set, sending)
  const logs = times(PARTITIONS, (at) => logOf(set.twin, at))
  await isWell(set)
  await closeStages()
  return { logs, said }
}

/** Two brokers with the same logs. */
async function cluster(set: Stage): Promise<readonly BrokerTwin[]> {
  const second = await set.anotherTwin(2)
  second.topics.set('orders', set.twin.topic('orders'))
  const twins = [set.twin, second]
  for (const twin of twins) {
    const others = twins.filter((other) => other !== twin)
    twin.others.push(
      ...others.map(({ nodeId, host, port }) => ({ nodeId, host, port, rack: null })),
    )
  }
  return twins
}

async function take(
  set: Stage,
  twins: readonly BrokerTwin[],
  sending: Promise<Said>[],
  given: Step,
): Promise<void> {
  const twin = 'node' in given ? (twins[given.node - 1] as BrokerTwin) : set.twin
  if (given.do === 'pass') await set.world.clock.advance(`${given.ms}ms`)
  else if (given.do === 'crash' && twin.running) await twin.crash()
  else if (given.do === 'restart' && !twin.running) await twin.restart()
  else if (given.do === 'cut') twin.dropConnections()
  else if (given.do === 'move') twin.topic('orders').lead(given.partition, given.node)
  else if (given.do === 'forget') {
    // Only what is idle for long is forgotten.
    await quiet(set, sending)
    twin.forgetProducers('orders')
  } else if (given.do === 'send') {
    for (let count = 0; count < given.count; count++) {
      const value = `${sending.length}`.padEnd(given.bytes)
      sending.push(send(set, { value, partition: given.partition }))
    }
  }
}

/** Until all is settled, and nothing that was given up is on its way any more. */
async function quiet(set: Stage, sending: readonly Promise<Said>[]): Promise<Said[]> {
  const said = await set.done(Promise.all(sending))
  await set.world.clock.advance('30s')
  return said
}

async function send(set: Stage, record: { value: string; partition: number }): Promise<Said> {
  const at = { partition: record.partition }
  try {
    const { offset } = await set.producer.send('orders', record)
    return { ...at, offset, outcome: 'written' }
  } catch (error) {
    if (!isMinikafkaError(error) || error.outcome === undefined) throw error
    return { ...at, outcome: error.outcome }
  }
}

/** After all of it, every partition is written to as if nothing had been. */
async function isWell({ producer, client, done }: Stage): Promise<void> {
  for (const at of times(PARTITIONS, (index) => index)) {
    await done(producer.send('orders', { value: 'after all', partition: at }))
  }
  expect(client.stats().producers).toMatchObject([{ bufferedBytes: 0, inFlightBatches: 0 }])
}

type Log = readonly { readonly index: number; readonly offset: number }[]

function logOf(twin: BrokerTwin, at: number): Log {
  return twin
    .records('orders')
    .filter((record) => record.partition === at)
    .map(({ value, offset }) => ({ index: Number(value?.toString()), offset }))
}

function refusalOf<R extends { readonly only: number | undefined }>(
  { only: at, ...refusal }: R,
  more: { written: number; append?: boolean },
) {
  return at === undefined ? { ...refusal, ...more } : { ...refusal, ...more, only: [at] }
}
