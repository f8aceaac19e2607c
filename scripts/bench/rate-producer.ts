// A producer that sends at a fixed rate, in a process of its own: `rate-producer.ts BROKERS TOPIC RATE MS`.
// Each record carries the moment it was due. Every millisecond, what is due by then is sent.
import { Client } from '@minikafka/client'
import { nowMs } from './latency.ts'

const [brokers = '', topic = '', rateText = '', msText = ''] = process.argv.slice(2)
const rate = Number(rateText)
const warmUpMs = 1_000
const total = Math.floor((rate * (Number(msText) + warmUpMs)) / 1000)

await using client = new Client({ brokers, clientId: 'bench-rate' })
await using producer = client.producer()
const beganMs = nowMs() + 50
let sent = 0
await new Promise<void>((resolve) => {
  const timer = setInterval(() => {
    const due = Math.min(total, Math.floor(((nowMs() - beganMs) * rate) / 1000))
    for (; sent < due; sent++) {
      const value = Buffer.allocUnsafe(100)
      value.writeDoubleLE(beganMs + (sent * 1000) / rate, 0)
      producer.push(topic, { value })
    }
    if (sent < total) return
    clearInterval(timer)
    resolve()
  }, 1)
})
await producer.flush()
