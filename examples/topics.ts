// What the services of the shop have in common: their topics, where the broker is, how they end.
import { type Client, json, text, topic } from '@minikafka/client'

export type Order = { readonly id: string; readonly customer: string; readonly cents: number }
export type Invoice = {
  readonly orderId: string
  readonly customer: string
  readonly cents: number
}

/** By customer: the orders of one stay in order. */
export const orders = topic('orders', { key: text(), value: json<Order>() })
export const invoices = topic('invoices', { key: text(), value: json<Invoice>() })

export const BROKERS = process.env.BROKERS ?? '127.0.0.1:9092'

/** Whoever comes first makes them. */
export async function makeTopics(client: Client): Promise<void> {
  const admin = client.admin()
  for (const { name } of [orders, invoices])
    await admin.createTopic(name, { partitions: 6, ifNotExists: true })
}

/** Once, at SIGTERM or Ctrl-C. */
export function atTheEnd(stop: () => void): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
}
