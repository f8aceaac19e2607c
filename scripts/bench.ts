// `npm run bench [-- --seconds N] [--folder DIR] [--only WORD] [--partitions | --overload | --testing | --recovery |
// --compaction | --groups | --metrics]`: one table, its limit measured in the same run.
// Broker and client share the machine; every ack of flush=group comes after an fdatasync. Ratios to the limit are
// what can be compared between machines.
import { rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Client } from '@minikafka/client'
import { compaction } from './bench/compaction.ts'
import { groups } from './bench/groups.ts'
import { atRate, oneAtATime } from './bench/latency.ts'
import { limitFor, startLimitServer } from './bench/limit.ts'
import { consumeAll, type Mode, produceFor } from './bench/load.ts'
import { manyPartitions } from './bench/many-partitions.ts'
import { metrics } from './bench/metrics.ts'
import { overload } from './bench/overload.ts'
import { recovery } from './bench/recovery.ts'
import { median, percentiles, printTable, type Row } from './bench/table.ts'
import { testBroker } from './bench/test-broker.ts'
import { type BrokerChild, startBroker } from './broker-child.ts'
import { temporaryFolder } from './temporary-folder.ts'

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    folder: { type: 'string', default: join('node_modules', '.cache') },
    only: { type: 'string', default: '' },
    partitions: { type: 'boolean', default: false },
    overload: { type: 'boolean', default: false },
    testing: { type: 'boolean', default: false },
    recovery: { type: 'boolean', default: false },
    compaction: { type: 'boolean', default: false },
    groups: { type: 'boolean', default: false },
    metrics: { type: 'boolean', default: false },
  },
})
const ms = Number(flags.seconds) * 1000
const MEBIBYTE = 1024 ** 2
const FLUSHES = ['group', 'os'] as const
using temporary = temporaryFolder(flags.folder, 'bench-')
const folder = temporary.path
const rows: Row[] = []
let limit = Number.NaN

console.log(
  `Node ${process.versions.node}, ${availableParallelism()} cores, ${flags.seconds} s each\n`,
)
if (flags.partitions) await manyPartitions(folder)
else if (flags.testing) await testBroker()
else if (flags.recovery) await recovery(folder, flags.only)
else if (flags.compaction) await compaction(folder)
else if (flags.groups) await groups(folder, flags.only, ms)
else if (flags.metrics) await metrics(folder, flags.only, ms)
else if (flags.overload) await overload(folder, flags.only, ms)
else await everything()

async function everything(): Promise<void> {
  await measureLimit()
  const { idleMiB, peakMiB, clientMiB } = await loads()
  await measureLimit()
  printTable(rows)
  await startUp(idleMiB)
  console.log(
    `memory     broker idle ${idleMiB.toFixed(0)} MiB, under the benchmark at most ${peakMiB.toFixed(0)} MiB; client ${clientMiB.toFixed(0)} MiB`,
  )
}

/** All that goes through the broker; resolves with what it took of memory. */
async function loads() {
  await using broker = await startBroker(folder)
  const idleMiB = broker.rssMiB()
  await using client = new Client({ brokers: `127.0.0.1:${broker.port}`, clientId: 'bench' })
  for (const flush of FLUSHES) await throughputRows(client, flush)
  for (const flush of FLUSHES) await latencyRows(client, broker, flush)
  const clientMiB = process.memoryUsage.rss() / MEBIBYTE
  return { idleMiB, peakMiB: broker.rssPeakMiB(), clientMiB }
}

async function throughputRows(client: Client, flush: string): Promise<void> {
  const admin = client.admin()
  for (const size of [100, 1024]) {
    for (const mode of ['push', 'sendMany', 'send'] as const) {
      const topic = `${mode}-${size}-${flush}`
      if (!topic.includes(flags.only)) continue
      await admin.createTopic(topic, { config: { flush, 'file.delete.delay.ms': 0 } })
      await produceRow(client, topic, mode, size, flush)
      if (mode === 'push' && flush === 'group') await consumeRows(client, topic, size)
      await admin.deleteTopic(topic)
    }
  }
}

/** Bytes from a socket to a file and nothing else; measured first and last, for the machine may drift. */
async function measureLimit(): Promise<void> {
  const file = join(folder, 'limit')
  const { bytes, seconds } = await limitThrough(file)
  rmSync(file, { force: true })
  const rate = bytes / seconds / MEBIBYTE
  if (Number.isNaN(limit)) limit = rate
  rows.push({
    what: 'limit: socket to file, bare Node',
    mebibytesPerSecond: rate,
    ofLimit: rate / limit,
  })
}

async function limitThrough(file: string) {
  await using server = await startLimitServer(file)
  return await limitFor(server.port, ms)
}

async function produceRow(
  client: Client,
  topic: string,
  mode: Mode,
  size: number,
  flush: string,
): Promise<void> {
  const { records, bytes, seconds, histogram } = await produceFor(client, topic, mode, size, ms)
  const mebibytes = bytes / seconds / MEBIBYTE
  rows.push({
    what: `produce ${size} B, ${mode}, flush=${flush}`,
    recordsPerSecond: records / seconds,
    mebibytesPerSecond: mebibytes,
    ofLimit: mebibytes / limit,
    ...(histogram && histogram.count > 0 ? percentiles(histogram) : {}),
    aim: produceAim(mode, size, flush),
  })
}

function produceAim(mode: Mode, size: number, flush: string): string {
  if (size === 100) return flush === 'os' ? '' : mode === 'send' ? '≥ 800 k/s' : '≥ 2 M/s'
  return mode === 'send' ? '' : flush === 'group' ? '≥ 45 % of the limit' : '≥ 60 % of the limit'
}

async function consumeRows(client: Client, topic: string, size: number): Promise<void> {
  const [end] = await client.admin().offsets(topic, 'latest')
  const records = end?.offset ?? 0
  for (const mode of ['batches', 'for await'] as const) {
    const rates: number[] = []
    for (let round = 0; round < 3; round++) {
      const { records: read, seconds } = await consumeAll(client, topic, mode, records)
      rates.push(read / seconds)
    }
    const rate = median(rates)
    const aim = size === 100 ? (mode === 'batches' ? '≥ 3 M/s' : '≥ 2 M/s') : '≥ 700 MiB/s'
    rows.push({
      what: `consume ${size} B, ${mode}`,
      recordsPerSecond: rate,
      mebibytesPerSecond: (rate * size) / MEBIBYTE,
      aim,
    })
  }
}

async function latencyRows(client: Client, { port }: BrokerChild, flush: string): Promise<void> {
  const admin = client.admin()
  const plans = [
    { what: 'one at a time', aim: 'p50 ≤ 0.7 ms', rate: 0 },
    { what: '10,000/s', aim: 'p99 ≤ 8 ms', rate: 10_000 },
    { what: '50,000/s', aim: 'p99 ≤ 15 ms', rate: 50_000 },
  ]
  for (const { what, aim, rate } of plans) {
    const topic = `end-to-end-${rate}-${flush}`
    if (!topic.includes(flags.only)) continue
    await admin.createTopic(topic, { config: { flush, 'file.delete.delay.ms': 0 } })
    const histogram =
      rate === 0
        ? await oneAtATime(client, topic, 2_000)
        : await atRate(client, `127.0.0.1:${port}`, topic, rate, ms * 2)
    await admin.deleteTopic(topic)
    rows.push({
      what: `end to end, ${what}, flush=${flush}`,
      ...percentiles(histogram),
      aim: flush === 'group' ? aim : '',
    })
  }
}

async function startUp(idleMiB: number): Promise<void> {
  const times: number[] = []
  for (let round = 0; round < 7; round++) {
    await using broker = await startBroker(folder)
    times.push(broker.readyMs)
  }
  const bare: number[] = []
  for (let round = 0; round < 7; round++) {
    await using server = await startLimitServer(join(folder, 'limit'))
    bare.push(server.readyMs)
  }
  console.log(
    `\nstart-up   broker ready ${median(times).toFixed(0)} ms after its process started (aim ≤ 200), a bare Node server ${median(bare).toFixed(0)} ms; idle ${idleMiB.toFixed(0)} MiB (aim ≤ 70)`,
  )
}
