// What watching costs. One broker at a time, in short turns: nobody looks, the page is asked for every second, nobody looks.
// The ratio to both neighbours is what counts; that of the neighbours to each other says how much is chance. Counting goes on
// all the time: its share is told beside it, as what one count costs times the requests of that load.
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '@minikafka/client'
import type { ServerCall } from '@minikafka/protocol'
import { RequestCounts } from '../../packages/broker/src/metrics/index.ts'
import { type BrokerChild, startBroker } from '../broker-child.ts'
import { largePage } from './large-page.ts'
import { type Mode, produceFor } from './load.ts'
import { scrape } from './scrape.ts'
import { median, printColumns } from './table.ts'

const ROUNDS = 12
/** Fifteen times as often as Prometheus does by default. */
const SCRAPE_MS = 1_000
const PAGES = 100
/** Many records in few requests, and as many requests as one producer can make. */
const LOADS: readonly { readonly mode: Mode | 'one at a time'; readonly size: number }[] = [
  { mode: 'push', size: 1024 },
  { mode: 'push', size: 100 },
  { mode: 'send', size: 100 },
  { mode: 'one at a time', size: 100 },
]

type Load = (typeof LOADS)[number]
type Side = { readonly broker: BrokerChild; readonly client: Client; readonly topic: string }
type Taken = { readonly perSecond: number; readonly cpuUsPerRecord: number }
/** Nobody looks, somebody does, nobody looks. */
type Round = readonly [Taken, Taken, Taken]
const COLUMNS = [
  'what',
  'records/s',
  'equal',
  'its CPU',
  'watched',
  'its CPU',
  'counting',
  'a page',
  'aim',
]

export async function metrics(folder: string, only: string, ms: number): Promise<void> {
  const countNs = countCostNs()
  const rows: string[][] = []
  for (const load of LOADS) {
    const what = `produce ${load.size} B, ${load.mode}`
    if (what.includes(only)) rows.push([what, ...(await compare(folder, load, ms, countNs))])
  }
  if (rows.length > 0) printColumns(COLUMNS, rows)
  console.log(`\nto count one request takes ${countNs.toFixed(0)} ns`)
  if ('large page'.includes(only)) await largePage(folder)
}

async function compare(folder: string, load: Load, ms: number, countNs: number) {
  await using broker = await startBroker(folder)
  await using client = new Client({ brokers: `127.0.0.1:${broker.port}`, clientId: 'bench' })
  const side = { broker, client, topic: 'watched' }
  // Without syncs the processor is what there is too little of.
  const config = { flush: 'os', 'retention.bytes': 2 ** 28 }
  await client.admin().createTopic(side.topic, { config })
  await take(side, load, ms, false)
  const before = await busy(broker)
  const rounds: Round[] = []
  for (let round = 0; round < ROUNDS; round++)
    rounds.push([
      await take(side, load, ms, false),
      await take(side, load, ms, true),
      await take(side, load, ms, false),
    ])
  const after = await busy(broker)
  const cpuMs = after.cpuMs - before.cpuMs
  const counting = ((after.requests - before.requests) * countNs) / 1e6 / cpuMs
  return [
    ...columnsOf(rounds),
    `${(counting * 100).toFixed(2)} %`,
    `${(await pageCpuMs(broker)).toFixed(2)} ms`,
    'watched ≥ 0.99',
  ]
}

/** What the processor does for one page, in the broker that has just been busy. */
async function pageCpuMs(broker: BrokerChild): Promise<number> {
  const cpuMs = broker.cpuMs()
  for (let page = 0; page < PAGES; page++) await scrape(broker)
  return (broker.cpuMs() - cpuMs) / PAGES
}

function columnsOf(rounds: readonly Round[]): string[] {
  const ratio = (of: (round: Round) => number) => median(rounds.map(of)).toFixed(3)
  const equal = (key: keyof Taken) => ratio(([a, , b]) => b[key] / a[key])
  const watched = (key: keyof Taken) => ratio(([a, one, b]) => (2 * one[key]) / (a[key] + b[key]))
  const rate = median(rounds.map(([{ perSecond }]) => perSecond)).toFixed(0)
  return [
    rate,
    equal('perSecond'),
    equal('cpuUsPerRecord'),
    watched('perSecond'),
    watched('cpuUsPerRecord'),
  ]
}

async function take(side: Side, load: Load, ms: number, isWatched: boolean): Promise<Taken> {
  const { broker } = side
  const over = new AbortController()
  const scrapes = isWatched ? scrapeUntil(broker, over.signal) : Promise.resolve()
  const cpuMs = broker.cpuMs()
  const { records, seconds } = await produce(side, load, ms)
  const cpuUsPerRecord = ((broker.cpuMs() - cpuMs) * 1000) / records
  over.abort()
  await scrapes
  return { perSecond: records / seconds, cpuUsPerRecord }
}

async function produce({ client, topic }: Side, { mode, size }: Load, ms: number) {
  if (mode !== 'one at a time') return await produceFor(client, topic, mode, size, ms)
  const value = Buffer.alloc(size, 'x')
  await using producer = client.producer()
  const began = performance.now()
  let records = 0
  for (; performance.now() - began < ms; records++) await producer.send(topic, { value })
  return { records, seconds: (performance.now() - began) / 1000 }
}

async function scrapeUntil(broker: BrokerChild, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await scrape(broker)
    await sleep(SCRAPE_MS, undefined, { signal }).catch(() => undefined)
  }
}

/** Produce requests since the start, and processor time. */
async function busy(broker: BrokerChild) {
  const { text } = await scrape(broker)
  const line = /^minikafka_request_duration_seconds_count\{api="produce"\} (\d+)$/m.exec(text)
  return { requests: Number(line?.[1]), cpuMs: broker.cpuMs() }
}

/** Of a Produce request that went well. */
function countCostNs(): number {
  const counts = new RequestCounts()
  const call = { api: 'produce', frameBytes: 1000 } as ServerCall
  const outcome = { results: [{ errorCode: 0 }], timings: [] } as never
  const times = 1_000_000
  const rounds = Array.from({ length: 9 }, () => {
    const began = performance.now()
    for (let time = 0; time < times; time++)
      counts.served(call, outcome, undefined, (time % 50) / 10)
    return ((performance.now() - began) * 1e6) / times
  })
  return median(rounds)
}
