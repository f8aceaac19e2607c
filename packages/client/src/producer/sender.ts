// Sends the batches of all partitions that one broker leads: many in one request, several requests in flight.
// When a batch is sealed (CLIENT 5): it is full; the turn ends and nothing is in flight to this broker; the last
// request in flight to it is answered; it is `lingerMs` old.
import type { Timer } from '@minikafka/platform'
import {
  type Apis,
  type Connection,
  errorName,
  MinikafkaError,
  type ResponseOf,
} from '@minikafka/protocol'
import { knownError } from '../core/index.ts'
import type { Batch } from './batch.ts'
import { traceAttempt, tracesProduce } from './channels.ts'
import type { ProducerContext } from './context.ts'
import type { PartitionQueue } from './partition-queue.ts'

type ProduceAnswer = ResponseOf<Apis['produce']>
type AppendResult = ProduceAnswer['results'][number]
/** One append of a request. */
type Item = { readonly partition: PartitionQueue; readonly batch: Batch }

/** Bound of Produce's list of appends. */
const APPENDS_MAX = 1000
/** Larger requests would only delay their first ack; one batch always goes. */
const REQUEST_BYTES_MAX = 8 * 2 ** 20
/** What the frame holds besides the batches, per batch at most. */
const APPEND_OVERHEAD_BYTES = 64

export class Sender {
  readonly nodeId: number
  readonly #context: ProducerContext
  /** Partitions with an open batch. */
  readonly #open = new Set<PartitionQueue>()
  /** Partitions that may have a batch to send. */
  readonly #ready = new Set<PartitionQueue>()
  #connection: Connection | undefined
  #connecting = false
  #requests = 0
  #linger: Timer | undefined

  constructor(context: ProducerContext, nodeId: number) {
    this.#context = context
    this.nodeId = nodeId
  }

  // --- what partitions tell ------------------------------------------------------------------

  opened(partition: PartitionQueue): void {
    this.#open.add(partition)
    this.#context.touched.add(this)
    this.#context.turn.begin()
  }

  closed(partition: PartitionQueue): void {
    this.#open.delete(partition)
    this.#ready.add(partition)
  }

  emptied(partition: PartitionQueue): void {
    this.#open.delete(partition)
  }

  leave(partition: PartitionQueue): void {
    this.#open.delete(partition)
    this.#ready.delete(partition)
  }

  /** Something of it may be sent now. */
  consider(partition: PartitionQueue): void {
    this.#ready.add(partition)
  }

  // --- when ----------------------------------------------------------------------------------

  endOfTurn(): void {
    if (this.#requests === 0 || this.#context.settings.lingerMs === 0) this.wake()
    else this.#armLinger()
  }

  /** Seals what is open if nothing is in flight, else what has lingered, and sends. */
  wake(): void {
    if (this.#open.size === 0 && this.#ready.size === 0) return
    if (!this.#usable()) return
    this.#closeOlderThan(this.#requests === 0 ? 0 : this.#context.settings.lingerMs)
    this.pump()
  }

  #closeOlderThan(lingerMs: number): void {
    const nowMs = this.#context.core.env.clock.monotonicMs()
    for (const partition of this.#open) {
      const sinceMs = partition.openSinceMs ?? nowMs
      if (sinceMs + lingerMs <= nowMs && partition.hasRoom(nowMs)) partition.closeOpen()
    }
  }

  #armLinger(): void {
    if (this.#linger !== undefined || this.#open.size === 0) return
    const { core, settings } = this.#context
    this.#linger = core.env.clock.timer(settings.lingerMs, () => {
      this.#linger = undefined
      this.wake()
      if (this.#requests > 0) this.#armLinger()
    })
  }

  stop(): void {
    this.#linger?.cancel()
    this.#linger = undefined
  }

  // --- sending -------------------------------------------------------------------------------

  /** Sends all that may be sent now. */
  pump(): void {
    if (this.#ready.size === 0 || !this.#usable()) return
    const connection = this.#connection as Connection
    while (this.#requests < connection.hello.requestsInFlightMax) {
      const items = this.#gather(connection)
      if (items.length === 0) break
      if (this.#context.settings.acks === 0) this.#post(connection, items)
      else this.#send(connection, items)
    }
  }

  #usable(): boolean {
    if (!this.#context.ready()) return false
    if (this.#connection?.open) return true
    void this.#connect()
    return false
  }

  async #connect(): Promise<void> {
    if (this.#connecting) return
    this.#connecting = true
    const { core } = this.#context
    try {
      this.#connection = await core.connect(this.nodeId, 'produce')
    } catch (error) {
      this.#connecting = false
      if (core.closed || this.#context.signal.aborted) return
      this.#block(knownError(error, 'connecting'))
      return
    }
    this.#connecting = false
    this.wake()
  }

  #block(error: MinikafkaError): void {
    const waiting = new Set([...this.#ready, ...this.#open])
    this.#ready.clear()
    for (const partition of waiting) partition.blocked(error)
  }

  /** At most one batch per partition, in turn, within the limits of a request. */
  #gather(connection: Connection): Item[] {
    const nowMs = this.#context.core.env.clock.monotonicMs()
    const frameBytesMax = connection.hello.frameBytesMax - 1024
    const bytesMax = Math.min(frameBytesMax, REQUEST_BYTES_MAX)
    const items: Item[] = []
    let bytes = 0
    for (const partition of this.#ready) {
      const batch = partition.next(nowMs)
      if (batch === undefined) {
        this.#ready.delete(partition)
        continue
      }
      const size = batch.sizeBytes + APPEND_OVERHEAD_BYTES
      if (items.length > 0 && bytes + size > bytesMax) break
      if (!partition.take(batch)) {
        // What comes behind it is looked at once this request is on its way.
        queueMicrotask(() => this.wake())
        continue
      }
      items.push({ partition, batch })
      bytes += size
      if (items.length === APPENDS_MAX) break
      if (this.#context.core.env.random.buggify('producer-lone-append', 0.2)) break
    }
    return items
  }

  #send(connection: Connection, items: readonly Item[]): void {
    const { core } = this.#context
    const { requestTimeoutMs } = core.settings
    this.#requests++
    lend(items)
    traceAttempt(items, this.nodeId)
    const options = { timeoutMs: requestTimeoutMs, written: () => this.#written(items) }
    core.ask(connection, 'produce', this.#request(items), options).then(
      (answer) => this.#answered(items, answer),
      (error: unknown) => this.#failed(items, error),
    )
  }

  /** acks 0: sent is all that can be known. */
  #post(connection: Connection, items: readonly Item[]): void {
    this.#requests++
    lend(items)
    traceAttempt(items, this.nodeId)
    try {
      connection.post('produce', this.#request(items), (error) => this.#posted(items, error))
    } catch (error) {
      // In a microtask, as answers come: whoever sends is in the middle of its work.
      queueMicrotask(() => {
        this.#written(items)
        this.#failed(items, error)
      })
    }
  }

  /** With an error: the broker may have the frame all the same, for the kernel had a part of it, or all. */
  #posted(items: readonly Item[], cause: Error | undefined): void {
    this.#written(items)
    if (cause !== undefined) {
      const error = new MinikafkaError('NETWORK_EXCEPTION', { outcome: 'unknown' }, { cause })
      this.#failed(items, error)
      return
    }
    for (const { partition, batch } of items) partition.acknowledged(batch, undefined, -1)
    this.#requestDone(items)
  }

  #request(items: readonly Item[]) {
    const { core, settings } = this.#context
    const appends = items.map(({ partition: { topicId, partition }, batch }) => ({
      topicId,
      partition,
      batch: batch.bytes,
    }))
    // The broker gives up first, so that its answer, which knows more than a time-out, still arrives.
    const timeoutMs = Math.ceil(core.settings.requestTimeoutMs * 0.8)
    return { acks: settings.acks, timeoutMs, appends, trace: tracesProduce() }
  }

  #written(items: readonly Item[]): void {
    for (const { partition, batch } of items) {
      batch.returned()
      partition.returned(batch)
    }
  }

  // --- answers -------------------------------------------------------------------------------

  #answered(items: readonly Item[], answer: ProduceAnswer): void {
    const { results, timings } = answer
    if (results.length !== items.length) {
      const message = `a Produce request of ${items.length} appends got ${results.length} results`
      this.#failed(items, new MinikafkaError('PROTOCOL_VIOLATION', { message, outcome: 'unknown' }))
      return
    }
    items.forEach((item, index) => {
      if (item.batch.trace) item.batch.trace.broker = timings[index]
      this.#judge(item, results[index] as AppendResult)
    })
    this.#requestDone(items)
  }

  #judge({ partition, batch }: Item, result: AppendResult): void {
    const { errorCode, errorMessage, written, baseOffset, logAppendTimeMs } = result
    if (errorCode === 0) {
      partition.acknowledged(batch, baseOffset, logAppendTimeMs)
      return
    }
    const name = errorName(errorCode)
    const { metadata } = this.#context.core
    const atOnce =
      name === 'NOT_LEADER_OR_FOLLOWER' &&
      metadata.leaderHint(
        partition.topicId,
        partition.partition,
        result.leaderId,
        result.leaderEpoch,
      )
    const error = new MinikafkaError(name, { message: errorMessage ?? undefined })
    partition.attemptFailed(batch, error, { written: written !== 0, atOnce })
  }

  /** No answer, or none for each batch: all share its fate. */
  #failed(items: readonly Item[], cause: unknown): void {
    const error = knownError(cause, 'a Produce request', 'unknown')
    const written = error.outcome !== 'not-written'
    for (const { partition, batch } of items) {
      partition.attemptFailed(batch, error, { written, atOnce: false })
    }
    this.#requestDone(items)
  }

  #requestDone(items: readonly Item[]): void {
    this.#requests--
    for (const { partition } of items) partition.sender?.consider(partition)
    this.wake()
    for (const { partition } of items) if (partition.sender !== this) partition.sender?.wake()
  }
}

function lend(items: readonly Item[]): void {
  for (const { batch } of items) batch.lend()
}
