// Producers that go on sending through every death of the broker, and write down what they were told.
// Enters: a rate. Leaves: an operation for each record: acknowledged, definitely not written, or unknown.
import { Client, isMinikafkaError, type Producer } from '@minikafka/client'
import type { Journal } from './journal.ts'

export type WritersOptions = {
  readonly brokers: string
  readonly topic: string
  readonly partitions: number
  /** Records a second, of all together. */
  readonly rate: number
}

const WRITERS = 4
/** This one gives up soon: what it sends ends unknown again and again. */
const IMPATIENT_MS = 400
const TICK_MS = 10
/** Records of one writer without an answer; it waits then. */
const UNANSWERED_MAX = 20_000

export class Writers {
  readonly outcomes = { acknowledged: 0, notWritten: 0, unknown: 0 }
  readonly #options: WritersOptions
  readonly #journal: Journal
  #stopped = false
  readonly #running: Promise<void>

  constructor(options: WritersOptions, journal: Journal) {
    this.#options = options
    this.#journal = journal
    const each = Array.from({ length: WRITERS }, (_, index) => this.#write(index))
    this.#running = Promise.all(each).then(() => undefined)
    // A writer that fails is heard of when the writers are stopped.
    this.#running.catch(() => undefined)
  }

  /** Resolves when every record has its answer. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #write(writer: number): Promise<void> {
    const { brokers, partitions, rate } = this.#options
    await using client = new Client({ brokers, clientId: `writer-${writer}`, logger: false })
    const impatient = writer === 0
    await using producer = client.producer({
      lingerMs: writer === 1 ? 0 : 5,
      compression: writer === 2 ? 'lz4' : 'none',
      ...(impatient ? { deliveryTimeoutMs: IMPATIENT_MS } : {}),
    })
    const unanswered = new Set<Promise<void>>()
    const beganMs = performance.now()
    for (let sent = 0; !this.#stopped; ) {
      const due = ((performance.now() - beganMs) * rate) / WRITERS / 1000
      for (; sent < due && unanswered.size < UNANSWERED_MAX; sent++) {
        const value = `${writer}.${sent}`
        const partition = sent % partitions
        const answer = this.#send(producer, writer, { partition, value })
        unanswered.add(answer)
        void answer.then(() => unanswered.delete(answer))
      }
      await new Promise((resolve) => setTimeout(resolve, TICK_MS))
    }
    await Promise.all(unanswered)
  }

  async #send(
    producer: Producer,
    writer: number,
    record: { partition: number; value: string },
  ): Promise<void> {
    const { topic } = this.#options
    const { partition, value } = record
    const sent = this.#journal.sends({
      process: writer,
      partition: `${topic}-${partition}`,
      value,
    })
    try {
      const { offset } = await producer.send(topic, record)
      this.outcomes.acknowledged++
      sent.acknowledged(offset ?? -1)
    } catch (error) {
      if (!isMinikafkaError(error)) throw error
      const isDefinite = error.outcome === 'not-written'
      this.outcomes[isDefinite ? 'notWritten' : 'unknown']++
      if (isDefinite) sent.notWritten()
      else sent.unknown()
    }
  }
}
