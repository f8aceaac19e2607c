// The main job on real input: 240,000 flights through a broker and back, counted and checked per key.
// `npm run demo [-- --brokers H:P]`: uses the broker at 127.0.0.1:9092 if one answers, else starts its own.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Client, type TopicPartition } from '@minikafka/client'
import { Presets, SingleBar } from 'cli-progress'
import { startBroker } from './broker-child.ts'

const DATASET = 'vega-datasets@3.2.1'
const TOPIC = 'demo-flights'
const PARTITIONS = 6
const ROUNDS = 12
/** Records between two looks at the bar. */
const TICK = 2_000

type Flight = { readonly origin: string; readonly destination: string }
type FoundBroker = AsyncDisposable & { readonly address: string }
type Report = { readonly records: number; readonly bytes: number; readonly seconds: number }

const { values: flags } = parseArgs({ options: { brokers: { type: 'string' } } })
const flights = readFlights()

async function main(): Promise<void> {
  await using broker = await findBroker(flags.brokers)
  await using client = new Client({ brokers: broker.address, clientId: 'demo', logger: false })
  await freshTopic(client)
  const produced = await produceAll(client)
  const consumed = await consumeAll(client, produced.records)
  report('produced', produced)
  report('consumed', consumed)
  const keys = new Set(flights.map(({ origin }) => origin)).size
  console.log(
    `in order  every one of ${keys} origins, on ${PARTITIONS} partitions; nothing lost, nothing twice`,
  )
}

// --- input -------------------------------------------------------------------------------------

/** Fetches the dataset with npm, once; it stays in the cache folder of the checkout. */
function readFlights(): readonly Flight[] {
  const folder = join('node_modules', '.cache', 'demo')
  const file = join(folder, 'node_modules', 'vega-datasets', 'data', 'flights-20k.json')
  if (!existsSync(file)) {
    console.log(`fetching ${DATASET} …`)
    mkdirSync(folder, { recursive: true })
    const options = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
    execFileSync('npm', ['install', ...options, '--prefix', folder, DATASET], { stdio: 'inherit' })
  }
  return JSON.parse(readFileSync(file, 'utf8')) as Flight[]
}

async function freshTopic(client: Client): Promise<void> {
  const admin = client.admin()
  await admin.deleteTopic(TOPIC, { ifExists: true })
  await admin.createTopic(TOPIC, { partitions: PARTITIONS })
}

// --- the job -----------------------------------------------------------------------------------

async function produceAll(client: Client): Promise<Report> {
  const total = flights.length * ROUNDS
  const bar = progress('produce', total)
  const values = flights.map((flight) => JSON.stringify(flight))
  const producer = client.producer()
  const began = performance.now()
  let records = 0
  let bytes = 0
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, { origin }] of flights.entries()) {
      const value = values[index] ?? ''
      bytes += origin.length + value.length
      if (!producer.push(TOPIC, { key: origin, value })) await producer.drained()
      if (++records % TICK === 0) bar.update(records)
    }
  }
  await producer.flush()
  bar.update(records)
  bar.stop()
  return { records, bytes, seconds: (performance.now() - began) / 1000 }
}

/** Reads everything back and holds every record against the next one its key must have. */
async function consumeAll(client: Client, expected: number): Promise<Report> {
  const bar = progress('consume', expected)
  const order = new OrderCheck()
  const seen = new Map<string, number>()
  const began = performance.now()
  let records = 0
  let bytes = 0
  await using consumer = client.consumer({ topics: [TOPIC], start: 'earliest' })
  for await (const batch of consumer.batches()) {
    for (const { key, value, offset } of batch.records) {
      nextOffsetOf(seen, batch, offset)
      order.check(String(key), String(value))
      bytes += (key?.length ?? 0) + (value?.length ?? 0)
    }
    records += batch.records.length
    bar.update(records)
    if (records >= expected) break
  }
  bar.stop()
  if (records !== expected)
    throw new Error(`${expected} records were produced, ${records} came back`)
  return { records, bytes, seconds: (performance.now() - began) / 1000 }
}

class OrderCheck {
  readonly #flightsOf = new Map<string, string[]>()
  readonly #nextOf = new Map<string, number>()

  constructor() {
    for (const flight of flights) {
      const list = this.#flightsOf.get(flight.origin)
      if (list) list.push(JSON.stringify(flight))
      else this.#flightsOf.set(flight.origin, [JSON.stringify(flight)])
    }
  }

  check(key: string, value: string): void {
    const list = this.#flightsOf.get(key) ?? []
    const next = this.#nextOf.get(key) ?? 0
    if (list[next % list.length] !== value)
      throw new Error(`origin ${key}: record ${next} is out of order: ${value}`)
    this.#nextOf.set(key, next + 1)
  }
}

function nextOffsetOf(
  seen: Map<string, number>,
  { topic, partition }: TopicPartition,
  offset: number,
): void {
  const at = `${topic}-${partition}`
  const expected = seen.get(at) ?? 0
  if (offset !== expected) throw new Error(`${at}: offset ${offset} where ${expected} follows`)
  seen.set(at, offset + 1)
}

// --- the broker --------------------------------------------------------------------------------

async function findBroker(given: string | undefined): Promise<FoundBroker> {
  const address = given ?? '127.0.0.1:9092'
  await using probe = new Client({ brokers: address, logger: false })
  try {
    const { clusterId } = await probe.ping({ timeoutMs: given ? 10_000 : 1_000 })
    console.log(`using the broker at ${address} (cluster ${clusterId})`)
    return { address, [Symbol.asyncDispose]: async () => {} }
  } catch (error) {
    if (given) throw error
    return await ownBroker()
  }
}

async function ownBroker(): Promise<FoundBroker> {
  const broker = await startBroker(tmpdir())
  console.log(`no broker at 127.0.0.1:9092: started one of our own on port ${broker.port}`)
  return { ...broker, address: `127.0.0.1:${broker.port}` }
}

// --- words -------------------------------------------------------------------------------------

function progress(what: string, total: number): SingleBar {
  const format = `${what}   {bar} {percentage} %  {value} of {total}  {eta_formatted} left`
  const bar = new SingleBar(
    { format, hideCursor: true, noTTYOutput: false },
    Presets.shades_classic,
  )
  bar.start(total, 0)
  return bar
}

function report(what: string, { records, bytes, seconds }: Report): void {
  const rate = Math.round(records / seconds).toLocaleString('en')
  const mebibytes = (bytes / seconds / 1024 ** 2).toFixed(0)
  console.log(
    `${what}  ${records.toLocaleString('en')} records in ${seconds.toFixed(2)} s: ${rate}/s, ${mebibytes} MiB/s`,
  )
}

await main()
