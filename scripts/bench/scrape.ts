// One look at /metrics, as Prometheus does it: over a connection that is kept. Enters: a broker. Leaves: its page, and how long it took.
import { Agent, get } from 'node:http'
import { text } from 'node:stream/consumers'
import type { BrokerChild } from '../broker-child.ts'

export type Scraped = { readonly text: string; readonly pageMs: number }

/** Lighter than `fetch`: who asks shares this machine, and often its process, with the load. */
const agent = new Agent({ keepAlive: true })

export function scrape({ httpPort }: BrokerChild): Promise<Scraped> {
  const began = performance.now()
  const where = { agent, host: '127.0.0.1', port: httpPort, path: '/metrics' }
  return new Promise((resolve, reject) => {
    const request = get(where, (answer) => {
      const page = text(answer).then((body) => {
        if (answer.statusCode !== 200) throw new Error(`/metrics: ${answer.statusCode} ${body}`)
        return { text: body, pageMs: performance.now() - began }
      })
      resolve(page)
    })
    request.on('error', reject)
  })
}
