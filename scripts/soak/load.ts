// The load of a soak, in a process of its own: `load.ts BROKERS RECORDS_PER_SECOND`. Runs until it is ended; once a
// second it prints what it has done so far, as JSON. Whatever fails ends it.
import { Client } from '@minikafka/client'
import { pause } from '../bench/good-client.ts'
import { LOADED } from './topics.ts'

const [brokers = '', rateText = ''] = process.argv.slice(2)
const PRODUCERS = 4
const TICK_MS = 20
const VALUE = Buffer.alloc(1024, 'x')
const CHURN_EVERY_MS = 500
const CHURNS_PER_TOPIC = 40
const TOPIC_EVERY_MS = 2_000
const LAG_MS = 200
/** The slow consumer begins again at the start of the log, where the data are the coldest. */
const LAGS_FOR_MS = 20_000

const done = { produced: 0, consumed: 0, lagged: 0, connections: 0, topics: 0 }

console.log('loading')
setInterval(() => console.log(JSON.stringify(done)), 1_000)
await Promise.all([
  ...Array.from({ length: PRODUCERS }, () => produce(Number(rateText) / PRODUCERS)),
  consume(),
  lag(),
  churn(),
  topics(),
])

function connected(clientId: string): Client {
  return new Client({ brokers, clientId, logger: false })
}

async function produce(recordsPerSecond: number): Promise<void> {
  await using client = connected('soak-produce')
  await using producer = client.producer()
  let sent = 0
  for (const began = performance.now(); ; await pause(TICK_MS)) {
    const due = ((performance.now() - began) * recordsPerSecond) / 1_000
    for (; sent < due; sent++) {
      if (!producer.push(LOADED, { value: VALUE })) await producer.drained()
      done.produced++
    }
  }
}

async function consume(): Promise<void> {
  await using client = connected('soak-consume')
  const consumer = client.consumer({ topics: [LOADED], start: 'latest', onOutOfRange: 'earliest' })
  for await (const { records } of consumer.batches()) done.consumed += records.length
}

/** Far behind, so that retention passes it by. */
async function lag(): Promise<void> {
  await using client = connected('soak-lag')
  for (;;) {
    const options = { topics: [LOADED], start: 'earliest', onOutOfRange: 'earliest' } as const
    await using consumer = client.consumer(options)
    const began = performance.now()
    for await (const { records } of consumer.batches()) {
      done.lagged += records.length
      await pause(LAG_MS)
      if (performance.now() - began > LAGS_FOR_MS) break
    }
  }
}

/**
 * Comes, sends one record, reads one record, goes. The topic goes too, now and then: a producer is remembered for 15
 * minutes at least, longer than most soaks, but not beyond its topic.
 */
async function churn(): Promise<void> {
  await using owner = connected('soak-churn-topics')
  const admin = owner.admin()
  for (let number = 0; ; number++) {
    const name = `churned-${number}`
    await admin.createTopic(name, { partitions: 3, config: { 'file.delete.delay.ms': 1_000 } })
    for (let count = 0; count < CHURNS_PER_TOPIC; count++, await pause(CHURN_EVERY_MS))
      await comeAndGo(name)
    await admin.deleteTopic(name)
  }
}

async function comeAndGo(topic: string): Promise<void> {
  await using client = connected('soak-churn')
  await using producer = client.producer()
  const { partition, offset: start = 0 } = await producer.send(topic, { value: 'here' })
  await using consumer = client.consumer({ assign: [{ topic, partition, start }] })
  for await (const _ of consumer) break
  done.connections++
}

async function topics(): Promise<void> {
  await using client = connected('soak-topics')
  await using producer = client.producer()
  const admin = client.admin()
  for (let number = 0; ; number++, await pause(TOPIC_EVERY_MS)) {
    const name = `short-lived-${number}`
    await admin.createTopic(name, { partitions: 3, config: { 'file.delete.delay.ms': 1_000 } })
    const values = Array.from({ length: 100 }, () => ({ value: VALUE }))
    await producer.sendMany(name, values)
    await admin.deleteTopic(name)
    done.topics++
  }
}
