// How long a broker takes until its groups answer again, where __consumer_offsets holds a million records. They are
// written by OffsetCommits, and the broker is killed: its start checks the log, too.
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '@minikafka/client'
import { type BrokerChild, startBroker } from '../../broker-child.ts'
import { median } from '../table.ts'
import { RawCommits } from './raw-commits.ts'

const GROUPS = 100
const PARTITIONS = 1_000
/** Each group commits each of its partitions so often: 1,000,000 records. */
const COMMITS = 10
const IN_FLIGHT = 8
const ROUNDS = 3

export async function reload(folder: string): Promise<void> {
  const data = mkdtempSync(join(folder, 'reload-'))
  await fill(folder, data)
  const times: number[] = []
  const ready: number[] = []
  const cpu: number[] = []
  let peakMiB = 0
  for (let round = 0; round < ROUNDS; round++) {
    const beganMs = performance.now()
    await using broker = await startBroker(folder, { data })
    await everyGroupAnswers(broker)
    times.push(performance.now() - beganMs)
    ready.push(broker.readyMs)
    cpu.push(broker.cpuMs())
    peakMiB = Math.max(peakMiB, broker.rssPeakMiB())
    broker.signal('SIGKILL')
    await broker.exited
  }
  const seconds = (values: readonly number[]) => (median(values) / 1000).toFixed(2)
  console.log(
    `reload     ${(GROUPS * PARTITIONS * COMMITS).toLocaleString('en')} offset records of ${GROUPS} groups, after a kill: ` +
      `every group answers ${seconds(times)} s after the process started (aim ≤ 5), which is ready after ${seconds(ready)} s; ` +
      `${seconds(cpu)} s of CPU; ` +
      `slowest ${(Math.max(...times) / 1000).toFixed(2)} s; RSS at most ${peakMiB.toFixed(0)} MiB`,
  )
  rmSync(data, { recursive: true })
}

async function fill(folder: string, data: string): Promise<void> {
  await using broker = await startBroker(folder, { data })
  await using client = new Client({ brokers: `127.0.0.1:${broker.port}`, clientId: 'bench' })
  await client.admin().createTopic('committed', { partitions: PARTITIONS })
  using commits = new RawCommits(broker.port)
  const topicId = await commits.topicId('committed')
  let next = 0
  const worker = async () => {
    while (next < GROUPS * COMMITS) {
      const offset = next++
      await commits.commit(nameOf(offset % GROUPS), topicId, PARTITIONS, offset)
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  broker.signal('SIGKILL')
  await broker.exited
}

async function everyGroupAnswers(broker: BrokerChild): Promise<void> {
  using commits = new RawCommits(broker.port)
  for (let group = 0; group < GROUPS; group++) {
    const count = await commits.countOf(nameOf(group))
    if (count !== PARTITIONS) throw new Error(`${nameOf(group)} came back with ${count} positions`)
  }
}

function nameOf(group: number): string {
  return `group-${group}`
}
