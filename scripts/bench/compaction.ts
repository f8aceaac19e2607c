// What compaction does in a second, and what it takes from others meanwhile: memory, processor, and the time of a client
// that behaves. Enters: a folder. Leaves: lines.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '@minikafka/client'
import { type BrokerChild, startBroker } from '../broker-child.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { type Arrival, GoodClient, pause, percentile } from './good-client.ts'

const MEBIBYTE = 1024 ** 2
const SEGMENT_BYTES = 16 * MEBIBYTE
/** Beside nothing else. */
const QUIET_MS = 2_000
const LOOK_MS = 5

/** What is written: sizes of a record and of the log, and how many keys it has. */
const LOGS = [
  { recordBytes: 100, logMiB: 256, keys: 100_000, compression: 'none' },
  { recordBytes: 100, logMiB: 256, keys: 1_000_000, compression: 'none' },
  { recordBytes: 1024, logMiB: 512, keys: 100_000, compression: 'none' },
  { recordBytes: 100, logMiB: 256, keys: 100_000, compression: 'lz4' },
] as const
type LogPlan = (typeof LOGS)[number]

/** As fast as it can, but for the last: the defaults. */
const RATES = [{ 'log.cleaner.io.max.bytes.per.second': '1024GiB' }, {}] as const

export async function compaction(folder: string): Promise<void> {
  for (const plan of LOGS) await measure(folder, plan, RATES[0])
  await measure(folder, LOGS[0], RATES[1])
}

async function measure(
  folder: string,
  plan: LogPlan,
  rate: Readonly<Record<string, string>>,
): Promise<void> {
  using own = temporaryFolder(folder, 'compaction-')
  const settings = { 'log.cleaner.backoff.ms': '100', ...rate }
  await using broker = await startBroker(folder, { data: own.path, settings })
  const brokers = `127.0.0.1:${broker.port}`
  await using client = new Client({ brokers, clientId: 'bench' })
  // Nothing is dirty enough while it is written.
  const config = {
    'cleanup.policy': 'compact',
    'segment.bytes': SEGMENT_BYTES,
    'min.cleanable.dirty.ratio': 1,
  }
  await client.admin().createTopic('log', { partitions: 1, config })
  await client.admin().createTopic('good', { partitions: 1 })
  const written = await fill(client, plan)
  await using good = await GoodClient.start(client, brokers, 'good')
  good.take()
  await pause(QUIET_MS)
  const quiet = good.take()
  const directory = join(own.path, 'log-0')
  const before = logBytes(directory)
  const pass = await onePass(client, broker, directory)
  const busy = good.take()
  const MiB = before / MEBIBYTE
  const kind = plan.compression === 'none' ? '' : `, ${plan.compression}`
  console.log(
    `${plan.recordBytes} B, ${plan.keys.toLocaleString('en')} keys${kind}, ${'log.cleaner.io.max.bytes.per.second' in rate ? 'unbounded' : 'default rate'}: ` +
      `${MiB.toFixed(0)} MiB of log in ${(pass.ms / 1000).toFixed(1)} s, ${(MiB / (pass.ms / 1000)).toFixed(0)} MiB/s, ${Math.round(written / (pass.ms / 1000)).toLocaleString('en')} records/s, ` +
      `${(logBytes(directory) / MEBIBYTE).toFixed(0)} MiB are left; processor ${((100 * pass.cpuMs) / pass.ms).toFixed(0)} %; ` +
      `RSS ${pass.rssBefore.toFixed(0)} MiB before, at most ${pass.rssPeak.toFixed(0)}; ` +
      `a client with 1,000 records/s p50 ${p(quiet, 0.5)} ms, p99 ${p(quiet, 0.99)} before, p50 ${p(busy, 0.5)}, p99 ${p(busy, 0.99)} meanwhile`,
  )
}

/** Returns the number of records. */
async function fill(
  client: Client,
  { recordBytes, logMiB, keys, compression }: LogPlan,
): Promise<number> {
  await using producer = client.producer({ compression })
  const value = Buffer.alloc(recordBytes, 'x')
  const count = Math.floor((logMiB * MEBIBYTE) / recordBytes)
  let state = 1
  for (let index = 0; index < count; index++) {
    // A row of numbers that repeats after 2^31 only: each run has the same keys.
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    const key = `key-${state % keys}`
    // Not one text for all: what repeats within a batch alone would compress to nothing.
    value.writeInt32LE(state, 0)
    if (!producer.push('log', { key, value: Buffer.from(value) })) await producer.drained()
  }
  await producer.flush()
  return count
}

async function onePass(client: Client, broker: BrokerChild, directory: string) {
  const rssBefore = broker.rssMiB()
  broker.forgetRssPeak()
  const cpuBefore = broker.cpuMs()
  const began = performance.now()
  await client.admin().alterTopic('log', { set: { 'min.cleanable.dirty.ratio': 0 } })
  assert(segments(directory).length > 1, 'the log has a segment that is closed')
  while (!isCompacted(directory)) await pause(LOOK_MS)
  const ms = performance.now() - began
  return { ms, rssBefore, rssPeak: broker.rssPeakMiB(), cpuMs: broker.cpuMs() - cpuBefore }
}

/** Up to the active segment. */
function isCompacted(directory: string): boolean {
  const note = join(directory, 'compacted')
  if (!existsSync(note)) return false
  const { firstDirtyOffset } = JSON.parse(
    readFileSync(note, 'utf8').replace(/crc32c .*\n$/, ''),
  ) as { firstDirtyOffset: number }
  const active = segments(directory).at(-1) ?? ''
  return firstDirtyOffset >= Number(active.slice(0, -'.log'.length))
}

function segments(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => /^\d{20}\.log$/.test(name))
    .sort()
}

/** Without what goes after the delay. */
function logBytes(directory: string): number {
  return segments(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
}

function p(arrivals: readonly Arrival[], share: number): string {
  return percentile(arrivals, share).toFixed(1)
}
