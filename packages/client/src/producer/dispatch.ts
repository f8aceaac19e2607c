// Composition of one producer: the only file that sees all its rooms, and the one that says when they work.
import { setMaxListeners } from 'node:events'
import { isMinikafkaError, MinikafkaError } from '@minikafka/protocol'
import { Alarm, type Core } from '../core/index.ts'
import { Account } from './account.ts'
import { BufferPool } from './buffer-pool.ts'
import { Cohort } from './cohort.ts'
import type { Counts, FailedPush, ProducerContext } from './context.ts'
import { Identity } from './identity.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { KeyPartitions } from './partitioner.ts'
import { Sender } from './sender.ts'
import type { ProducerSettings } from './settings.ts'
import { TopicQueue } from './topic-queue.ts'
import { Turn } from './turn.ts'

export class Dispatch implements ProducerContext {
  readonly core: Core
  readonly settings: ProducerSettings
  readonly pool: BufferPool
  readonly account: Account
  readonly turn: Turn
  readonly alarm: Alarm
  readonly keys = new KeyPartitions()
  readonly identity: Identity
  readonly counts: Counts = { acked: 0, failed: 0, retries: 0, inFlightBatches: 0 }
  readonly busy = new Set<PartitionQueue>()
  readonly touched = new Set<Sender>()
  readonly #topics = new Map<string, TopicQueue>()
  readonly #senders = new Map<number, Sender>()
  readonly #stopped = new AbortController()
  readonly #failed: (failed: FailedPush) => void
  readonly #unsubscribe: () => void
  #cohort = new Cohort()
  #codec: 'unknown' | 'loading' | 'loaded'

  constructor(core: Core, settings: ProducerSettings, failed: (failed: FailedPush) => void) {
    const { clock } = core.env
    this.core = core
    this.settings = settings
    this.#failed = failed
    this.pool = new BufferPool(settings.maxBatchBytes, settings.maxBufferedBytes)
    this.account = new Account(settings)
    // One listener for each topic that is waited for.
    setMaxListeners(0, this.#stopped.signal)
    this.turn = new Turn(clock, () => this.#endTurn())
    this.alarm = new Alarm(clock, () => this.#ring())
    this.identity = new Identity(core, this.#stopped.signal, {
      changed: () => this.#wakeAll(),
      refused: (error) => {
        for (const partition of [...this.busy]) partition.identityRefused(error)
      },
    })
    this.#codec = settings.compression === 'none' ? 'loaded' : 'unknown'
    this.#unsubscribe = core.metadata.onChange((name, info) =>
      this.#topics.get(name)?.changed(info),
    )
  }

  get signal(): AbortSignal {
    return this.#stopped.signal
  }

  cohort(): Cohort {
    return this.#cohort
  }

  topic(name: string): TopicQueue {
    const known = this.#topics.get(name)
    if (known !== undefined) return known
    const made = new TopicQueue(this, name, () => this.#topics.delete(name))
    this.#topics.set(name, made)
    return made
  }

  sender(nodeId: number): Sender {
    const known = this.#senders.get(nodeId)
    if (known !== undefined) return known
    const made = new Sender(this, nodeId)
    this.#senders.set(nodeId, made)
    return made
  }

  ready(): boolean {
    if (this.#codec !== 'loaded') {
      this.#loadCodec()
      return false
    }
    return !this.settings.idempotent || this.identity.now() !== undefined
  }

  pushFailed(failed: FailedPush, cohorts: readonly Cohort[]): void {
    for (const cohort of cohorts) cohort.failure ??= failed.error
    this.#failed(failed)
  }

  /** What was begun so far, as one cohort; its open batches wait for no more records. */
  closeCohort(): Cohort {
    for (const partition of [...this.busy]) partition.closeOpen()
    const cohort = this.#cohort
    this.#cohort = new Cohort(cohort)
    cohort.close()
    for (const sender of this.#senders.values()) sender.pump()
    return cohort
  }

  /** Fails all that is left. Nothing is sent afterwards. */
  stop(error: MinikafkaError): void {
    this.#stopped.abort(error)
    this.#unsubscribe()
    this.alarm.cancel()
    for (const sender of this.#senders.values()) sender.stop()
    for (const waiting of this.account.line()) {
      if (this.account.leave(waiting)) waiting.giveUp(error)
    }
    for (const topic of [...this.#topics.values()]) topic.failWaiting(error)
    this.#failBusy(error)
    this.alarm.cancel()
  }

  // --- when ----------------------------------------------------------------------------------

  #endTurn(): void {
    for (const sender of this.touched) sender.endOfTurn()
    this.touched.clear()
  }

  /** A deadline or the end of a delay: all of them are looked at. */
  #ring(): void {
    const nowMs = this.core.env.clock.monotonicMs()
    let nextMs = this.#expireLine(nowMs)
    for (const partition of [...this.busy]) {
      nextMs = Math.min(nextMs, partition.expire(nowMs) ?? nextMs, partition.retry(nowMs) ?? nextMs)
    }
    for (const topic of [...this.#topics.values()])
      nextMs = Math.min(nextMs, topic.expire(nowMs) ?? nextMs)
    for (const sender of this.#senders.values()) sender.wake()
    if (nextMs < Number.POSITIVE_INFINITY) this.alarm.at(nextMs)
  }

  #expireLine(nowMs: number): number {
    const { deliveryTimeoutMs } = this.settings
    let nextMs = Number.POSITIVE_INFINITY
    for (const waiting of this.account.line()) {
      const dueMs = waiting.sentMs + deliveryTimeoutMs
      if (dueMs > nowMs) nextMs = Math.min(nextMs, dueMs)
      else if (this.account.leave(waiting)) {
        const message = `the buffer had no room within ${deliveryTimeoutMs} ms`
        const fields = { message, outcome: 'not-written' } as const
        waiting.giveUp(new MinikafkaError('DELIVERY_TIMED_OUT', fields))
      }
    }
    return nextMs
  }

  #wakeAll(): void {
    for (const partition of this.busy) partition.sender?.consider(partition)
    for (const sender of this.#senders.values()) sender.wake()
  }

  #failBusy(error: MinikafkaError): void {
    for (const partition of [...this.busy]) partition.failAll(error)
  }

  /** Some codecs are loaded on first use. */
  #loadCodec(): void {
    if (this.#codec === 'loading') return
    this.#codec = 'loading'
    this.core.env.compress.prepare(this.settings.compression).then(
      () => {
        this.#codec = 'loaded'
        this.#wakeAll()
      },
      (cause: unknown) => {
        this.#codec = 'unknown'
        const message = `the codec ${this.settings.compression} cannot be loaded`
        const unsupported = new MinikafkaError(
          'UNSUPPORTED_COMPRESSION_TYPE',
          { message },
          { cause },
        )
        this.#failBusy(isMinikafkaError(cause) ? cause : unsupported)
      },
    )
  }
}
