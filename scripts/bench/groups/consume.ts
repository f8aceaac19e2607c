// The rate of a group of one beside that of a plain consumer, taken in turn over the same records.
import { Client, type Consumer } from '@minikafka/client'
import { startBroker } from '../../broker-child.ts'
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
    for (const mode of MODES) rows.push(await compare(client, topic, mode, end?.offset ?? 0, size))
    await client.admin().deleteTopic(topic)
  }
  printColumns(['consume', 'plain/s', 'group/s', 'of plain', 'lowest', 'highest', 'aim'], rows)
}

/** Whatever slows the machine down for a while meets both: each ratio is of two neighbours. */
async function compare(
  client: Client,
  topic: string,
  mode: Mode,
  records: number,
  size: number,
): Promise<string[]> {
  const plain: number[] = []
  const grouped: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const rates = { plain, grouped }
    // Who comes second finds what the first has warmed up.
    for (const kind of round % 2 === 0 ? KINDS : KINDS.toReversed()) {
      const group = `${topic}-${mode.replaceAll(' ', '-')}-${round}`
      await using consumer =
        kind === 'plain'
          ? client.consumer({ topics: [topic], start: 'earliest' })
          : client.consumer({ group, topics: [topic], start: 'earliest' })
      rates[kind].push(await rateOf(consumer, mode, records))
    }
  }
  const ratios = grouped.map((rate, round) => rate / (plain[round] ?? Number.NaN))
  const share = (value: number) => `${(value * 100).toFixed(0)} %`
  return [
    `${size} B, ${mode}`,
    Math.round(median(plain)).toLocaleString('en'),
    Math.round(median(grouped)).toLocaleString('en'),
    share(median(ratios)),
    share(Math.min(...ratios)),
    share(Math.max(...ratios)),
    '≥ 90 %',
  ]
}

const KINDS = ['plain', 'grouped'] as const

/** Records a second; the time counts from the first one. */
async function rateOf(consumer: Consumer<string>, mode: Mode, total: number): Promise<number> {
  let records = 0
  let bytes = 0
  let beganMs = 0
  if (mode === 'batches') {
    for await (const batch of consumer.batches()) {
      if (records === 0) beganMs = performance.now()
      records += batch.records.length
      for (const { value } of batch.records) bytes += value?.length ?? 0
      if (records >= total) break
    }
  } else {
    for await (const { value } of consumer) {
      if (records === 0) beganMs = performance.now()
      bytes += value?.length ?? 0
      if (++records >= total) break
    }
  }
  if (bytes === 0) throw new Error('records without a value')
  return records / ((performance.now() - beganMs) / 1000)
}
