// What partitions cost: start-up, memory and file handles with 2,000 of them; producing to 1, 10 and 100 at once.
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '@minikafka/client'
import { type BrokerChild, startBroker } from '../broker-child.ts'
import { produceFor } from './load.ts'
import { printTable, type Row } from './table.ts'

const MANY = 2_000

export async function manyPartitions(folder: string): Promise<void> {
  await idlePartitions(folder)
  await partitionsAtOnce(folder)
}

async function idlePartitions(folder: string): Promise<void> {
  const data = mkdtempSync(join(folder, 'many-'))
  const before = await createMany(folder, data)
  await using again = await startBroker(folder, { data })
  const after = measure(`${MANY} after a restart`, again)
  const each = ((after - before) * 1024) / MANY
  console.log(`an idle partition costs ${each.toFixed(1)} KiB`)
  await oneRecordEach(again)
  measure(`${MANY} with a record each`, again)
}

/** Resolves with what the broker took before, in MiB. */
async function createMany(folder: string, data: string): Promise<number> {
  await using broker = await startBroker(folder, { data })
  const before = measure('no partitions', broker)
  await using client = clientOf(broker)
  const began = performance.now()
  await client.admin().createTopic('many', { partitions: MANY, config: {} })
  console.log(`created ${MANY} partitions in ${((performance.now() - began) / 1000).toFixed(2)} s`)
  measure(`${MANY} created`, broker)
  return before
}

async function oneRecordEach(broker: BrokerChild): Promise<void> {
  await using client = clientOf(broker)
  await using producer = client.producer()
  await Promise.all(
    Array.from({ length: MANY }, (_, partition) =>
      producer.send('many', { value: 'x', partition }),
    ),
  )
}

function measure(what: string, broker: BrokerChild): number {
  const rss = broker.rssMiB()
  console.log(
    `${what.padEnd(24)}ready in ${broker.readyMs.toFixed(0)} ms, ${rss.toFixed(1)} MiB, ${broker.fileHandles()} file handles`,
  )
  return rss
}

async function partitionsAtOnce(folder: string): Promise<void> {
  const rows: Row[] = []
  {
    await using broker = await startBroker(folder)
    await using client = clientOf(broker)
    for (const partitions of [1, 10, 100]) rows.push(await spreadRow(client, partitions))
  }
  console.log()
  printTable(rows)
}

async function spreadRow(client: Client, partitions: number): Promise<Row> {
  const topic = `spread-${partitions}`
  await client.admin().createTopic(topic, { partitions })
  const { records, bytes, seconds } = await produceFor(client, topic, 'push', 100, 3_000)
  return {
    what: `produce 100 B, push, ${partitions} partitions`,
    recordsPerSecond: records / seconds,
    mebibytesPerSecond: bytes / seconds / 1024 ** 2,
  }
}

function clientOf({ port }: BrokerChild): Client {
  return new Client({ brokers: `127.0.0.1:${port}`, clientId: 'bench' })
}
