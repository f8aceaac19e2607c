// What partitions cost: start-up, memory and file handles with 2,000 of them; producing to 1, 10 and 100 at once.
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '@minikafka/client'
import { produceFor } from './load.ts'
import { type Running, startBroker } from './process.ts'
import { printTable, type Row } from './table.ts'

const MANY = 2_000

export async function manyPartitions(folder: string): Promise<void> {
  await idlePartitions(folder)
  await partitionsAtOnce(folder)
}

async function idlePartitions(folder: string): Promise<void> {
  const data = mkdtempSync(join(folder, 'many-'))
  const empty = await startBroker(folder, [], data)
  const before = measure('no partitions', empty)
  const began = performance.now()
  await withClient(empty, (client) =>
    client.admin().createTopic('many', { partitions: MANY, config: {} }),
  )
  console.log(`created ${MANY} partitions in ${((performance.now() - began) / 1000).toFixed(2)} s`)
  measure(`${MANY} created`, empty)
  await empty.stop()
  const again = await startBroker(folder, [], data)
  const after = measure(`${MANY} after a restart`, again)
  const each = ((after - before) * 1024) / MANY
  console.log(`an idle partition costs ${each.toFixed(1)} KiB`)
  await withClient(again, async (client) => {
    await using producer = client.producer()
    await Promise.all(
      Array.from({ length: MANY }, (_, partition) =>
        producer.send('many', { value: 'x', partition }),
      ),
    )
  })
  measure(`${MANY} with a record each`, again)
  await again.stop()
}

function measure(what: string, broker: Running): number {
  const rss = broker.rssMiB()
  console.log(
    `${what.padEnd(24)}ready in ${broker.readyMs.toFixed(0)} ms, ${rss.toFixed(1)} MiB, ${broker.fileHandles()} file handles`,
  )
  return rss
}

async function partitionsAtOnce(folder: string): Promise<void> {
  const broker = await startBroker(folder)
  const rows: Row[] = []
  await withClient(broker, async (client) => {
    for (const partitions of [1, 10, 100]) {
      const topic = `spread-${partitions}`
      await client.admin().createTopic(topic, { partitions })
      const { records, bytes, seconds } = await produceFor(client, topic, 'push', 100, 3_000)
      rows.push({
        what: `produce 100 B, push, ${partitions} partitions`,
        recordsPerSecond: records / seconds,
        mebibytesPerSecond: bytes / seconds / 1024 ** 2,
      })
    }
  })
  await broker.stop()
  console.log()
  printTable(rows)
}

async function withClient(
  broker: Running,
  body: (client: Client) => Promise<unknown>,
): Promise<void> {
  const client = new Client({ brokers: `127.0.0.1:${broker.port}`, clientId: 'bench' })
  await body(client)
  await client.close()
}
