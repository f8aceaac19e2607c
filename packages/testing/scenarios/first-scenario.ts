// One broker that dies again and again, and its disk stalls and fills up, under a producer that retries and a
// consumer that reads along.
// Enters: a seed. Leaves: what was acknowledged, what was read, what is in the log, and the run's hash.
import { sleep } from '@minikafka/platform'
import { type ReadRecord, swizzleClog, TestBroker } from '@minikafka/testing'

export type Seen = { readonly partition: number; readonly offset: number; readonly value: string }

export type Outcome = {
  readonly acked: readonly Seen[]
  readonly read: readonly Seen[]
  readonly log: readonly ReadRecord[]
  readonly leftovers: readonly string[]
  readonly hash: string
  readonly eventCount: number
}

const TOPIC = 'orders'
const RECORDS = 200
const KEYS = 7
const DEATHS = 5
const NODES = ['broker-0', 'client-0', 'client-1']
/** Tiny ones roll every few batches. */
const SEGMENT_BYTES = [4096, 2 ** 20]

export async function runFirstScenario(
  seed: number,
  trace?: (line: string) => void,
): Promise<Outcome> {
  const broker = await TestBroker.start({
    seed,
    clock: 'jumping',
    topics: {
      [TOPIC]: { partitions: 3, config: { 'segment.bytes': SEGMENT_BYTES[seed % 2] ?? 0 } },
    },
    logLevel: 'debug',
    buggify: true,
    trace,
  })
  const work = Promise.all([produceAll(broker), readAll(broker), breakBroker(broker)])
  const [acked, read] = await broker.world.complete(work, { what: 'all read', timeout: '10m' })
  const log = await broker.read(TOPIC)
  const leftovers = await broker.close()
  const { hash, eventCount } = { hash: broker.world.hash(), eventCount: broker.world.eventCount }
  return { acked, read, log, leftovers, hash, eventCount }
}

/** Never waits for an answer before the next one: batches, windows and retries of several records. */
async function produceAll(broker: TestBroker): Promise<Seen[]> {
  const { clock, random } = broker.world.env('driver')
  const producer = broker.client().producer()
  const sending: Promise<Seen>[] = []
  for (let index = 0; index < RECORDS; index++) {
    const value = `order ${index}`
    const sent = producer.send(TOPIC, { key: `customer ${index % KEYS}`, value })
    sending.push(sent.then(({ partition, offset = -1 }) => ({ partition, offset, value })))
    if (random.below(3) === 0) await sleep(clock, random.below(100))
  }
  return await Promise.all(sending)
}

async function breakBroker(broker: TestBroker): Promise<void> {
  const { clock, random } = broker.world.env('nemesis')
  const soon = (boundMs: number) => sleep(clock, random.below(boundMs))
  const faults = [
    () => broker.kill(),
    () => broker.powerCut(),
    () => broker.disconnectAll(),
    async () => broker.disk().stall(random.below(5000)),
    async () => {
      broker.disk().fill(random.below(3000))
      await soon(3000)
      broker.disk().heal()
    },
    async () => {
      broker.world.pause('broker-0')
      await soon(8000)
      broker.world.resume('broker-0')
    },
    () => swizzleClog(broker.world.env('nemesis'), broker.world.network, NODES, '3s'),
    async () => undefined, // A clean restart.
  ]
  for (let death = 0; death < DEATHS; death++) {
    await soon(1500)
    await faults[random.below(faults.length)]?.()
    await soon(1000)
    await broker.restart()
  }
}

async function readAll(broker: TestBroker): Promise<Seen[]> {
  const consumer = broker.client().consumer({ topics: [TOPIC], start: 'earliest' })
  const read: Seen[] = []
  for await (const { partition, offset, value } of consumer) {
    read.push({ partition, offset, value: String(value) })
    if (read.length === RECORDS) break
  }
  await consumer.close()
  return read
}
