// Takes orders by HTTP. Enters: POST /orders with {customer, cents}. Leaves: records of the topic `orders`; 201 only when
// the order is on disk.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as bodyOf } from 'node:stream/consumers'
import { Client, isMinikafkaError } from '@minikafka/client'
import { atTheEnd, BROKERS, makeTopics, type Order, orders } from './topics.ts'

await using client = new Client({ brokers: BROKERS, clientId: 'intake' })
await makeTopics(client)
const producer = client.producer()

const server = createServer(async (request, response) => {
  const [status, answer] = await take(request)
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(`${JSON.stringify(answer)}\n`)
})
server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1')
await once(server, 'listening')
console.log(`orders are taken at http://127.0.0.1:${(server.address() as AddressInfo).port}/orders`)
atTheEnd(() => server.close())
await once(server, 'close')

async function take(request: IncomingMessage): Promise<[number, object]> {
  if (request.method !== 'POST' || request.url !== '/orders')
    return [404, { error: 'POST /orders is all there is' }]
  const order = orderOf(await bodyOf(request))
  if (order === undefined)
    return [400, { error: 'an order is {"customer": text, "cents": number}' }]
  try {
    await producer.send(orders, { key: order.customer, value: order })
    return [201, { id: order.id }]
  } catch (error) {
    // `unknown`: it may be written; a customer who asks again might buy twice.
    if (!isMinikafkaError(error)) throw error
    return [503, { error: error.message, outcome: error.outcome }]
  }
}

function orderOf(body: string): Order | undefined {
  try {
    const { customer, cents } = JSON.parse(body) as Partial<Order>
    if (typeof customer !== 'string' || typeof cents !== 'number') return undefined
    return { id: randomUUID(), customer, cents }
  } catch {
    return undefined
  }
}
