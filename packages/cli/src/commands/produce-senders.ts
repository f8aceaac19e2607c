// Two ways to send: pushed, as fast as it goes; or with a receipt per record (-v), printed in order.
// Enters: records. Leaves: how many were sent and acknowledged, and the first thing that went wrong.
import type { Producer, RecordMetadata } from '@minikafka/client'
import type { ReadRecord } from '../grammar/record-reader.ts'
import type { Session } from '../session.ts'

export type Sender = {
  /** A promise where the next record has to wait. Throws what is wrong with this record. */
  put(record: ReadRecord): undefined | Promise<void>
  /** Resolves when all are acknowledged, or failed. */
  finish(): Promise<void>
  readonly sent: number
  readonly acknowledged: () => number
  /** Aborts with the first failure of a record that was sent. */
  readonly failed: AbortSignal
}

export function openSender(session: Session, producer: Producer, topic: string): Sender {
  return session.verbose > 0
    ? new ReceiptSender(session, producer, topic)
    : new PushSender(session, producer, topic)
}

class PushSender implements Sender {
  readonly #session: Session
  readonly #producer: Producer
  readonly #topic: string
  readonly #failing = new AbortController()
  #failedCount = 0
  #finished = false
  sent = 0

  constructor(session: Session, producer: Producer, topic: string) {
    this.#session = session
    this.#producer = producer
    this.#topic = topic
    producer.on('failed', ({ error, records }) => {
      this.#failedCount += records
      this.#failing.abort(error)
    })
  }

  get failed(): AbortSignal {
    return this.#failing.signal
  }

  put(record: ReadRecord): undefined | Promise<void> {
    const hasRoom = this.#producer.push(this.#topic, record)
    this.sent++
    return hasRoom ? undefined : this.#producer.drained()
  }

  async finish(): Promise<void> {
    // What failed was told by the event.
    await this.#producer.flush().catch((error: unknown) => this.#failing.abort(error))
    this.#finished = true
  }

  readonly acknowledged = () =>
    this.#finished
      ? this.sent - this.#failedCount
      : (this.#session.client.stats().producers[0]?.acked ?? 0)
}

/** Receipts that may be outstanding: enough to share batches, few enough to be seen soon. */
const WAITING_MAX = 1_000

class ReceiptSender implements Sender {
  readonly #session: Session
  readonly #producer: Producer
  readonly #topic: string
  readonly #failing = new AbortController()
  readonly #waiting = new Set<Promise<void>>()
  /** Ends when all receipts so far are printed. */
  #printed: Promise<void> = Promise.resolve()
  #acknowledged = 0
  sent = 0

  constructor(session: Session, producer: Producer, topic: string) {
    this.#session = session
    this.#producer = producer
    this.#topic = topic
  }

  get failed(): AbortSignal {
    return this.#failing.signal
  }

  put(record: ReadRecord): undefined | Promise<void> {
    const sending = this.#producer.send(this.#topic, record)
    this.sent++
    const printed = this.#printAfter(this.#printed, sending).catch((error: unknown) =>
      this.#failing.abort(error),
    )
    this.#printed = printed
    this.#waiting.add(printed)
    void printed.then(() => this.#waiting.delete(printed))
    return this.#waiting.size < WAITING_MAX ? undefined : this.#oldest()
  }

  async #oldest(): Promise<void> {
    const [oldest] = this.#waiting
    await oldest
  }

  async #printAfter(before: Promise<void>, sending: Promise<RecordMetadata>): Promise<void> {
    // It may fail while others are still printed: theirs come first all the same, and are waited for.
    sending.catch(() => undefined)
    await before
    const receipt = await sending
    this.#acknowledged++
    await this.#session.print(receiptText(this.#session, receipt))
  }

  finish(): Promise<void> {
    return this.#printed
  }

  readonly acknowledged = () => this.#acknowledged
}

function receiptText({ wantsJson }: Session, receipt: RecordMetadata): string {
  const { topic, partition, offset, timestamp } = receipt
  return wantsJson
    ? `${JSON.stringify({ topic, partition, offset: offset ?? null, timestamp })}\n`
    : `${topic}[${partition}]@${offset ?? '?'}\n`
}
