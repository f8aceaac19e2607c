// Shows what each customer owes. Enters: `invoices`, all of them, from the start: it keeps no place. Leaves: a line for each.
import { Client } from '@minikafka/client'
import { atTheEnd, BROKERS, invoices, makeTopics } from './topics.ts'

await using client = new Client({ brokers: BROKERS, clientId: 'board' })
await makeTopics(client)
await using consumer = client.consumer({ topics: [invoices], start: 'earliest' })
atTheEnd(() => consumer.stop())

const owed = new Map<string, number>()
const counted = new Set<string>()
for await (const { value } of consumer) {
  // An invoice may come twice: its order says which one it is.
  if (counted.has(value.orderId)) continue
  counted.add(value.orderId)
  const cents = (owed.get(value.customer) ?? 0) + value.cents
  owed.set(value.customer, cents)
  console.log(`${value.customer} owes ${(cents / 100).toFixed(2)}`)
}
