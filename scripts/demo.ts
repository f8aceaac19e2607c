// The main job on real input: 240,000 flights through a broker and back, read by a group of three of which one is killed
// while another one joins; counted, and checked per key.
// `npm run demo [-- --brokers H:P]`: uses the broker at 127.0.0.1:9092 if one answers, else starts its own.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Client } from '@minikafka/client'
import { Presets, SingleBar } from 'cli-progress'
import { startBroker } from './broker-child.ts'
import { Reading } from './demo/reading.ts'
import { Team } from './demo/team.ts'

const DATASET = 'vega-datasets@3.2.1'
const TOPIC = 'demo-flights'
const GROUP = 'demo'
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
  const reading = new Reading()
  const where = { brokers: broker.address, topic: TOPIC, group: GROUP }
  await using team = new Team(client, where, reading)
  for (const name of ['member-1', 'member-2', 'member-3']) team.join(name)
  const before = await team.owners()
  const produced = await produceAll(client)
  await consumeAll(team, reading, produced.records)
  const after = await team.owners()
  report('produced', produced)
  console.log(
    `consumed  ${reading.different.toLocaleString('en')} records, each at least once; ${reading.twice.toLocaleString('en')} came twice, for member-1 was killed before it had committed them`,
  )
  console.log(`owners    before  ${ownersLine(before)}\n          after   ${ownersLine(after)}`)
  const valuesOf = valuesByOrigin()
  reading.check(valuesOf)
  console.log(
    `in order  every one of ${valuesOf.size} origins, on ${PARTITIONS} partitions; nothing lost`,
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

/** A third of the way one member is killed and another one joins; what the killed one had, others read on. */
async function consumeAll(team: Team, reading: Reading, expected: number): Promise<void> {
  console.log(
    'member-1 is killed on the way and member-4 joins; a killed one is missed after its session',
  )
  const bar = progress('consume', expected)
  const readTo = (records: number) =>
    team.until(() => {
      bar.update(reading.different)
      return reading.different >= records
    })
  await readTo(expected / 3)
  await team.kill('member-1')
  team.join('member-4')
  await readTo(expected)
  bar.stop()
  if (reading.different !== expected)
    throw new Error(`${expected} records were produced, ${reading.different} came back`)
}

function valuesByOrigin(): Map<string, string[]> {
  const valuesOf = new Map<string, string[]>()
  for (const flight of flights) {
    const list = valuesOf.get(flight.origin)
    if (list) list.push(JSON.stringify(flight))
    else valuesOf.set(flight.origin, [JSON.stringify(flight)])
  }
  return valuesOf
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
  // The least that a member may be silent, so that the killed one is missed soon.
  const settings = { 'group.consumer.session.timeout.ms': '6000' }
  const broker = await startBroker(tmpdir(), { settings })
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

function ownersLine(owners: ReadonlyMap<string, readonly number[]>): string {
  return [...owners]
    .sort()
    .map(([name, partitions]) => `${name}: ${partitions.join(' ')}`)
    .join('   ')
}

await main()
