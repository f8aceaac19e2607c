// `npm run bench -- --overload`: a client that behaves, alone and beside clients that do not.
// Broker, flood, producer and consumer are four processes of one machine; ratios to the quiet case are what counts.
import { join } from 'node:path'
import { Client } from '@minikafka/client'
import { type BrokerChild, startBroker } from '../broker-child.ts'
import { Child } from '../child.ts'
import { GOOD_RATE, GoodClient, pause, percentile } from './good-client.ts'
import { Probe, worst } from './probe.ts'
import { printColumns } from './table.ts'

const CONNECTIONS = 20
/** After a flood has begun, until it is looked at. */
const SETTLE_MS = 1_000
/** Looked at until the good client is as quick as before, at most. */
const RECOVERY_MS_MAX = 30_000
const OVERLOAD = 1.5
const OVERLOAD_MS = 10_000

type Stage = {
  readonly client: Client
  readonly broker: BrokerChild
  readonly probe: Probe
  readonly good: GoodClient
  readonly rows: Row[]
}
type Row = { readonly what: string; readonly cells: readonly string[]; readonly p99: number }
type Flood = { readonly kind: string; readonly topic: string; readonly value?: number }

export async function overload(folder: string, only: string, ms: number): Promise<void> {
  const probe = new Probe(folder)
  await using broker = await startBroker(folder, { probe: probe.file })
  await using client = new Client({ brokers: `127.0.0.1:${broker.port}`, clientId: 'bench' })
  const admin = client.admin()
  for (const topic of ['good', 'flooded', 'read'])
    await admin.createTopic(topic, { config: { 'file.delete.delay.ms': 0 } })
  await fill(client, 'read')
  await using good = await GoodClient.start(client, `127.0.0.1:${broker.port}`, 'good')
  const stage: Stage = { client, broker, probe, good, rows: [] }
  await measure(stage, 'alone', ms)
  const wants = (kind: string) => kind.includes(only)
  let capacity = Number.NaN
  if (wants('produce')) capacity = await produceFlood(stage, ms)
  for (const kind of ['tiny', 'fetch', 'cut', 'polls'])
    if (wants(kind)) await beside(stage, await floodOf(stage, kind), ms)
  if (wants('produce')) await beyondCapacity(stage, capacity)
  await measure(stage, 'alone again', ms)
  console.log()
  const rows = stage.rows.map(({ what, cells }) => [what, ...cells])
  printColumns(['the good client', ...COLUMNS], rows)
}

/** `arrived`: of the records that were due. `loop`: how late the broker's event loop was, in its worst second. */
const COLUMNS = [
  'p50 ms',
  'p99 ms',
  'p99.9 ms',
  'p99 to alone',
  'arrived',
  'loop p99 ms',
  'loop max ms',
  'broker MiB',
]

async function endOf({ client }: Stage, topic: string): Promise<number> {
  const [end] = await client.admin().offsets(topic, 'latest')
  return end?.offset ?? 0
}

async function floodOf(stage: Stage, kind: string): Promise<Flood> {
  if (kind === 'fetch') return { kind, topic: 'read' }
  if (kind !== 'polls') return { kind, topic: 'flooded' }
  return { kind, topic: 'good', value: await endOf(stage, 'good') }
}

/** More than a fetch of 16 MiB, in batches of 1 MiB: none of it small. */
async function fill(client: Client, topic: string): Promise<void> {
  await using producer = client.producer()
  const value = Buffer.alloc(512 * 1024, 'x')
  for (let count = 0; count < 64; count++) await producer.send(topic, { value })
}

async function beside(stage: Stage, flood: Flood, ms: number): Promise<void> {
  {
    await using _ = await startFlood(stage, flood)
    await measure(stage, `${NAMES[flood.kind]}, ${CONNECTIONS} connections`, ms)
  }
  await pause(SETTLE_MS)
}

const NAMES: Readonly<Record<string, string>> = {
  produce: 'produce of 1 MiB batches as fast as it goes',
  tiny: 'tiny requests, pipelined',
  fetch: 'fetches of 16 MiB, never read',
  cut: 'frames of 16 MiB, cut off',
  polls: 'long polls, 100 each',
}

/** Resolves with what the broker took of it, in MiB/s. */
async function produceFlood(stage: Stage, ms: number): Promise<number> {
  await using _ = await startFlood(stage, { kind: 'produce', topic: 'flooded' })
  const before = await endOf(stage, 'flooded')
  const began = performance.now()
  await measure(stage, `${NAMES.produce}, ${CONNECTIONS} connections`, ms)
  const records = (await endOf(stage, 'flooded')) - before
  const mebibytes = records / ((performance.now() - began) / 1000)
  console.log(`the broker took ${mebibytes.toFixed(0)} MiB/s of the flood`)
  return mebibytes
}

/** 150 % of what it takes, for 10 s; then how long until the good client is as quick as when it was alone. */
async function beyondCapacity(stage: Stage, capacity: number): Promise<void> {
  const value = capacity * OVERLOAD
  {
    await using _ = await startFlood(stage, { kind: 'produce', topic: 'flooded', value })
    await measure(stage, `150 % of capacity (${value.toFixed(0)} MiB/s)`, OVERLOAD_MS)
  }
  stage.good.take()
  const quiet = stage.rows[0]?.p99 ?? Number.NaN
  const began = performance.now()
  while (performance.now() - began < RECOVERY_MS_MAX) {
    await pause(1_000)
    const arrivals = stage.good.take()
    const p99 = percentile(arrivals, 0.99)
    if (arrivals.length < GOOD_RATE / 2 || p99 > 2 * quiet) continue
    const seconds = (performance.now() - began) / 1000
    console.log(
      `back to normal ${seconds.toFixed(0)} s after it ended (p99 of that second ${p99.toFixed(1)} ms)`,
    )
    return
  }
  console.log(`not back to normal within ${RECOVERY_MS_MAX / 1000} s`)
}

async function startFlood({ client, broker }: Stage, flood: Flood): Promise<Child> {
  const { topicId } = await client.admin().describeTopic(flood.topic)
  const value = flood.value === undefined ? [] : [String(flood.value)]
  const args = [flood.kind, String(broker.port), topicId, String(CONNECTIONS), ...value]
  const program = join(import.meta.dirname, 'flood.ts')
  const child = new Child(['--import', 'tsx', '--conditions=@minikafka/source', program, ...args])
  await child.find((line) => line === 'flooding' || undefined)
  await pause(SETTLE_MS)
  return child
}

async function measure(stage: Stage, what: string, ms: number): Promise<void> {
  const { good, probe, broker, rows } = stage
  good.take()
  probe.take()
  broker.forgetRssPeak()
  await pause(ms)
  const arrivals = good.take()
  const looks = probe.take()
  const p99 = percentile(arrivals, 0.99)
  const quiet = rows[0]?.p99 ?? p99
  const latencies = [percentile(arrivals, 0.5), p99, percentile(arrivals, 0.999)]
  const row = {
    what,
    p99,
    cells: [
      ...latencies.map((latencyMs) => latencyMs.toFixed(1)),
      `${(p99 / quiet).toFixed(1)} x`,
      `${((arrivals.length / ((GOOD_RATE * ms) / 1000)) * 100).toFixed(0)} %`,
      worst(looks, 'loopP99Ms').toFixed(1),
      worst(looks, 'loopMaxMs').toFixed(0),
      broker.rssPeakMiB().toFixed(0),
    ],
  }
  rows.push(row)
  console.log([what, ...row.cells].join('  '))
}
