// What a start costs: after a kill every batch is checked, against a plain read of the same files in the same run; after
// a clean stop with 2,000 partitions, against a bare Node server. Enters: a folder. Leaves: lines.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from '@minikafka/client'
import { startBroker } from '../broker-child.ts'
import { startLimitServer } from './limit.ts'
import { median } from './table.ts'

const MEBIBYTE = 1024 ** 2
const MANY = 2_000
const ROUNDS = 3
/** One read of the plain reader, as large as the scan's. */
const READ_BYTES = 2 * MEBIBYTE
/** `synced` is written 100 ms after a sync at the latest: then no scan writes the tail again. */
const SYNCED_MS = 500
/** Scanned for half a second or more: then one pause of the machine is not the whole figure. */
const LOG_BYTES = 1024 * MEBIBYTE
/** What the log holds: the size of a record, and of the batches that the client makes of them. */
const LOGS = [
  { recordBytes: 100, batchBytes: MEBIBYTE },
  { recordBytes: 100, batchBytes: 16 * 1024 },
  { recordBytes: 1024, batchBytes: 2 * 1024 },
]

/** `only`: `scan` or `restart`. */
export async function recovery(folder: string, only: string): Promise<void> {
  if ('scan'.includes(only)) for (const log of LOGS) await scan(folder, log)
  if ('restart'.includes(only)) await cleanRestart(folder)
}

// --- after a kill ------------------------------------------------------------------------------

async function scan(folder: string, log: (typeof LOGS)[number]): Promise<void> {
  const data = mkdtempSync(join(folder, 'recovery-'))
  await fillAndKill(folder, data, log)
  const size = logSize(data) / MEBIBYTE
  const plain = [await readAll(data)]
  const byClock: number[] = []
  const byCpu: number[] = []
  const peaks: number[] = []
  const cleanPeaks: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    // Without it nobody knows how far the log was looked through: all of it is scanned.
    rmSync(join(data, 'recovery-point'))
    const scanning = await start(folder, data, 'stop')
    const clean = await start(folder, data, 'kill')
    byClock.push((size * 1000) / (scanning.readyMs - clean.readyMs))
    byCpu.push((size * 1000) / (scanning.cpuMs - clean.cpuMs))
    peaks.push(scanning.peakMiB)
    cleanPeaks.push(clean.peakMiB)
    plain.push(await readAll(data))
  }
  console.log(
    `scan       ${log.recordBytes}-B records in batches of ${log.batchBytes / 1024} KiB, ${size.toFixed(0)} MiB: ` +
      `${median(byClock).toFixed(0)} MiB/s (${spread(byClock)}; aim ≥ 477), per second of CPU ${median(byCpu).toFixed(0)} (${spread(byCpu)}); ` +
      `a plain read ${median(plain).toFixed(0)} MiB/s (${spread(plain)}); ` +
      `RSS at most ${Math.max(...peaks).toFixed(0)} MiB, without a scan ${Math.max(...cleanPeaks).toFixed(0)}`,
  )
  rmSync(data, { recursive: true })
}

async function fillAndKill(
  folder: string,
  data: string,
  { recordBytes, batchBytes }: (typeof LOGS)[number],
): Promise<void> {
  await using broker = await startBroker(folder, { data })
  await using client = new Client({ brokers: `127.0.0.1:${broker.port}`, clientId: 'bench' })
  await client.admin().createTopic('log', { partitions: 1 })
  await using producer = client.producer({ maxBatchBytes: batchBytes })
  const value = Buffer.alloc(recordBytes, 'x')
  for (let left = LOG_BYTES; left > 0; left -= recordBytes)
    if (!producer.push('log', { value })) await producer.drained()
  await producer.flush()
  await new Promise((resolve) => setTimeout(resolve, SYNCED_MS))
  broker.signal('SIGKILL')
  await broker.exited
}

async function start(folder: string, data: string, end: 'kill' | 'stop') {
  await using broker = await startBroker(folder, { data })
  const peakMiB = broker.rssPeakMiB()
  const cpuMs = broker.cpuMs()
  if (end === 'kill') broker.signal('SIGKILL')
  else broker.signal('SIGTERM')
  await broker.exited
  return { readyMs: broker.readyMs, peakMiB, cpuMs }
}

/** MiB/s. The files were just written: both readers find them in the page cache. */
async function readAll(data: string): Promise<number> {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  const began = performance.now()
  let bytes = 0
  for (const path of segments(data)) {
    await using file = await open(path)
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, READ_BYTES)
      if (bytesRead === 0) break
      bytes += bytesRead
    }
  }
  return bytes / MEBIBYTE / ((performance.now() - began) / 1000)
}

function logSize(data: string): number {
  return segments(data).reduce((sum, path) => sum + statSync(path).size, 0)
}

function segments(data: string): string[] {
  const directory = join(data, 'log-0')
  return readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .map((name) => join(directory, name))
}

// --- after a clean stop ------------------------------------------------------------------------

async function cleanRestart(folder: string): Promise<void> {
  const data = mkdtempSync(join(folder, 'restart-'))
  await makeMany(folder, data)
  const times: number[] = []
  const cpuTimes: number[] = []
  const bare: number[] = []
  let peakMiB = 0
  for (let round = 0; round < ROUNDS; round++) {
    const started = await start(folder, data, 'stop')
    times.push(started.readyMs)
    cpuTimes.push(started.cpuMs)
    peakMiB = Math.max(peakMiB, started.peakMiB)
    await using server = await startLimitServer(join(folder, 'limit'))
    bare.push(server.readyMs)
  }
  const after = await start(folder, data, 'kill')
  const killed = await start(folder, data, 'stop')
  console.log(
    `restart    ${MANY} partitions with a record each: ready ${median(times).toFixed(0)} ms after its process started (${spread(times)}; aim ≤ 2000), ${median(cpuTimes).toFixed(0)} ms of CPU, ` +
      `a bare Node server ${median(bare).toFixed(0)} ms; RSS at most ${peakMiB.toFixed(0)} MiB; ` +
      `after a kill ${killed.readyMs.toFixed(0)} ms (before it ${after.readyMs.toFixed(0)})`,
  )
  rmSync(data, { recursive: true })
}

async function makeMany(folder: string, data: string): Promise<void> {
  await using broker = await startBroker(folder, { data })
  await using client = new Client({ brokers: `127.0.0.1:${broker.port}`, clientId: 'bench' })
  await client.admin().createTopic('many', { partitions: MANY })
  await using producer = client.producer()
  const sends = Array.from({ length: MANY }, (_, partition) =>
    producer.send('many', { value: 'x', partition }),
  )
  await Promise.all(sends)
}

function spread(values: readonly number[]): string {
  return `${Math.min(...values).toFixed(0)} … ${Math.max(...values).toFixed(0)}`
}
