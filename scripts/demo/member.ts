// A member of the demo's group, in a process of its own: `member.ts BROKERS TOPIC GROUP NAME`.
// Says each batch in one line. A line is in the parent's hands when it is written, whatever becomes of this process.
import { Client } from '@minikafka/client'
import { pause } from '../bench/good-client.ts'
import type { Line } from './reading.ts'

/** What a member that does something with its records would take for them. */
const WORK_MS = 30
const RECORDS_MAX = 500

const [brokers = '', topic = '', group = '', name = ''] = process.argv.slice(2)
const client = new Client({ brokers, clientId: name, logger: false })
process.once('SIGTERM', () => void client.close())
const consumer = client.consumer({ group, topics: [topic], start: 'earliest' })
for await (const { partition, records } of consumer.batches({ maxRecords: RECORDS_MAX })) {
  await pause(WORK_MS)
  const line: Line = {
    partition,
    records: records.map(({ offset, key, value }) => [offset, String(key), String(value)]),
  }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
