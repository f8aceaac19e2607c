// What watching costs: brokers in turns, one whose page is asked for every second, two that nobody looks at.
// Ratios to the first of those are what counts; that of the other says how far two equal brokers differ in this run.
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '@minikafka/client'
import { type BrokerChild, startBroker } from '../broker-child.ts'
import { type Mode, produceFor } from './load.ts'
import { median, printColumns } from './table.ts'

const ROUNDS = 9
const SCRAPE_MS = 1_000
/** Many records in few requests, and as many requests as one producer can make. */
const LOADS: readonly { readonly mode: Mode | 'one at a time'; readonly size: number }[] = [
  { mode: 'push', size: 1024 },
  { mode: 'send', size: 100 },
  { mode: 'one at a time', size: 100 },
]

type Side = { readonly broker: BrokerChild; readonly client: Client; readonly isWatched: boolean }
type Sides = readonly [Side, Side, Side]
/** Places of them. */
const [QUIET, EQUAL, WATCHED] = [0, 1, 2]
const COLUMNS = ['what', 'records/s', 'equal', 'its CPU', 'watched', 'its CPU', 'aim']
type Taken = { readonly perSecond: number; readonly cpuUsPerRecord: number }

export async function metrics(folder: string, only: string, ms: number): Promise<void> {
  await using quiet = await startBroker(folder)
  await using equal = await startBroker(folder)
  await using watched = await startBroker(folder)
  await using ofQuiet = clientOf(quiet)
  await using ofEqual = clientOf(equal)
  await using ofWatched = clientOf(watched)
  const sides: Sides = [
    { broker: quiet, client: ofQuiet, isWatched: false },
    { broker: equal, client: ofEqual, isWatched: false },
    { broker: watched, client: ofWatched, isWatched: true },
  ]
  const rows: string[][] = []
  for (const load of LOADS) {
    const what = `produce ${load.size} B, ${load.mode}`
    if (what.includes(only)) rows.push([what, ...(await compare(sides, load, ms))])
  }
  printColumns(COLUMNS, rows)
  const { bytes, pageMs } = await scrape(watched)
  console.log(`\nthe page has ${(bytes / 1024).toFixed(0)} KiB and took ${pageMs.toFixed(1)} ms`)
}

function clientOf({ port }: BrokerChild): Client {
  return new Client({ brokers: `127.0.0.1:${port}`, clientId: 'bench' })
}

async function compare(sides: Sides, load: (typeof LOADS)[number], ms: number) {
  const topic = `metrics-${load.mode.replaceAll(' ', '-')}-${load.size}`
  for (const { client } of sides) await client.admin().createTopic(topic)
  const rounds: (readonly Taken[])[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const taken: Taken[] = []
    for (let turn = 0; turn < sides.length; turn++) {
      // Another one goes first each time.
      const side = (round + turn) % sides.length
      taken[side] = await take(sides[side] as Side, topic, load, ms)
    }
    rounds.push(taken)
  }
  for (const { client } of sides) await client.admin().deleteTopic(topic)
  const toQuiet = (side: number, of: keyof Taken) =>
    median(rounds.map((taken) => (taken[side]?.[of] ?? 0) / (taken[QUIET]?.[of] ?? 0))).toFixed(3)
  const rate = median(rounds.map((taken) => taken[QUIET]?.perSecond ?? 0)).toFixed(0)
  const ratios = [EQUAL, WATCHED].flatMap((side) => [
    toQuiet(side, 'perSecond'),
    toQuiet(side, 'cpuUsPerRecord'),
  ])
  return [rate, ...ratios, 'watched ≥ 0.99']
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
