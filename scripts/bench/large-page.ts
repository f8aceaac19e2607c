// The page of a broker with much to tell: 2,000 partitions in 500 topics, and groups that stand in all of them. What one
// look costs, and for how long at most it keeps others waiting. Beside it: the same broker while nobody looks.
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '@minikafka/client'
import { type BrokerChild, startBroker } from '../broker-child.ts'
import { type Look, Probe } from './probe.ts'
import { scrape } from './scrape.ts'
import { median } from './table.ts'

const TOPICS = Array.from({ length: 500 }, (_, number) => `topic-${number}`)
const PARTITIONS_EACH = 4
const GROUPS = 20
const PAGES = 50
const APART_MS = 200

export async function largePage(folder: string): Promise<void> {
  const probe = new Probe(folder)
  await using broker = await startBroker(folder, { probe: probe.file })
  await fill(broker)
  await sleep(3_000)
  probe.take()
  await sleep(PAGES * APART_MS)
  const quiet = longestTurns(probe.take())
  const cpuMs = broker.cpuMs()
  const pages = []
  for (let page = 0; page < PAGES; page++) {
    pages.push(await scrape(broker))
    await sleep(APART_MS)
  }
  const cpuMsEach = (broker.cpuMs() - cpuMs) / PAGES
  const watched = longestTurns(probe.take())
  const lines =
    pages
      .at(-1)
      ?.text.split('\n')
      .filter((line) => !line.startsWith('#')) ?? []
  const partitions = TOPICS.length * PARTITIONS_EACH
  const positions = partitions * GROUPS
  const kibibytes = (pages.at(-1)?.text.length ?? 0) / 1024
  console.log(
    `\n${partitions} partitions in ${TOPICS.length} topics, ${GROUPS} groups with ${positions} positions: ` +
      `${lines.length} series, ${kibibytes.toFixed(0)} KiB\n` +
      `a page took ${median(pages.map(({ pageMs }) => pageMs)).toFixed(1)} ms, ${cpuMsEach.toFixed(1)} ms of processor; ` +
      `longest turn of the event loop in each second: ${watched}; while nobody looked: ${quiet}`,
  )
}

/** The median tells of the broker, the most of what else this machine does. */
function longestTurns(looks: readonly Look[]): string {
  const turns = looks.map(({ loopMaxMs }) => loopMaxMs)
  return `median ${median(turns).toFixed(1)} ms, at most ${Math.max(...turns).toFixed(1)} ms`
}

async function fill({ port }: BrokerChild): Promise<void> {
  await using client = new Client({ brokers: `127.0.0.1:${port}`, clientId: 'bench' })
  const admin = client.admin()
  const config = { flush: 'os' }
  for (const name of TOPICS) await admin.createTopic(name, { partitions: PARTITIONS_EACH, config })
  await using producer = client.producer()
  const sent = TOPICS.flatMap((name) =>
    Array.from({ length: PARTITIONS_EACH }, (_, partition) =>
      producer.send(name, { value: 'x', partition }),
    ),
  )
  await Promise.all(sent)
  for (let group = 0; group < GROUPS; group++)
    await admin.resetOffsets(`group-${group}`, { topics: TOPICS, to: 'earliest' })
}
