// Whatever goes wrong between producer and broker, what the producer says of a record is true. One seed, one history.
import type { Random } from '@minikafka/platform'
import { isMinikafkaError } from '@minikafka/protocol'
import { afterEach, expect, test } from 'vitest'
import type { BrokerTwin, Plan } from '../../test/broker-twin.ts'
import { closeStages, type Stage, stage, times } from '../../test/stage.ts'

afterEach(closeStages)

const PARTITIONS = 3
const RECORDS = 600

const PLANS: readonly Plan[] = [
  ...times(6, () => 'serve' as const),
  'lose answer',
  'lose request',
  'never answer',
  { refuse: 'NOT_LEADER_OR_FOLLOWER', only: [1] },
  { refuse: 'NOT_ENOUGH_REPLICAS' },
  { refuse: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', written: 1 },
  { refuse: 'INVALID_RECORD', only: [0] },
  { refuse: 'KAFKA_STORAGE_ERROR', written: 1, only: [2] },
]

type Outcome = 'written' | 'not-written' | 'unknown'
type Sent = {
  readonly partition: number
  readonly offset?: number | undefined
  readonly outcome: Outcome
}

test.each(times(25, (seed) => seed))(
  'a producer never lies about a record (seed %i)',
  async (seed) => {
    const set = await stage({
      seed,
      twin: { topics: { orders: PARTITIONS } },
      client: { requestTimeoutMs: 3000 },
      producer: { maxBatchBytes: 1024, deliveryTimeoutMs: 6000 },
    })
    const outcomes = await play(set)
    for (const partition of times(PARTITIONS, (index) => index))
      check(set.twin, partition, outcomes)
    for (const partition of times(PARTITIONS, (index) => index)) {
      await set.done(set.producer.send('orders', { value: 'after all', partition }))
    }
    expect(set.client.stats().producers).toMatchObject([{ bufferedBytes: 0, inFlightBatches: 0 }])
  },
)

async function play({ world, twin, producer, env, done }: Stage): Promise<Sent[]> {
  const { random } = env
  twin.next(...times(150, () => pick(random, PLANS)))
  const sent: Promise<Sent>[] = []
  for (let index = 0; index < RECORDS; index++) {
    sent.push(send(producer, index))
    if (random.below(12) === 0) await world.clock.advance(`${random.below(300)}ms`)
    if (random.below(100) === 0) await twin.crash()
    if (random.below(15) === 0 && !twin.running) await twin.restart()
  }
  if (!twin.running) await twin.restart()
  const outcomes = await done(Promise.all(sent))
  twin.forgetPlans()
  // Attempts that are still on their way may write what was given up.
  await world.clock.advance('10s')
  return outcomes
}

async function send(producer: Stage['producer'], index: number): Promise<Sent> {
  const partition = index % PARTITIONS
  try {
    const { offset } = await producer.send('orders', { value: `${index}`.padEnd(200), partition })
    return { partition, offset, outcome: 'written' }
  } catch (error) {
    if (!isMinikafkaError(error)) throw error
    return { partition, outcome: error.outcome ?? 'written' }
  }
}

function check(twin: BrokerTwin, partition: number, outcomes: readonly Sent[]): void {
  const log = twin
    .records('orders')
    .filter((record) => record.partition === partition)
    .map(({ value, offset }) => ({ index: Number(value?.toString()), offset }))
  const seen = new Map<number, number[]>()
  for (const { index, offset } of log) seen.set(index, [...(seen.get(index) ?? []), offset])
  outcomes.forEach((sent, index) => {
    if (sent.partition !== partition) return
    const offsets = seen.get(index) ?? []
    if (sent.outcome === 'written') expect(offsets, `record ${index}`).toEqual([sent.offset])
    if (sent.outcome === 'not-written') expect(offsets, `record ${index}`).toEqual([])
    expect(offsets.length, `record ${index}`).toBeLessThanOrEqual(1)
  })
  const order = log.map(({ index }) => index)
  expect(order).toEqual([...order].sort((a, b) => a - b))
}

function pick<T>(random: Random, items: readonly T[]): T {
  return items[random.below(items.length)] as T
}
