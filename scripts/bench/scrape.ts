// One look at /metrics, as Prometheus does it. Enters: a broker. Leaves: its page, and how long it took.
import type { BrokerChild } from '../broker-child.ts'

export type Scraped = { readonly text: string; readonly pageMs: number }

export async function scrape({ httpPort }: BrokerChild): Promise<Scraped> {
  const began = performance.now()
  const page = await fetch(`http://127.0.0.1:${httpPort}/metrics`)
  const text = await page.text()
  if (!page.ok) throw new Error(`/metrics: ${page.status} ${text}`)
  return { text, pageMs: performance.now() - began }
}
