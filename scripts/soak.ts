// `npm run soak [-- --minutes N] [--folder DIR] [--share 70]`: mixed load at a share of what this machine can, for a long time.
// Producers, a reader that keeps up and one far behind, clients and topics that come and go, retention at work; a client
// that behaves is measured beside them. Ends with the slope of each measure; exit code 1 where one is beyond its bound.
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Client } from '@minikafka/client'
import { GoodClient, pause, percentile } from './bench/good-client.ts'
import { produceFor } from './bench/load.ts'
import { Probe, worst } from './bench/probe.ts'
import { printColumns } from './bench/table.ts'
import { type BrokerChild, startBroker } from './broker-child.ts'
import { Child } from './child.ts'
import { isBeyond, type Point, slopeOf } from './soak/slope.ts'
import { createTopics, PROBED } from './soak/topics.ts'
import { temporaryFolder } from './temporary-folder.ts'

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    folder: { type: 'string', default: join('node_modules', '.cache') },
    share: { type: 'string', default: '70' },
  },
})
const EVERY_MS = 10_000
const CAPACITY_MS = 5_000
/** Caches and what else has a bound fill, code is compiled, the first segments go: not yet looked at for slopes. */
const WARM_UP_MS = Math.min(120_000, Number(flags.minutes) * 60_000 * 0.2)
const MEBIBYTE = 1024 ** 2

/** What is looked at, and how much of it an hour may add at most, beyond what chance explains. */
const MEASURES = [
  { name: 'RSS MiB', boundPerHour: 30 },
  { name: 'heap MiB', boundPerHour: 10 },
  { name: 'buffers MiB', boundPerHour: 20 },
  { name: 'descriptors', boundPerHour: 30 },
  { name: 'handles', boundPerHour: 30 },
  { name: 'p99 ms', boundPerHour: 60 },
  { name: 'loop p99 ms', boundPerHour: 30 },
] as const

type Sample = Readonly<Record<(typeof MEASURES)[number]['name'], number>>

using temporary = temporaryFolder(flags.folder, 'soak-')
const probe = new Probe(temporary.path)
await using broker = await startBroker(temporary.path, {
  probe: probe.file,
  settings: {
    'log.retention.check.interval.ms': '2s',
    // Fewer than there are segments: what is open is then bounded by this, not by how many segments there are just now.
    'log.files.open.max': '64',
    // Full after a minute of topics that come and go, and not after two hours.
    'metadata.revisions.max': '100',
  },
  variables: {
    MINIKAFKA_PROBE_GC: '5',
    // Buffers go back to the kernel when they are freed. Otherwise glibc keeps more of them after each peak that was
    // higher (mallopt(3), M_MMAP_THRESHOLD): RSS has steps, in which a leak can hide.
    MALLOC_MMAP_THRESHOLD_: String(16 * 1024),
  },
})
const brokers = `127.0.0.1:${broker.port}`
await using client = new Client({ brokers, clientId: 'soak' })
await createTopics(client)
const rate = Math.floor((await capacity()) * (Number(flags.share) / 100))
console.log(
  `${rate.toLocaleString('en')} records of 1 KiB a second, ${flags.share} % of what was taken alone\n`,
)
process.exitCode = verdict(await soak())

async function capacity(): Promise<number> {
  await client.admin().createTopic('capacity', { config: { 'file.delete.delay.ms': 0 } })
  const { records, seconds } = await produceFor(client, 'capacity', 'push', 1024, CAPACITY_MS)
  await client.admin().deleteTopic('capacity')
  return records / seconds
}

async function soak(): Promise<{ atMs: number; sample: Sample }[]> {
  const program = join(import.meta.dirname, 'soak/load.ts')
  const args = ['--import', 'tsx', '--conditions=@minikafka/source', program, brokers, String(rate)]
  await using load = new Child(args)
  await using good = await GoodClient.start(client, brokers, PROBED)
  const failed = load.exited.then((how) => {
    throw new Error(`the load ended with ${how}`)
  })
  const gone = broker.exited.then((how) => {
    throw new Error(`the broker ended with ${how}`)
  })
  const samples: { atMs: number; sample: Sample }[] = []
  const began = performance.now()
  const untilMs = Number(flags.minutes) * 60_000
  console.log(['minute', ...MEASURES.map(({ name }) => name)].join('  '))
  for (let atMs = 0; atMs < untilMs; ) {
    good.take()
    probe.take()
    await Promise.race([pause(EVERY_MS), failed, gone])
    atMs = performance.now() - began
    const sample = sampleOf(broker, good)
    samples.push({ atMs, sample })
    const numbers = MEASURES.map(({ name }) => sample[name].toFixed(1))
    console.log([(atMs / 60_000).toFixed(1), ...numbers].join('  '))
  }
  // From here on they end because they are ended.
  failed.catch(() => {})
  gone.catch(() => {})
  return samples
}

function sampleOf(child: BrokerChild, good: GoodClient): Sample {
  const looks = probe.take()
  const mean = (key: 'arrayBuffers' | 'handles') =>
    looks.reduce((sum, look) => sum + look[key], 0) / looks.length
  return {
    // The least of each: what lies above it is garbage that is not collected yet.
    'RSS MiB': Math.min(...looks.map(({ rss }) => rss)) / MEBIBYTE,
    'heap MiB':
      Math.min(...looks.map(({ liveHeap = Number.POSITIVE_INFINITY }) => liveHeap)) / MEBIBYTE,
    'buffers MiB': mean('arrayBuffers') / MEBIBYTE,
    descriptors: child.fileHandles(),
    handles: mean('handles'),
    'p99 ms': percentile(good.take(), 0.99),
    'loop p99 ms': worst(looks, 'loopP99Ms'),
  }
}

function verdict(samples: readonly { atMs: number; sample: Sample }[]): number {
  const settled = samples.filter(({ atMs }) => atMs >= WARM_UP_MS)
  const rows = MEASURES.map(({ name, boundPerHour }) => {
    // A machine that stood still for some seconds leaves a sample without.
    const points = settled
      .map(({ atMs, sample }): Point => ({ atMs, value: sample[name] }))
      .filter(({ value }) => Number.isFinite(value))
    const slope = slopeOf(points)
    const beyond = isBeyond(slope, boundPerHour)
    const mean = points.reduce((sum, { value }) => sum + value, 0) / points.length
    const cells = [mean, slope.perHour, slope.errorPerHour, boundPerHour].map((n) => n.toFixed(1))
    return { beyond, cells: [name, ...cells, beyond ? 'BEYOND' : 'flat'] }
  })
  console.log()
  printColumns(
    ['measure', 'mean', 'slope/h', '± error', 'bound/h', 'verdict'],
    rows.map(({ cells }) => cells),
  )
  console.log(`over ${settled.length} samples, the first ${WARM_UP_MS / 1000} s left out`)
  return rows.some(({ beyond }) => beyond) ? 1 : 0
}
