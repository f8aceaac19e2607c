// The cluster as this broker knows it: an image in memory, kept up to date by a watch of the store.
// Enters: the store. Leaves: lookups, and a change per step to whoever listens.
import { type Env, sleep } from '@minikafka/platform'
import { MinikafkaError } from '@minikafka/protocol'
import type { Broker, ClusterChange, Partition, Topic } from './cluster-view.ts'
import { Image } from './image.ts'
import { type MetaStore, NotApplied, Unknown, type WatchItem } from './meta-store.ts'
import { rangeAll } from './range-all.ts'

const RETRY_MS_MIN = 50
const RETRY_MS_MAX = 2000

type Waiter = { readonly revision: number; resolve(): void; reject(error: Error): void }

export class ClusterState {
  readonly #env: Env
  readonly #store: MetaStore
  /** For the controller, which plans on more than is shown to others. */
  readonly image: Image
  readonly #listeners = new Set<(change: ClusterChange) => void>()
  #waiters: Waiter[] = []
  #iterator: AsyncIterator<WatchItem> | undefined
  #following: Promise<void> = Promise.resolve()
  readonly #closing = new AbortController()

  private constructor(env: Env, store: MetaStore, image: Image) {
    this.#env = env
    this.#store = store
    this.image = image
  }

  /** Reads everything once, then follows. Errors: NotApplied, Unknown. */
  static async open(env: Env, store: MetaStore): Promise<ClusterState> {
    const image = new Image()
    const { rev, kvs } = await rangeAll(store, '')
    image.replaceAll(rev, kvs)
    const state = new ClusterState(env, store, image)
    state.#following = state.#follow()
    return state
  }

  /** Everything up to this revision of the store is in the image. */
  get revision(): number {
    return this.image.revision
  }

  /** '' before bootstrap. */
  get clusterId(): string {
    return this.image.cluster?.clusterId ?? ''
  }

  /** Broker id; -1: none. */
  get controllerId(): number {
    return this.image.controller?.value.brokerId ?? -1
  }

  /** Of live topics, as all lookups of topics and partitions. */
  get topicCount(): number {
    return this.image.topics.live().length
  }

  get partitionCount(): number {
    return this.image.topics.partitionCount
  }

  topicByName(name: string): Topic | undefined {
    return this.image.topics.byName(name)
  }

  topicById(topicId: string): Topic | undefined {
    return this.image.topics.byId(topicId)
  }

  /** In name order. */
  topics(): readonly Topic[] {
    return this.image.topics.live()
  }

  /** Being deleted: their directories here must go, then `Controller.replicasRemoved`. */
  deletingTopics(): readonly Topic[] {
    return this.image.topics.inState('deleting')
  }

  partition(topicId: string, partition: number): Partition | undefined {
    return this.image.topics.partition(topicId, partition)
  }

  /** By number. */
  partitionsOf(topicId: string): readonly Partition[] {
    return this.image.topics.partitionsOf(topicId)
  }

  /** Registered brokers by id. */
  brokers(): readonly Broker[] {
    return this.image.brokers.all()
  }

  broker(brokerId: number): Broker | undefined {
    return this.image.brokers.get(brokerId)
  }

  /** Settings of `cfg/broker/<id>`, or of `cfg/cluster`. */
  brokerConfig(brokerId: number | 'cluster'): ReadonlyMap<string, string> {
    return this.image.brokers.config(brokerId)
  }

  /** Keys whose values cannot be read or are of a newer version, and why. */
  get alarms(): ReadonlyMap<string, string> {
    return this.image.alarms
  }

  /** Called after every step, in order, synchronously; the image is that of the step. Returns the function that stops it. */
  onChange(listener: (change: ClusterChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Resolves when the image holds `revision`, after the listeners were called. Errors: CLOSED, when it never will. */
  reached(revision: number): Promise<void> {
    if (revision <= this.revision) return Promise.resolve()
    if (this.#closing.signal.aborted) return Promise.reject(closed())
    return new Promise((resolve, reject) => this.#waiters.push({ revision, resolve, reject }))
  }

  /** Ends the watch; later changes of the store are not seen. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#iterator?.return?.()
    await this.#following
  }

  async #follow(): Promise<void> {
    const { logger, clock } = this.#env
    for (let retryMs = RETRY_MS_MIN; !this.#closing.signal.aborted; ) {
      try {
        const { compacted } = await this.#watch()
        if (compacted) await this.#readAll()
        retryMs = RETRY_MS_MIN
      } catch (error) {
        if (this.#closing.signal.aborted) break
        if (error instanceof NotApplied && error.reason === 'closed') break
        if (!(error instanceof NotApplied || error instanceof Unknown)) throw error
        logger.warn({ err: error }, 'the watch of the metadata broke off, it is taken up again')
        await sleep(clock, retryMs, this.#closing.signal).catch(() => undefined)
        retryMs = Math.min(retryMs * 2, RETRY_MS_MAX)
      }
    }
    this.#closing.abort()
    for (const waiter of this.#waiters.splice(0)) waiter.reject(closed())
  }

  /** Until the history is gone, the store is closed, or somebody closes this. */
  async #watch(): Promise<{ compacted: boolean }> {
    const iterator = this.#store.watch('', this.revision + 1)[Symbol.asyncIterator]()
    this.#iterator = iterator
    for (;;) {
      const { done, value } = await iterator.next()
      if (done) break
      if ('compacted' in value) return { compacted: true }
      if ('events' in value) this.#apply(this.image.apply(value.rev, value.events))
    }
    if (this.#closing.signal.aborted) return { compacted: false }
    // Ends by itself where the store was closed; otherwise what was missed is read.
    await this.#readAll()
    return { compacted: false }
  }

  async #readAll(): Promise<void> {
    const { rev, kvs } = await rangeAll(this.#store, '')
    this.#apply(this.image.replaceAll(rev, kvs))
  }

  #apply(change: ClusterChange | undefined): void {
    if (change !== undefined) for (const listener of this.#listeners) listener(change)
    const waiters = this.#waiters
    this.#waiters = waiters.filter(({ revision }) => revision > this.revision)
    for (const waiter of waiters) if (waiter.revision <= this.revision) waiter.resolve()
  }
}

function closed(): MinikafkaError {
  return new MinikafkaError('CLOSED', { message: 'the metadata is no longer followed' })
}
