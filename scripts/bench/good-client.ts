// A client that behaves: 1,000 records a second with acks=all from a process of its own, consumed here.
// Leaves: how long each took from when it was due until it was in the consumer's hands.
import { join } from 'node:path'
import type { Client } from '@minikafka/client'
import { Child } from '../child.ts'
import { nowMs } from './latency.ts'

export const GOOD_RATE = 1_000
/** Until then code is compiled and connections are made. */
const WARM_UP_MS = 1_500

export type Arrival = { readonly atMs: number; readonly latencyMs: number }

export class GoodClient implements AsyncDisposable {
  readonly #arrivals: Arrival[] = []
  readonly #child: Child
  readonly #consuming: Promise<void>
  readonly #stop: () => Promise<void>

  /** Warm when resolved. */
  static async start(client: Client, brokers: string, topic: string): Promise<GoodClient> {
    const good = new GoodClient(client, brokers, topic)
    const until = nowMs() + WARM_UP_MS
    while (nowMs() < until || good.#arrivals.length === 0) await pause(50)
    return good
  }

  private constructor(client: Client, brokers: string, topic: string) {
    const program = join(import.meta.dirname, 'rate-producer.ts')
    const forEver = String(24 * 3_600_000)
    const args = [program, brokers, topic, String(GOOD_RATE), forEver]
    this.#child = new Child(['--import', 'tsx', '--conditions=@minikafka/source', ...args])
    const consumer = client.consumer({ topics: [topic], start: 'latest' })
    this.#stop = () => consumer.close()
    this.#consuming = this.#consume(consumer.batches())
  }

  async #consume(
    batches: AsyncIterable<{ readonly records: Iterable<{ readonly value: Buffer | null }> }>,
  ): Promise<void> {
    for await (const { records } of batches) {
      const atMs = nowMs()
      for (const { value } of records) {
        const dueMs = value?.readDoubleLE(0) ?? atMs
        this.#arrivals.push({ atMs, latencyMs: atMs - dueMs })
      }
    }
  }

  /** What arrived since the last call. */
  take(): Arrival[] {
    return this.#arrivals.splice(0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]()
    await this.#stop()
    await this.#consuming
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

export function percentile(arrivals: readonly Arrival[], share: number): number {
  const sorted = arrivals.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
