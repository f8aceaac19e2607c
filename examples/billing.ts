// Writes an invoice for every order. Enters: `orders`, shared with the other members of the group. Leaves: `invoices`.
// An order counts as done when its invoice is on disk: after a crash an invoice may come twice, never not at all.
import { Client } from '@minikafka/client'
import { atTheEnd, BROKERS, invoices, makeTopics, orders } from './topics.ts'

await using client = new Client({ brokers: BROKERS, clientId: 'billing' })
await makeTopics(client)
const producer = client.producer()

await using member = client.consumer({ group: 'billing', topics: [orders], start: 'earliest' })
atTheEnd(() => member.stop())
console.log('billing')
await member.run(
  async ({ value: { id: orderId, customer, cents } }) => {
    await producer.send(invoices, { key: customer, value: { orderId, customer, cents } })
  },
  // Customers side by side, the orders of one customer in order.
  { concurrency: 16, order: 'key' },
)
