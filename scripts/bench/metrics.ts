// What watching costs. One broker under a load that never stops, in short windows: in every other one the page is asked for,
// so often that it can be told from chance; what one page a second costs follows from that. Each watched window is compared
// with its two neighbours, and each of the others with its own (`equal`: should be 1). Counting goes on all the time: its
// share is what one count costs times the requests, of the processor's time.
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '@minikafka/client'
import type { ServerCall } from '@minikafka/protocol'
import { RequestCounts } from '../../packages/broker/src/metrics/index.ts'
import { type BrokerChild, startBroker } from '../broker-child.ts'
import { EndlessLoad, type Way } from './endless-load.ts'
import { largePage } from './large-page.ts'
import { scrape } from './scrape.ts'
import { median, printColumns } from './table.ts'

const WINDOW_MS = 500
/** In a watched window: 20 in a second, while Prometheus asks every 15 seconds by default. */
const APART_MS = 50
const PER_SECOND = 1_000 / APART_MS
/** Of each load: so many times `--seconds`. */
const LENGTHS = 20
const WARM_MS = 3_000
const PAGES = 100
/** Many records in few requests, and as many requests as one producer can make. */
const LOADS: readonly (readonly [way: Way, size: number])[] = [
  ['push', 1024],
  ['push', 100],
  ['send', 100],
  ['one at a time', 100],
]

type Window = { readonly perSecond: number; readonly cpuUsPerRecord: number }
const COLUMNS = [
  'what',
  'records/s',
  'equal',
  `${PER_SECOND} pages/s`,
  '1 page/s',
  'equal CPU',
  `${PER_SECOND} pages/s CPU`,
  'counting',
  'a page',
  'aim',
]

export async function metrics(folder: string, only: string, ms: number): Promise<void> {
  const countNs = countCostNs()
  const rows: string[][] = []
  for (const [way, size] of LOADS) {
    const what = `produce ${size} B, ${way}`
    if (!what.includes(only)) continue
    const load = (client: Client) => new EndlessLoad(client, 'watched', way, size)
    rows.push([what, ...(await compare(folder, load, ms * LENGTHS, countNs))])
  }
  if (rows.length > 0) printColumns(COLUMNS, rows)
  console.log(`\nto count one request takes ${countNs.toFixed(0)} ns`)
  if ('large page'.includes(only)) await largePage(folder)
}

async function compare(
  folder: string,
  loadOf: (client: Client) => EndlessLoad,
  ms: number,
  countNs: number,
): Promise<string[]> {
  await using broker = await startBroker(folder)
  await using client = new Client({ brokers: `127.0.0.1:${broker.port}`, clientId: 'bench' })
  // Without syncs the processor is what there is too little of.
  const config = { flush: 'os', 'retention.bytes': 2 ** 28 }
  await client.admin().createTopic('watched', { config })
  const load = loadOf(client)
  const warmUntil = performance.now() + WARM_MS
  while (performance.now() < warmUntil) await take(broker, load, true)
  const before = await busy(broker)
  const windows: Window[] = []
  for (let window = 0; window * WINDOW_MS < ms; window++)
    windows.push(await take(broker, load, window % 2 === 1))
  const after = await busy(broker)
  await load.stop()
  const countMs = ((after.requests - before.requests) * countNs) / 1e6
  return [
    ...columnsOf(windows),
    `${((countMs / (after.cpuMs - before.cpuMs)) * 100).toFixed(2)} %`,
    `${(await pageCpuMs(broker)).toFixed(2)} ms`,
    '1 page/s ≥ 0.99',
  ]
}

async function take(broker: BrokerChild, load: EndlessLoad, isWatched: boolean): Promise<Window> {
  const [began, records, cpuMs] = [performance.now(), load.records, broker.cpuMs()]
  for (let ms = 0; ms < WINDOW_MS; ms += APART_MS)
    await Promise.all([sleep(APART_MS), isWatched ? scrape(broker) : undefined])
  const count = load.records - records
  return {
    perSecond: (count * 1000) / (performance.now() - began),
    cpuUsPerRecord: ((broker.cpuMs() - cpuMs) * 1000) / count,
  }
}

function columnsOf(windows: readonly Window[]): string[] {
  const unwatched = windows.filter((_, index) => index % 2 === 0)
  const of = (key: keyof Window) => {
    const equal = ratio(unwatched.map((window) => window[key]))
    const watched = ratio(
      windows.map((window) => window[key]),
      (index) => index % 2 === 1,
    )
    return [equal, watched] as const
  }
  const [equal, watched] = of('perSecond')
  const once = { middle: 1 - (1 - watched.middle) / PER_SECOND, error: watched.error / PER_SECOND }
  return [
    median(unwatched.map(({ perSecond }) => perSecond)).toFixed(0),
    ...[equal, watched, once, ...of('cpuUsPerRecord')].map(
      ({ middle, error }) => `${middle.toFixed(3)} ± ${error.toFixed(3)}`,
    ),
  ]
}

/** Of values to the mean of their neighbours: the median, and the standard error of that. */
function ratio(values: readonly number[], counts: (index: number) => boolean = () => true) {
  const ratios = values.flatMap((value, index) => {
    const [before, after] = [values[index - 1], values[index + 1]]
    return counts(index) && before && after ? [(2 * value) / (before + after)] : []
  })
  const middle = median(ratios)
  const deviation = 1.4826 * median(ratios.map((one) => Math.abs(one - middle)))
  return { middle, error: (1.2533 * deviation) / Math.sqrt(ratios.length) }
}

/** Produce requests since the start, and processor time. */
async function busy(broker: BrokerChild) {
  const { text } = await scrape(broker)
  const line = /^minikafka_request_duration_seconds_count\{api="produce"\} (\d+)$/m.exec(text)
  return { requests: Number(line?.[1]), cpuMs: broker.cpuMs() }
}

/** What the processor does for one page, in the broker that has just been busy. */
async function pageCpuMs(broker: BrokerChild): Promise<number> {
  const cpuMs = broker.cpuMs()
  for (let page = 0; page < PAGES; page++) await scrape(broker)
  return (broker.cpuMs() - cpuMs) / PAGES
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
