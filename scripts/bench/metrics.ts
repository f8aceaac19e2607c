// What watching costs: two brokers in turns, one whose page is asked for every second, one that nobody looks at.
// Ratios within one run are what counts; who goes first changes from round to round.
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '@minikafka/client'
import { type BrokerChild, startBroker } from '../broker-child.ts'
import { type Mode, produceFor } from './load.ts'
import { median, printColumns } from './table.ts'

const ROUNDS = 10
const SCRAPE_MS = 1_000
/** Many records in few requests, and as many requests as one producer can make. */
const LOADS: readonly { readonly mode: Mode | 'one at a time'; readonly size: number }[] = [
  { mode: 'push', size: 1024 },
  { mode: 'send', size: 100 },
  { mode: 'one at a time', size: 100 },
]

type Side = { readonly broker: BrokerChild; readonly client: Client; readonly isWatched: boolean }
type Taken = { readonly perSecond: number; readonly cpuUsPerRecord: number }

export async function metrics(folder: string, only: string, ms: number): Promise<void> {
  await using quiet = await startBroker(folder)
  await using watched = await startBroker(folder)
  await using client = new Client({ brokers: `127.0.0.1:${quiet.port}`, clientId: 'bench' })
  await using other = new Client({ brokers: `127.0.0.1:${watched.port}`, clientId: 'bench' })
  const sides: readonly Side[] = [
    { broker: quiet, client, isWatched: false },
    { broker: watched, client: other, isWatched: true },
  ]
  const rows: string[][] = []
  for (const load of LOADS) {
    const what = `produce ${load.size} B, ${load.mode}`
    if (what.includes(only)) rows.push([what, ...(await compare(sides, load, ms))])
  }
  printColumns(['what', 'records/s', 'watched', 'ratio', 'broker CPU', 'aim'], rows)
  const { bytes, pageMs } = await scrape(watched)
  console.log(`\nthe page has ${(bytes / 1024).toFixed(0)} KiB and took ${pageMs.toFixed(1)} ms`)
}

async function compare(sides: readonly Side[], load: (typeof LOADS)[number], ms: number) {
  const topic = `metrics-${load.mode.replaceAll(' ', '-')}-${load.size}`
  for (const { client } of sides) await client.admin().createTopic(topic)
  const taken: [Taken[], Taken[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    const order = round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)
    for (const side of order) taken[side].push(await take(sides[side] as Side, topic, load, ms))
  }
  for (const { client } of sides) await client.admin().deleteTopic(topic)
  const pairs = taken[0].map((quiet, round) => [quiet, taken[1][round] as Taken] as const)
  const ratio = median(pairs.map(([quiet, watched]) => watched.perSecond / quiet.perSecond))
  const cpu = median(pairs.map(([quiet, watched]) => watched.cpuUsPerRecord / quiet.cpuUsPerRecord))
  const rate = (side: 0 | 1) => median(taken[side].map(({ perSecond }) => perSecond)).toFixed(0)
  return [rate(0), rate(1), ratio.toFixed(3), `× ${cpu.toFixed(3)}`, 'ratio ≥ 0.99']
}

async function take(
  { broker, client, isWatched }: Side,
  topic: string,
  { mode, size }: (typeof LOADS)[number],
  ms: number,
): Promise<Taken> {
  const over = new AbortController()
  const scrapes = isWatched ? scrapeUntil(broker, over.signal) : Promise.resolve()
  const cpuMs = broker.cpuMs()
  const { records, seconds } =
    mode === 'one at a time'
      ? await oneByOne(client, topic, size, ms)
      : await produceFor(client, topic, mode, size, ms)
  const cpuUsPerRecord = ((broker.cpuMs() - cpuMs) * 1000) / records
  over.abort()
  await scrapes
  return { perSecond: records / seconds, cpuUsPerRecord }
}

async function oneByOne(client: Client, topic: string, size: number, ms: number) {
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

async function scrape({ httpPort }: BrokerChild) {
  const began = performance.now()
  const page = await fetch(`http://127.0.0.1:${httpPort}/metrics`)
  const { length: bytes } = await page.text()
  if (!page.ok) throw new Error(`/metrics: ${page.status}`)
  return { bytes, pageMs: performance.now() - began }
}
