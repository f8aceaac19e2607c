// The rate of a group of one beside that of a plain consumer, taken in turn over the same records.
import { Client, type Consumer } from '@minikafka/client'
import { type BrokerChild, startBroker } from '../../broker-child.ts'
import { produceFor } from '../load.ts'
import { median, printColumns } from '../table.ts'

const ROUNDS = 9
const MODES = ['batches', 'for await'] as const
type Mode = (typeof MODES)[number]

export async function consumeRatio(folder: string, ms: number): Promise<void> {
  await using broker = await startBroker(folder)
  await using client = new Client({ brokers: `127.0.0.1:${broker.port}`, clientId: 'bench' })
  const rows: string[][] = []
  for (const size of [100, 1024]) {
    const topic = `consume-${size}`
    await client.admin().createTopic(topic)
    await produceFor(client, topic, 'push', size, ms)
    const [end] = await client.admin().offsets(topic, 'latest')
    const load = { topic, size, records: end?.offset ?? 0 }
    for (const mode of MODES) rows.push(await compare(client, broker, mode, load))
    await client.admin().deleteTopic(topic)
  }
  printColumns(COLUMNS, rows)
}

const COLUMNS = [
  'consume',
  'plain/s',
  'group/s',
  'of plain',
  'lowest',
  'highest',
  'by CPU of both',
  'aim',
]

/** Whatever slows the machine down for a while meets both: each ratio is of two neighbours. */
async function compare(
  client: Client,
  broker: BrokerChild,
  mode: Mode,
  { topic, size, records }: { topic: string; size: number; records: number },
): Promise<string[]> {
  const runs: Record<(typeof KINDS)[number], Run[]> = { plain: [], grouped: [] }
  for (let round = 0; round < ROUNDS; round++) {
    // Who comes second finds what the first has warmed up.
    for (const kind of round % 2 === 0 ? KINDS : KINDS.toReversed()) {
      const group = `${topic}-${mode.replaceAll(' ', '-')}-${round}`
      await using consumer =
        kind === 'plain'
          ? client.consumer({ topics: [topic], start: 'earliest' })
          : client.consumer({ group, topics: [topic], start: 'earliest' })
      runs[kind].push(await runOf(consumer, broker, mode, records))
    }
  }
  const rates = (kind: keyof typeof runs) => runs[kind].map(({ rate }) => rate)
  const cpuMs = (kind: keyof typeof runs) => runs[kind].reduce((sum, run) => sum + run.cpuMs, 0)
  const plain = rates('plain')
  const ratios = rates('grouped').map((rate, round) => rate / (plain[round] ?? Number.NaN))
  return [
    `${size} B, ${mode}`,
    Math.round(median(plain)).toLocaleString('en'),
    Math.round(median(rates('grouped'))).toLocaleString('en'),
    ...[median(ratios), Math.min(...ratios), Math.max(...ratios)].map(percent),
    percent(cpuMs('plain') / cpuMs('grouped')),
    '≥ 90 %',
  ]
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`
}

const KINDS = ['plain', 'grouped'] as const

/** Records a second, and what client and broker took together; both count from the first record. */
type Run = { readonly rate: number; readonly cpuMs: number }

async function runOf(
  consumer: Consumer<string>,
  broker: BrokerChild,
  mode: Mode,
  total: number,
): Promise<Run> {
  let bytes = 0
  let records = 0
  let began = lookAt(broker)
  if (mode === 'batches') {
    for await (const batch of consumer.batches()) {
      if (records === 0) began = lookAt(broker)
      records += batch.records.length
      for (const { value } of batch.records) bytes += value?.length ?? 0
      if (records >= total) break
    }
  } else {
    for await (const { value } of consumer) {
      if (records === 0) began = lookAt(broker)
      bytes += value?.length ?? 0
      if (++records >= total) break
    }
  }
  if (bytes === 0) throw new Error('records without a value')
  const ended = lookAt(broker)
  return {
    rate: records / ((ended.nowMs - began.nowMs) / 1000),
    cpuMs: ended.cpuMs - began.cpuMs,
  }
}

function lookAt(broker: BrokerChild) {
  const { user, system } = process.cpuUsage()
  return { nowMs: performance.now(), cpuMs: (user + system) / 1000 + broker.cpuMs() }
}
