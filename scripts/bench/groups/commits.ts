// Offset commits a second of one group, each durable when answered, with 1, 20 and 90 of them in flight.
import { Client } from '@minikafka/client'
import { startBroker } from '../../broker-child.ts'
import { median, printColumns } from '../table.ts'
import { RawCommits } from './raw-commits.ts'

const WARM_UP_MS = 500

export async function commitRates(folder: string, ms: number): Promise<void> {
  await using broker = await startBroker(folder)
  await using client = new Client({ brokers: `127.0.0.1:${broker.port}`, clientId: 'bench' })
  await client.admin().createTopic('committed', { partitions: 1 })
  using commits = new RawCommits(broker.port)
  const topicId = await commits.topicId('committed')
  const rows: string[][] = []
  for (const inFlight of [1, 20, 90]) {
    const send = (offset: number) => commits.commit(`group-${inFlight}`, topicId, 1, offset)
    await sending(send, inFlight, WARM_UP_MS)
    const { count, seconds, delays } = await sending(send, inFlight, ms)
    const rate = Math.round(count / seconds).toLocaleString('en')
    rows.push([`${inFlight} in flight`, rate, median(delays).toFixed(2)])
  }
  printColumns(['offset commits', 'commits/s', 'p50 ms'], rows)
}

async function sending(send: (offset: number) => Promise<void>, inFlight: number, ms: number) {
  const beganMs = performance.now()
  const delays: number[] = []
  const worker = async () => {
    for (let nowMs = beganMs; nowMs - beganMs < ms; ) {
      const sentMs = nowMs
      await send(delays.length)
      nowMs = performance.now()
      delays.push(nowMs - sentMs)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  return { count: delays.length, seconds: (performance.now() - beganMs) / 1000, delays }
}
